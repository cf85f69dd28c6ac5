#include <catch2/catch.hpp>

#include "policy/base64.h"
#include "tests/transport/delivery/delivery_world.h"

using namespace waxwing;
using namespace waxwing::testing;
using Kind = RecipientOutcome::Kind;

namespace {

const std::string kSuccess = "235 2.7.0 welcome\r\n";

ServerScript with_auth(std::vector<std::string> replies = {kSuccess}) {
  ServerScript script;
  script.secured_ehlo = "250-smart.example\r\n250-PIPELINING\r\n250 AUTH PLAIN\r\n";
  script.auth = std::move(replies);
  return script;
}

// Routes to hosts of a DeliveryWorld.
struct RouteWorld : DeliveryWorld {
  Route route(std::vector<std::string> names, const std::string& name = "out") const {
    Route result;
    result.tls.route = name;
    for (std::string& host_name : names) result.hops.push_back({std::move(host_name), {}, options.port});
    return result;
  }
  static std::shared_ptr<const DeliveryRoute> by(Route route) {
    return std::make_shared<const DeliveryRoute>(DeliveryRoute{std::make_shared<const Route>(std::move(route)), {}});
  }
  static std::shared_ptr<const DeliveryRoute> with_login(Route route, std::string_view user,
                                                         std::string_view password) {
    route.tls.logs_in = true;
    const auto slot = std::make_shared<LoginSlot>();
    slot->set(std::make_shared<const SmtpLogin>(SmtpLogin{std::string(user), Secret(password)}));
    return std::make_shared<const DeliveryRoute>(DeliveryRoute{std::make_shared<const Route>(std::move(route)), slot});
  }
  DeliveryReport deliver_by(const std::shared_ptr<const DeliveryRoute>& its_route,
                            const std::string& domain = kReceiver) {
    DeliveryJob its_job = job(domain);
    its_job.route = its_route;
    return deliver(std::move(its_job));
  }
  /// A host whose certificate nobody believes.
  FakeSmtpServer& stranger(const std::string& name, ServerScript script = with_auth()) {
    FakeSmtpServer& server = host(name, {std::move(script)});
    const auto now = loop.wall_now();
    certificates[name] =
        test::make_self_signed({name, {name}, now - std::chrono::hours(1), now + std::chrono::hours(24)});
    server.use(server_context(certificates[name]));
    return server;
  }
};

std::string plain(const std::string& user, const std::string& password) {
  return "AUTH PLAIN " + encode_base64(std::string(1, '\0') + user + std::string(1, '\0') + password);
}

}  // namespace

TEST_CASE("mail on a route goes to its host over verified TLS, whatever the domain publishes") {
  RouteWorld world;
  FakeSmtpServer& smart = world.host(kHost1);
  FakeSmtpServer& mx = world.host(kHost2);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost2}});
  const DeliveryReport report = world.deliver_by(RouteWorld::by(world.route({kHost1})));
  CHECK(report.recipients[0].kind == Kind::Delivered);
  CHECK(report.route == "out");
  CHECK(report.mx_name == kHost1);
  CHECK(report.proven == TlsLevel::Verified);
  CHECK(report.tls_results.empty());  // no report to the domain
  CHECK(report.requirement_reason.starts_with("Route 'out' demands a certificate"));
  CHECK(smart.messages().size() == 1);
  CHECK(mx.connections() == 0);
  CHECK_FALSE(world.resolver.asked.contains(Question{kReceiver, RecordType::MX}));
}

TEST_CASE("a password is said inside verified TLS alone") {
  RouteWorld world;
  FakeSmtpServer& smart = world.host(kHost1, {with_auth()});
  const auto route = RouteWorld::with_login(world.route({kHost1}), "user", "pencil");
  CHECK(world.deliver_by(route).recipients[0].kind == Kind::Delivered);
  CHECK(smart.count(plain("user", "pencil")) == 1);
  CHECK(smart.in_clear().empty());
}

TEST_CASE("a host that does not prove its name hears no password, and its mail waits") {
  RouteWorld world;
  FakeSmtpServer& smart = world.stranger(kHost1);
  const auto route = RouteWorld::with_login(world.route({kHost1}), "user", "pencil");
  const DeliveryReport report = world.deliver_by(route);
  CHECK(report.recipients[0].kind == Kind::Deferred);
  CHECK(report.recipients[0].status == "4.7.5");
  CHECK(smart.connections() == 1);
  CHECK(smart.count("AUTH") == 0);
}

