#include "transport/destination/tls_memory.h"

#include <catch2/catch.hpp>

#include "tests/transport/delivery/delivery_world.h"

using namespace waxwing;
using namespace waxwing::testing;
using Kind = RecipientOutcome::Kind;

namespace {

class RecordingMemory : public TlsMemory {
 public:
  Result<std::optional<RememberedTls>> find(const DomainName&) override {
    if (unreadable) return fail(ErrorKind::Corrupt, "the memory is damaged");
    return remembered;
  }
  void on_proven(const DomainName& domain, std::string_view method) override {
    proven.push_back(domain.str() + " " + std::string(method));
  }
  void on_lost(const DomainName&, std::string_view sentence) override { lost.emplace_back(sentence); }

  std::optional<RememberedTls> remembered;
  bool unreadable = false;
  std::vector<std::string> proven;
  std::vector<std::string> lost;
};

// A domain whose MX records and host are secure, without TLSA records.
void secure_domain(DeliveryWorld& world) {
  world.host(kHost1, {ServerScript()}, Status::Secure);
  world.dns.mx(kReceiver, Status::Secure, {{10, kHost1}});
  world.dns.otherwise = Status::Secure;
}

}  // namespace

TEST_CASE("what a host proved for its domain is remembered when it took the message") {
  DeliveryWorld world;
  RecordingMemory memory;
  world.options.tls_memory = &memory;
  secure_domain(world);
  SECTION("by DANE") {
    world.publish_tlsa(kHost1, world.certificates[kHost1]);
    CHECK(world.deliver(DeliveryWorld::job()).recipients[0].kind == Kind::Delivered);
    CHECK(memory.proven == std::vector<std::string>{"receiver.example dane"});
  }
  SECTION("not without a proof") {
    CHECK(world.deliver(DeliveryWorld::job()).recipients[0].kind == Kind::Delivered);
    CHECK(memory.proven.empty());
  }
  CHECK(memory.lost.empty());
}

TEST_CASE("a loss is told once for each look at the domain, not for each message") {
  DeliveryWorld world;
  RecordingMemory memory;
  memory.remembered = RememberedTls{"dane", {}, {}};
  world.options.tls_memory = &memory;
  secure_domain(world);
  SECTION("mail goes on where a report is enough") {
    for (int i = 0; i < 3; ++i) CHECK(world.deliver(DeliveryWorld::job()).recipients[0].kind == Kind::Delivered);
  }
  SECTION("mail waits where that is wished") {
    world.options.lost_tls = LostTls::Defer;
    for (int i = 0; i < 3; ++i) {
      const auto report = world.deliver(DeliveryWorld::job());
      CHECK(report.recipients[0].kind == Kind::Deferred);
      CHECK(report.recipients[0].status == "4.7.5");
      CHECK(world.servers[0]->connections() == 0);
    }
  }
  CHECK(memory.lost.size() == 1);
}

TEST_CASE("a memory that cannot be read takes nothing from what the domain publishes") {
  DeliveryWorld world;
  RecordingMemory memory;
  memory.unreadable = true;
  world.options.tls_memory = &memory;
  secure_domain(world);
  world.publish_tlsa(kHost1, world.certificates[kHost1]);
  CHECK(world.deliver(DeliveryWorld::job()).proven == TlsLevel::Authenticated);
}
