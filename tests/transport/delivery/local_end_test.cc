#include "transport/delivery/local_end.h"

#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/transport/delivery/delivery_world.h"

using namespace waxwing;
using namespace waxwing::testing;
using Status = Answer::Status;
using Kind = RecipientOutcome::Kind;

namespace {

const WallTime kLater = std::chrono::sys_days(std::chrono::year(2036) / 1 / 1);

LocalEnd end(const std::string& name, std::vector<std::string> addresses) {
  LocalEnd result{name, name + ".relay.example", {}, true};
  for (const std::string& address : addresses) result.addresses.push_back(*IpAddress::parse(address));
  return result;
}

/// Takes the first end that does not rest; an end rests for good after a reply with that text.
class ScriptedChooser : public LocalEndChooser {
 public:
  explicit ScriptedChooser(std::vector<LocalEnd> ends) : ends_(std::move(ends)) {}

  Choice choose(const std::string& mx_name, std::span<const IpAddress> addresses) override {
    ++asked[mx_name];
    for (const LocalEnd& candidate : ends_) {
      if (resting.contains(candidate.source) || closed_hosts.contains(mx_name)) continue;
      last_ = candidate.source;
      if (std::ranges::any_of(addresses, [&](const auto& address) { return candidate.reaches(address); }))
        return {candidate, {}, {}};
    }
    return {{}, "All rest at " + mx_name + ".", kLater};
  }
  std::optional<WallTime> on_refused(const std::string& /*mx_name*/, const SmtpReply& reply,
                                     DeliveryStage /*stage*/) override {
    if (reply.str().find("blocked") == std::string::npos) return std::nullopt;
    resting.insert(last_);
    return kLater;
  }

  std::optional<WallTime> on_unusable(const std::string& detail) override {
    CHECK(detail.find("this machine does not have that address") != std::string::npos);
    resting.insert(last_);
    return kLater;
  }

  std::map<std::string, int> asked;
  std::set<std::string> resting;
  std::set<std::string> closed_hosts;

 private:
  std::vector<LocalEnd> ends_;
  std::string last_;
};

DeliveryJob job_from(std::shared_ptr<LocalEndChooser> chooser, std::size_t recipients = 1) {
  DeliveryJob job = DeliveryWorld::job(kReceiver, recipients);
  job.local_end = std::move(chooser);
  return job;
}

const LocalEnd kA = end("a", {"127.0.0.101", "::1"});
const LocalEnd kB = end("b", {"127.0.0.102"});

}  // namespace

TEST_CASE("a message leaves from the address of its end, under its name, and the report says so") {
  DeliveryWorld world;
  FakeSmtpServer& server = world.host(kHost1);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  const auto report = world.deliver(job_from(std::make_shared<ScriptedChooser>(std::vector{kB})));
  CHECK(report.recipients[0].kind == Kind::Delivered);
  CHECK(report.source == "b");
  CHECK(report.local_address == "127.0.0.102");
  CHECK(server.count("EHLO b.relay.example") == 2);
}

TEST_CASE("ends share no connection, and each keeps its own for the next message") {
  DeliveryWorld world;
  FakeSmtpServer& server = world.host(kHost1);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  world.options.idle_timeout = Milliseconds(15'000);
  for (int i = 0; i < 4; ++i) {
    const LocalEnd& chosen = i % 2 == 0 ? kA : kB;
    const auto report = world.deliver(job_from(std::make_shared<ScriptedChooser>(std::vector{chosen})));
    CHECK(report.source == chosen.source);
    CHECK(report.local_address == chosen.addresses[0].str());
  }
  CHECK(server.connections() == 2);
  CHECK(server.messages().size() == 4);
}

TEST_CASE("addresses of a family that the end does not have are passed over") {
  DeliveryWorld world;
  FakeSmtpServer& server = world.host(kHost1);
  world.dns.aaaa(kHost1, Status::Insecure, {"::1"});
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  const auto report = world.deliver(job_from(std::make_shared<ScriptedChooser>(std::vector{kB})));
  CHECK(report.recipients[0].kind == Kind::Delivered);
  CHECK(report.peer == server.endpoint().str());
  CHECK(server.connections() == 1);
}

TEST_CASE("when no end may go to any host, the message waits as told, and no host hears of it") {
  DeliveryWorld world;
  FakeSmtpServer& server = world.host(kHost1);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  const auto chooser = std::make_shared<ScriptedChooser>(std::vector{kA});
  chooser->closed_hosts = {kHost1};
  const auto report = world.deliver(job_from(chooser));
  CHECK(report.recipients[0].kind == Kind::Deferred);
  CHECK(report.recipients[0].reason == std::string("All rest at ") + kHost1 + ".");
  CHECK(report.recipients[0].retry_at == kLater);
  CHECK(report.recipients[0].stage == DeliveryStage::None);
  CHECK(server.connections() == 0);
}

TEST_CASE("a host to which no end may go is passed over for the next") {
  DeliveryWorld world;
  FakeSmtpServer& first = world.host(kHost1);
  world.host(kHost2);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}, {20, kHost2}});
  const auto chooser = std::make_shared<ScriptedChooser>(std::vector{kA});
  chooser->closed_hosts = {kHost1};
  const auto report = world.deliver(job_from(chooser));
  CHECK(report.recipients[0].kind == Kind::Delivered);
  CHECK(report.mx_name == kHost2);
  CHECK(first.connections() == 0);
}