TEST_CASE("a refused login defers, and no other address of the host is asked") {
  RouteWorld world;
  FakeSmtpServer& refusing = world.host(kHost1, {with_auth({"535 5.7.8 no\r\n"})});
  FakeSmtpServer& its_twin = world.host(kHost2, {with_auth({"535 5.7.8 no\r\n"})});
  its_twin.use(RouteWorld::server_context(world.certificates[kHost1]));
  world.dns.a(kHost1, Status::Insecure, {"127.0.0.2", "127.0.0.3"});
  const auto alone = RouteWorld::with_login(world.route({kHost1}), "user", "pencil");
  const DeliveryReport report = world.deliver_by(alone);
  CHECK(report.recipients[0].kind == Kind::Deferred);
  CHECK(report.recipients[0].status == "4.7.8");
  CHECK(report.recipients[0].stage == DeliveryStage::Login);
  CHECK(report.recipients[0].reason ==
        std::string(kHost1) + ": it refused the login of \"user\" by PLAIN: \"535 5.7.8 no\".");
  CHECK(refusing.connections() + its_twin.connections() == 1);
}

TEST_CASE("the next hop of a route takes over when the first does not answer, is not who it must be, or refuses us") {
  RouteWorld world;
  FakeSmtpServer* first = nullptr;
  SECTION("unreachable") {
    first = &world.host(kHost1);
    world.dns.a(kHost1, Status::Insecure, {"127.0.0.99"});
  }
  SECTION("a stranger") {
    first = &world.stranger(kHost1);
  }
  SECTION("refused") {
    first = &world.host(kHost1, {with_auth({"535 5.7.8 no\r\n"})});
  }
  FakeSmtpServer& second = world.host(kHost2, {with_auth()});
  const auto route = RouteWorld::with_login(world.route({kHost1, kHost2}), "user", "pencil");
  const DeliveryReport report = world.deliver_by(route);
  CHECK(report.recipients[0].kind == Kind::Delivered);
  CHECK(report.mx_name == kHost2);
  CHECK(first->messages().empty());
  CHECK(second.messages().size() == 1);
}

TEST_CASE("two routes to one host with different logins never share a connection") {
  RouteWorld world;
  FakeSmtpServer& smart = world.host(kHost1, {with_auth()});
  const auto one = RouteWorld::with_login(world.route({kHost1}, "one"), "ann", "a-secret");
  const auto other = RouteWorld::with_login(world.route({kHost1}, "other"), "bob", "b-secret");
  for (int round = 0; round < 2; ++round) {
    CHECK(world.deliver_by(one).recipients[0].kind == Kind::Delivered);
    CHECK(world.deliver_by(other).recipients[0].kind == Kind::Delivered);
  }
  CHECK(smart.connections() == 2);
  CHECK(smart.count(plain("ann", "a-secret")) == 1);
  CHECK(smart.count(plain("bob", "b-secret")) == 1);
  CHECK(smart.messages().size() == 4);
}

TEST_CASE("domains of one route share its connections and its lookups, and direct mail to the host does not") {
  RouteWorld world;
  FakeSmtpServer& smart = world.host(kHost1);
  const auto route = RouteWorld::by(world.route({kHost1}));
  CHECK(world.deliver_by(route, "one.example").recipients[0].kind == Kind::Delivered);
  CHECK(world.deliver_by(route, "other.example").recipients[0].kind == Kind::Delivered);
  CHECK(smart.connections() == 1);
  CHECK(world.resolver.asked[Question{kHost1, RecordType::A}] == 1);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  CHECK(world.deliver(DeliveryWorld::job()).recipients[0].kind == Kind::Delivered);
  CHECK(smart.connections() == 2);
}

TEST_CASE("a pinned key is enough for a host whose certificate nobody else believes") {
  RouteWorld world;
  FakeSmtpServer& smart = world.stranger(kHost1);
  Route route = world.route({kHost1});
  route.tls.pins = {test::sha256_octets(world.certificates[kHost1].public_key)};
  const auto pinned = RouteWorld::with_login(std::move(route), "user", "pencil");
  const DeliveryReport report = world.deliver_by(pinned);
  CHECK(report.recipients[0].kind == Kind::Delivered);
  CHECK(report.tls_method == "pin");
  CHECK(smart.count("AUTH PLAIN") == 1);
}

TEST_CASE("authorities of a route are those that count for its hosts") {
  RouteWorld world;
  FakeSmtpServer& smart = world.host(kHost1);
  const auto now = world.loop.wall_now();
  const auto own =
      test::make_self_signed({"Own Authority", {}, now - std::chrono::hours(1), now + std::chrono::hours(24), true});
  auto anchors = TrustAnchors::from_pem(own.pem);
  REQUIRE(anchors);
  Route route = world.route({kHost1});
  route.tls.authorities = std::make_shared<const TrustAnchors>(std::move(*anchors));
  CHECK(world.deliver_by(RouteWorld::by(route)).recipients[0].status == "4.7.5");
  smart.use(RouteWorld::server_context(
      test::issue({kHost1, {kHost1}, now - std::chrono::hours(1), now + std::chrono::hours(24)}, own)));
  CHECK(world.deliver_by(RouteWorld::by(route)).recipients[0].kind == Kind::Delivered);
}

TEST_CASE("a next hop with implicit TLS gets nothing but TLS from the first octet") {
  RouteWorld world;
  ServerScript script = with_auth();
  script.implicit_tls = true;
  FakeSmtpServer& smart = world.host(kHost1, {script});
  Route route = world.route({kHost1});
  route.tls_start = Route::TlsStart::Implicit;
  const auto implicit = RouteWorld::with_login(std::move(route), "user", "pencil");
  CHECK(world.deliver_by(implicit).recipients[0].kind == Kind::Delivered);
  CHECK(smart.count("STARTTLS") == 0);
  CHECK(smart.count("AUTH PLAIN") == 1);
  CHECK(smart.in_clear().empty());
}

TEST_CASE("a changed password is said on the next connection") {
  RouteWorld world;
  FakeSmtpServer& smart = world.host(kHost1, {with_auth({"535 5.7.8 no\r\n"}), with_auth()});
  Route plan = world.route({kHost1});
  plan.tls.logs_in = true;
  const auto slot = std::make_shared<LoginSlot>();
  slot->set(std::make_shared<const SmtpLogin>(SmtpLogin{"user", Secret("wrong")}));
  const auto route = std::make_shared<const DeliveryRoute>(DeliveryRoute{std::make_shared<const Route>(plan), slot});
  CHECK(world.deliver_by(route).recipients[0].kind == Kind::Deferred);
  slot->set(std::make_shared<const SmtpLogin>(SmtpLogin{"user", Secret("right")}));
  CHECK(world.deliver_by(route).recipients[0].kind == Kind::Delivered);
  CHECK(smart.count(plain("user", "right")) == 1);
}

TEST_CASE("REQUIRETLS goes on over a route whose host proves its name and offers it") {
  RouteWorld world;
  const bool offered = GENERATE(true, false);
  ServerScript script;
  if (offered) script.secured_ehlo = "250-smart.example\r\n250 REQUIRETLS\r\n";
  FakeSmtpServer& smart = world.host(kHost1, {script});
  DeliveryJob its_job = DeliveryWorld::job();
  its_job.demands.request = TlsRequest::Required;
  its_job.route = RouteWorld::by(world.route({kHost1}));
  const DeliveryReport report = world.deliver(std::move(its_job));
  CHECK(report.recipients[0].kind == (offered ? Kind::Delivered : Kind::Bounced));
  CHECK(smart.count("MAIL FROM:<sender@client.example> REQUIRETLS") == (offered ? 1 : 0));
}

namespace {

class NotedMemory final : public TlsMemory {
 public:
  Result<std::optional<RememberedTls>> find(const DomainName&) override {
    ++asked;
    return std::optional<RememberedTls>();
  }
  void on_proven(const DomainName&, std::string_view) override { ++proven; }
  void on_lost(const DomainName&, std::string_view) override {}
  int asked = 0;
  int proven = 0;
};

}  // namespace

TEST_CASE("what a route proves is neither remembered of a domain nor compared with what was") {
  RouteWorld world;
  NotedMemory memory;
  world.options.tls_memory = &memory;
  world.stranger(kHost1, {});
  Route route = world.route({kHost1});
  route.tls.pins = {test::sha256_octets(world.certificates[kHost1].public_key)};
  const DeliveryReport report = world.deliver_by(RouteWorld::by(std::move(route)));
  CHECK(report.proven == TlsLevel::Authenticated);
  CHECK(memory.asked == 0);
  CHECK(memory.proven == 0);
}