TEST_CASE("an end that the greeting refuses leaves the same host to the next end, in the same attempt") {
  DeliveryWorld world;
  ServerScript refusing;
  refusing.banner = "554 5.7.1 your address is blocked\r\n";
  FakeSmtpServer& server = world.host(kHost1, {refusing, ServerScript()});
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  const auto report = world.deliver(job_from(std::make_shared<ScriptedChooser>(std::vector{kA, kB})));
  CHECK(report.recipients[0].kind == Kind::Delivered);
  CHECK(report.source == "b");
  CHECK(server.connections() == 2);
}

TEST_CASE("an end whose address this host lacks leaves the host to the next end, and is no failure of the host") {
  DeliveryWorld world;
  FakeSmtpServer& server = world.host(kHost1);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  const LocalEnd missing = end("missing", {"192.0.2.200"});
  auto report = world.deliver(job_from(std::make_shared<ScriptedChooser>(std::vector{missing, kB})));
  CHECK(report.recipients[0].kind == Kind::Delivered);
  CHECK(report.source == "b");
  report = world.deliver(job_from(std::make_shared<ScriptedChooser>(std::vector{missing})));
  CHECK(report.recipients[0].kind == Kind::Deferred);
  CHECK(report.recipients[0].status == "4.3.5");
  CHECK(report.recipients[0].stage == DeliveryStage::None);
  CHECK(report.recipients[0].retry_at == kLater);
  CHECK(server.messages().size() == 1);
}

TEST_CASE("a refusal of our end is never a bounce, and says when to try again") {
  DeliveryWorld world;
  ServerScript refusing;
  refusing.rcpt = {"550 5.7.1 blocked\r\n", "550 5.1.1 no such user\r\n"};
  world.host(kHost1, {refusing});
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  const auto report = world.deliver(job_from(std::make_shared<ScriptedChooser>(std::vector{kA}), 2));
  CHECK(report.recipients[0].kind == Kind::Deferred);
  CHECK(report.recipients[0].status == "4.7.1");
  CHECK(report.recipients[0].remote_reply == "550 5.7.1 blocked");
  CHECK(report.recipients[0].retry_at == kLater);
  CHECK(report.recipients[1].kind == Kind::Bounced);
  CHECK_FALSE(report.recipients[1].retry_at);
}

TEST_CASE("a refusal of our end on a kept connection is no connection that died") {
  DeliveryWorld world;
  ServerScript refusing;
  refusing.mails = {"250 2.1.0 ok\r\n", "421 4.7.1 blocked\r\n<cut>"};
  FakeSmtpServer& server = world.host(kHost1, {refusing, ServerScript()});
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  world.options.idle_timeout = Milliseconds(15'000);
  const auto chooser = std::make_shared<ScriptedChooser>(std::vector{kA, kB});
  CHECK(world.deliver(job_from(chooser)).source == "a");
  CHECK(world.deliver(job_from(chooser)).source == "b");
  CHECK(server.connections() == 2);
}

TEST_CASE("a message that waited for a connection does not go from an end that rests by then") {
  DeliveryWorld world;
  ServerScript refusing;
  refusing.mails = {"450 4.7.1 blocked\r\n", "250 2.1.0 ok\r\n"};
  FakeSmtpServer& server = world.host(kHost1, {refusing, ServerScript()});
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  world.options.max_connections_per_host = 1;
  const auto chooser = std::make_shared<ScriptedChooser>(std::vector{kA, kB});
  for (int i = 0; i < 10; ++i) world.start(job_from(chooser));
  world.wait();
  int delivered = 0;
  for (const auto& report : world.reports) {
    const bool arrived = report.recipients[0].kind == Kind::Delivered;
    CHECK(report.source == (arrived ? "b" : "a"));
    delivered += arrived ? 1 : 0;
  }
  CHECK(delivered == 9);
  CHECK(server.connections() == 2);
}
