#include "transport/delivery/delivery_agent.h"

#include <catch2/catch.hpp>

#include "tests/transport/delivery/delivery_world.h"

using namespace waxwing;
using namespace waxwing::testing;
using Kind = RecipientOutcome::Kind;

namespace {

ServerScript script(void (*change)(ServerScript&)) {
  ServerScript result;
  change(result);
  return result;
}

}  // namespace

TEST_CASE("a message is delivered over TLS and reported in full") {
  DeliveryWorld world;
  FakeSmtpServer& server = world.host(kHost1);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  const DeliveryReport report = world.deliver(DeliveryWorld::job());
  REQUIRE(report.recipients.size() == 1);
  CHECK(report.recipients[0].kind == Kind::Delivered);
  CHECK(report.recipients[0].status == "2.0.0");
  CHECK(report.recipients[0].remote_reply == "250 2.0.0 queued as 1");
  CHECK_THAT(report.recipients[0].reason, Catch::Contains(kHost1));
  CHECK(report.mx_name == kHost1);
  CHECK(report.peer == server.endpoint().str());
  CHECK_THAT(report.local_address, Catch::StartsWith("127.0.0."));
  CHECK(report.proven == TlsLevel::Encrypted);
  CHECK(report.tls_method == "opportunistic");
  CHECK_THAT(report.tls_summary, Catch::StartsWith("TLSv1.3 TLS_"));
  CHECK_FALSE(report.requirement_reason.empty());
  CHECK(server.messages() == std::vector<std::string>{"Subject: x\r\n\r\nbody\r\n.\r\n"});
  CHECK(server.in_clear().empty());
}

TEST_CASE("a report never comes inside the call that starts the job") {
  DeliveryWorld world;
  world.dns.mx(kReceiver, Status::Insecure, {{0, "."}});
  world.deliver(DeliveryWorld::job());
  bool inside = true;
  bool came = false;
  world.agent().deliver(DeliveryWorld::job(),
                        [&](const DeliveryReport&) {  // planned already, so nothing has to be awaited
                          came = true;
                          CHECK_FALSE(inside);
                        });
  CHECK(world.agent().active_jobs() == 1);
  inside = false;
  world.run_until([&] { return came; });
  CHECK(world.agent().active_jobs() == 0);
}

TEST_CASE("a hundred messages go over one connection when one is allowed") {
  DeliveryWorld world;
  FakeSmtpServer& server = world.host(kHost1);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  world.options.max_connections_per_host = 1;
  for (int i = 0; i < 100; ++i) world.start(DeliveryWorld::job());
  world.wait();
  for (const auto& report : world.reports) CHECK(report.recipients[0].kind == Kind::Delivered);
  CHECK(server.connections() == 1);
  CHECK(server.messages().size() == 100);
  CHECK(world.resolver.asked[Question{kReceiver, RecordType::MX}] == 1);
}

TEST_CASE("a connection is ended in order after its share of messages, and another takes over") {
  DeliveryWorld world;
  FakeSmtpServer& server = world.host(kHost1);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  world.options.max_connections_per_host = 1;
  world.options.max_messages_per_connection = 10;
  for (int i = 0; i < 25; ++i) world.start(DeliveryWorld::job());
  world.wait();
  CHECK(server.messages().size() == 25);
  CHECK(server.connections() == 3);
  CHECK(server.count("QUIT") == 2);
}

TEST_CASE("connections to one host and in total stay within their limits") {
  DeliveryWorld world;
  FakeSmtpServer& first = world.host(kHost1);
  FakeSmtpServer& second = world.host(kHost2);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  world.dns.mx("other.example", Status::Insecure, {{10, kHost2}});
  world.options.max_connections_per_host = 3;
  world.options.max_connections = 4;
  for (int i = 0; i < 100; ++i) world.start(DeliveryWorld::job(i % 2 == 0 ? kReceiver : "other.example"));
  world.wait();
  CHECK(first.messages().size() == 50);
  CHECK(second.messages().size() == 50);
  CHECK(first.most_open() <= 3);
  CHECK(second.most_open() <= 3);
  CHECK(first.connections() + second.connections() <= 8);
}

TEST_CASE("an idle connection makes room for another host when the total is reached") {
  DeliveryWorld world;
  world.host(kHost1);
  FakeSmtpServer& second = world.host(kHost2);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  world.dns.mx("other.example", Status::Insecure, {{10, kHost2}});
  world.options.max_connections = 1;
  world.options.idle_timeout = Milliseconds(15'000);
  CHECK(world.deliver(DeliveryWorld::job()).recipients[0].kind == Kind::Delivered);
  CHECK(world.deliver(DeliveryWorld::job("other.example")).recipients[0].kind == Kind::Delivered);
  CHECK(second.messages().size() == 1);
}

TEST_CASE("a kept connection without work is ended with QUIT") {
  DeliveryWorld world;
  FakeSmtpServer& server = world.host(kHost1);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  world.options.idle_timeout = Milliseconds(50);
  world.deliver(DeliveryWorld::job());
  world.run_until([&] { return server.open_connections() == 0; });
  CHECK(server.count("QUIT") == 1);
}

TEST_CASE("DANE: a certificate that matches makes the connection authenticated, one that does not is never used") {
  DeliveryWorld world;
  FakeSmtpServer& first = world.host(kHost1, {ServerScript()}, Status::Secure);
  FakeSmtpServer& second = world.host(kHost2, {ServerScript()}, Status::Secure);
  world.dns.mx(kReceiver, Status::Secure, {{10, kHost1}, {20, kHost2}});
  SECTION("the first host matches") {
    world.publish_tlsa(kHost1, world.certificates[kHost1]);
    world.publish_tlsa(kHost2, world.certificates[kHost2]);
    const auto report = world.deliver(DeliveryWorld::job());
    CHECK(report.recipients[0].kind == Kind::Delivered);
    CHECK(report.proven == TlsLevel::Authenticated);
    CHECK(report.tls_method == "dane");
    CHECK(report.mx_name == kHost1);
  }
  SECTION("the first does not match, so the second gets the mail") {
    world.publish_tlsa(kHost1, world.certificates[kHost2]);
    world.publish_tlsa(kHost2, world.certificates[kHost2]);
    const auto report = world.deliver(DeliveryWorld::job());
    CHECK(report.recipients[0].kind == Kind::Delivered);
    CHECK(report.mx_name == kHost2);
    CHECK(first.count("MAIL") == 0);
  }
  SECTION("neither matches: deferred, and the reason names host and standard") {
    world.publish_tlsa(kHost1, world.certificates[kHost2]);
    world.publish_tlsa(kHost2, world.certificates[kHost1]);
    const auto report = world.deliver(DeliveryWorld::job());
    CHECK(report.recipients[0].kind == Kind::Deferred);
    CHECK(report.recipients[0].status == "4.7.5");
    CHECK_THAT(report.recipients[0].reason, Catch::StartsWith(std::string(kHost1) + ": "));
    CHECK_THAT(report.recipients[0].reason, Catch::Contains("RFC 7672 §2.2"));
    CHECK(report.proven == TlsLevel::Plaintext);
    CHECK(report.mx_name == kHost1);
    CHECK(first.count("MAIL") + second.count("MAIL") == 0);
  }
}

TEST_CASE("a host without STARTTLS gets no mail, in clear least of all") {
  DeliveryWorld world;
  FakeSmtpServer& server = world.host(kHost1, {script([](ServerScript& s) { s.ehlo = "250 mx.example\r\n"; })});
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  auto job = DeliveryWorld::job();
  job.demands.minimum = TlsLevel::Plaintext;
  const auto report = world.deliver(std::move(job));
  CHECK(report.recipients[0].kind == Kind::Deferred);
  CHECK(report.recipients[0].status == "4.7.4");
  CHECK(server.in_clear().empty());
  CHECK(server.messages().empty());
}

TEST_CASE("what says only that a connection failed sends the message to the next host") {
  const auto fault = GENERATE(
      as<void (*)(ServerScript&)>{}, +[](ServerScript& s) { s.banner = "554 5.7.1 no service\r\n"; },
      +[](ServerScript& s) { s.banner = "421 4.3.2 busy\r\n<cut>"; }, +[](ServerScript& s) { s.banner = kCut; },
      +[](ServerScript& s) { s.banner = "HTTP/1.1 400 Bad Request\r\n"; },
      +[](ServerScript& s) { s.starttls = "554 5.7.3 no\r\n"; },
      +[](ServerScript& s) { s.starttls = "220 go\r\n<cut>"; },
      +[](ServerScript& s) { s.mail = "421 4.3.2 bye\r\n<cut>"; }, +[](ServerScript& s) { s.mail = "221 bye\r\n"; },
      +[](ServerScript& s) { s.rcpt = {"421 4.3.2 bye\r\n<cut>"}; }, +[](ServerScript& s) { s.data = kCut; });
  DeliveryWorld world;
  FakeSmtpServer& first = world.host(kHost1, {script(fault)});
  FakeSmtpServer& second = world.host(kHost2);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}, {20, kHost2}});
  const auto report = world.deliver(DeliveryWorld::job());
  CHECK(report.recipients[0].kind == Kind::Delivered);
  CHECK(report.mx_name == kHost2);
  CHECK(first.messages().empty());
  CHECK(second.messages().size() == 1);
}

TEST_CASE("an address that refuses connections is passed over for the next of the same host") {
  DeliveryWorld world;
  FakeSmtpServer& server = world.host(kHost1);
  world.dns.a(kHost1, Status::Insecure, {"127.0.0.77", "127.0.0.2"});
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  for (int i = 0; i < 5; ++i) world.start(DeliveryWorld::job());
  world.wait();
  for (const auto& report : world.reports) CHECK(report.recipients[0].kind == Kind::Delivered);
  CHECK(server.messages().size() == 5);
}

TEST_CASE("an address whose TLS does not do is passed over for the next of the same host") {
  DeliveryWorld world;
  ServerScript first;
  bool dane = false;
  SECTION("no STARTTLS") {
    first.ehlo = "250 mx.example\r\n";
  }
  SECTION("STARTTLS refused") {
    first.starttls = "454 4.7.0 not now\r\n";
  }
  SECTION("cut in the handshake") {
    first.starttls = "220 go\r\n<cut>";
  }
  SECTION("a certificate that does not match") {
    dane = true;
  }
  world.host(kHost1, {first});
  FakeSmtpServer& second = world.host("spare.example");
  const Status status = dane ? Status::Secure : Status::Insecure;
  world.dns.a(kHost1, status, {"127.0.0.2", "127.0.0.3"}).aaaa(kHost1, status, {});
  world.dns.mx(kReceiver, status, {{10, kHost1}});
  if (dane) world.publish_tlsa(kHost1, world.certificates["spare.example"]);
  for (int i = 0; i < 8; ++i) {  // the addresses are shuffled for each plan
    CHECK(world.deliver(DeliveryWorld::job()).recipients[0].kind == Kind::Delivered);
    world.agent().forget_plans();
  }
  CHECK(second.messages().size() == 8);
}

TEST_CASE("a handshake that breaks off blames no certificate") {
  DeliveryWorld world;
  world.host(kHost1, {script([](ServerScript& s) { s.starttls = "220 go\r\n<cut>"; })}, Status::Secure);
  world.dns.mx(kReceiver, Status::Secure, {{10, kHost1}});
  world.publish_tlsa(kHost1, world.certificates[kHost1]);
  const auto report = world.deliver(DeliveryWorld::job());
  CHECK(report.recipients[0].kind == Kind::Deferred);
  CHECK(report.recipients[0].status == "4.4.2");
  CHECK_THAT(report.recipients[0].reason, !Catch::Contains("RFC 7672"));
}

TEST_CASE("a peer that does not speak TLS after its leave to begin is not blamed for its certificate") {
  DeliveryWorld world;
  world.host(kHost2);  // for the port
  std::vector<std::unique_ptr<Connection>> peers;
  auto listener = Listener::open(world.loop, {*IpAddress::parse("127.0.0.99"), world.options.port},
                                 [&](std::unique_ptr<Connection> taken) {
                                   Connection* peer = peers.emplace_back(std::move(taken)).get();
                                   Connection::Callbacks callbacks;
                                   callbacks.on_bytes = [peer](std::string_view octets) {
                                     if (octets.starts_with("EHLO")) return peer->write("250-x\r\n250 STARTTLS\r\n");
                                     peer->write(octets.starts_with("STARTTLS") ? "220 go\r\n" : "what was that?\r\n");
                                   };
                                   callbacks.on_secured = [] {};
                                   callbacks.on_closed = [](const std::optional<Error>&) {};
                                   callbacks.on_drained = [] {};
                                   peer->set_callbacks(std::move(callbacks));
                                   peer->write("220 x\r\n");
                                 });
  REQUIRE(listener);
  world.dns.mx(kReceiver, Status::Secure, {{10, kHost1}});
  world.dns.a(kHost1, Status::Secure, {"127.0.0.99"}).aaaa(kHost1, Status::Secure, {});
  world.publish_tlsa(kHost1, world.certificates[kHost2]);
  const auto report = world.deliver(DeliveryWorld::job());
  CHECK(report.recipients[0].status == "4.7.0");
  CHECK_THAT(report.recipients[0].reason, !Catch::Contains("RFC 7672"));
  REQUIRE(report.tls_results.size() == 1);
  CHECK(report.tls_results[0].failure->type == TlsResultType::ValidationFailure);
}

TEST_CASE("when no host answers the message is deferred with what happened") {
  DeliveryWorld world;
  world.host(kHost1);  // only for the port
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost2}});
  world.dns.a(kHost2, Status::Insecure, {"127.0.0.77"});
  const auto report = world.deliver(DeliveryWorld::job());
  CHECK(report.recipients[0].kind == Kind::Deferred);
  CHECK(report.recipients[0].status == "4.4.1");
  CHECK_THAT(report.recipients[0].reason, Catch::StartsWith(std::string(kHost2) + ": "));
}

TEST_CASE("what a host says about message and recipient is the outcome, and no other host is asked") {
  struct Row {
    void (*change)(ServerScript&);
    Kind kind;
    const char* status;
  };
  const auto row = GENERATE(values<Row>({
      {[](ServerScript& s) { s.mail = "451 4.7.1 later\r\n"; }, Kind::Deferred, "4.7.1"},
      {[](ServerScript& s) { s.mail = "550 5.7.1 no\r\n"; }, Kind::Bounced, "5.7.1"},
      {[](ServerScript& s) { s.rcpt = {"450 4.2.1 later\r\n"}; }, Kind::Deferred, "4.2.1"},
      {[](ServerScript& s) { s.rcpt = {"550 5.1.1 unknown\r\n"}; }, Kind::Bounced, "5.1.1"},
      {[](ServerScript& s) { s.data = "451 4.3.0 later\r\n"; }, Kind::Deferred, "4.3.0"},
      {[](ServerScript& s) { s.end_of_data = "554 5.7.1 spam\r\n"; }, Kind::Bounced, "5.7.1"},
      {[](ServerScript& s) { s.end_of_data = "221 2.0.0 bye\r\n"; }, Kind::Deferred, "4.5.0"},
      {[](ServerScript& s) { s.end_of_data = "250 5.7.1 no\r\n"; }, Kind::Deferred, "4.5.0"},
      {[](ServerScript& s) { s.end_of_data = kCut; }, Kind::Deferred, "4.4.2"},
  }));
  DeliveryWorld world;
  world.host(kHost1, {script(row.change)});
  FakeSmtpServer& second = world.host(kHost2);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}, {20, kHost2}});
  const auto report = world.deliver(DeliveryWorld::job());
  CHECK(report.recipients[0].kind == row.kind);
  CHECK(report.recipients[0].status == row.status);
  CHECK(report.mx_name == kHost1);
  CHECK(second.connections() == 0);
}

TEST_CASE("each recipient has its own outcome, in the order of the job") {
  DeliveryWorld world;
  world.host(kHost1, {script([](ServerScript& s) {
               s.rcpt = {"250 2.1.5 ok\r\n", "550 5.1.1 unknown\r\n", "450 4.2.1 later\r\n", "250 2.1.5 ok\r\n"};
             })});
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  const auto report = world.deliver(DeliveryWorld::job(kReceiver, 4));
  CHECK(report.recipients[0].kind == Kind::Delivered);
  CHECK(report.recipients[1].kind == Kind::Bounced);
  CHECK(report.recipients[1].remote_reply == "550 5.1.1 unknown");
  CHECK(report.recipients[2].kind == Kind::Deferred);
  CHECK(report.recipients[3].kind == Kind::Delivered);
}

TEST_CASE("recipients beyond what one transaction takes go in further ones, each recipient once") {
  DeliveryWorld world;
  const bool limited = GENERATE(false, true);
  ServerScript limits;
  if (limited) {
    limits.rcpt.assign(10, "250 2.1.5 ok\r\n");
    limits.rcpt.emplace_back("452 4.5.3 too many\r\n");
  }
  FakeSmtpServer& server = world.host(kHost1, {limits});
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  const std::size_t recipients = limited ? 50 : 250;
  const auto report = world.deliver(DeliveryWorld::job(kReceiver, recipients));
  for (const auto& outcome : report.recipients) CHECK(outcome.kind == Kind::Delivered);
  CHECK(server.connections() == 1);
  CHECK(server.messages().size() == (limited ? 5 : 3));
}

TEST_CASE("a kept connection that the server has ended costs no message") {
  DeliveryWorld world;
  SECTION("by closing it while idle") {
    FakeSmtpServer& server = world.host(kHost1);
    world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
    world.deliver(DeliveryWorld::job());
    server.hang_up();
    CHECK(world.deliver(DeliveryWorld::job()).recipients[0].kind == Kind::Delivered);
    CHECK(server.connections() == 2);
  }
  SECTION("by 421 in place of the reply to MAIL") {
    FakeSmtpServer& server = world.host(kHost1, {script([](ServerScript& s) {
                                          s.mails = {"250 2.1.0 ok\r\n", "421 4.7.0 enough for now\r\n<cut>"};
                                        })});
    world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
    world.options.max_connections_per_host = 1;
    for (int i = 0; i < 6; ++i) world.start(DeliveryWorld::job());
    world.wait();
    for (const auto& report : world.reports) CHECK(report.recipients[0].kind == Kind::Delivered);
    CHECK(server.messages().size() == 6);
    CHECK(server.connections() == 6);
  }
}

TEST_CASE("domains share a connection only when both ask for the same") {
  DeliveryWorld world;
  FakeSmtpServer& server = world.host(kHost1);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  world.dns.mx("other.example", Status::Insecure, {{10, kHost1}});
  world.options.idle_timeout = Milliseconds(15'000);
  SECTION("nothing but TLS: one connection") {
    world.deliver(DeliveryWorld::job());
    world.deliver(DeliveryWorld::job("other.example"));
    CHECK(server.connections() == 1);
  }
  SECTION("one asks for a certificate: two connections, each with its own proof") {
    const auto loose = world.deliver(DeliveryWorld::job());
    auto strict_job = DeliveryWorld::job("other.example");
    strict_job.demands.minimum = TlsLevel::Verified;
    const auto strict = world.deliver(std::move(strict_job));
    CHECK(loose.proven == TlsLevel::Encrypted);
    CHECK(strict.proven == TlsLevel::Verified);
    CHECK(server.connections() == 2);
  }
}

TEST_CASE("an open connection to a host with a bad certificate is of no use to a domain that asks for a good one") {
  DeliveryWorld world;
  FakeSmtpServer& server = world.host(kHost1);
  world.dns.a("alias.example", Status::Insecure, {"127.0.0.2"});  // its certificate names another host
  world.dns.mx(kReceiver, Status::Insecure, {{10, "alias.example"}});
  world.options.idle_timeout = Milliseconds(15'000);
  CHECK(world.deliver(DeliveryWorld::job()).recipients[0].kind == Kind::Delivered);
  for (int i = 0; i < 3; ++i) {
    auto strict = DeliveryWorld::job();
    strict.demands.minimum = TlsLevel::Verified;
    const auto report = world.deliver(std::move(strict));
    CHECK(report.recipients[0].kind == Kind::Deferred);
    CHECK(report.recipients[0].status == "4.7.5");
  }
  CHECK(server.messages().size() == 1);
}

TEST_CASE("what the plan says without a connection is the outcome") {
  DeliveryWorld world;
  SECTION("null MX bounces") {
    world.dns.mx(kReceiver, Status::Insecure, {{0, "."}});
    const auto report = world.deliver(DeliveryWorld::job(kReceiver, 2));
    for (const auto& outcome : report.recipients) {
      CHECK(outcome.kind == Kind::Bounced);
      CHECK(outcome.status == "5.1.10");
    }
    CHECK(report.mx_name.empty());
  }
  SECTION("a bogus MX defers") {
    world.dns.mx(kReceiver, Status::Bogus, {});
    CHECK(world.deliver(DeliveryWorld::job()).recipients[0].status == "4.4.3");
  }
}

TEST_CASE("an attempt ends at its deadline wherever it is") {
  DeliveryWorld world;
  world.options.attempt_timeout = Milliseconds(200);
  const auto silent = GENERATE(
      as<void (*)(ServerScript&)>{}, +[](ServerScript& s) { s.banner = ""; },
      +[](ServerScript& s) {
        s.secured_ehlo = "250 mx.example\r\n";
        s.mail = "";
      },
      +[](ServerScript& s) { s.end_of_data = ""; });
  world.host(kHost1, {script(silent)});
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  const auto report = world.deliver(DeliveryWorld::job());
  CHECK(report.recipients[0].kind == Kind::Deferred);
  CHECK_THAT(report.recipients[0].reason, Catch::Contains("took longer"));
}

TEST_CASE("jobs that wait for a connection end at their deadline too, and later ones find their way") {
  DeliveryWorld world;
  world.options.attempt_timeout = Milliseconds(150);
  world.options.max_connections_per_host = 1;
  FakeSmtpServer& server = world.host(kHost1, {script([](ServerScript& s) { s.end_of_data = ""; }), ServerScript()});
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  for (int i = 0; i < 5; ++i) world.start(DeliveryWorld::job());
  world.wait();
  for (const auto& report : world.reports) {
    REQUIRE(report.recipients.size() == 1);
    CHECK(report.recipients[0].kind == Kind::Deferred);
    CHECK_THAT(report.recipients[0].reason, Catch::Contains("took longer"));
  }
  CHECK(world.deliver(DeliveryWorld::job()).recipients[0].kind == Kind::Delivered);
  CHECK(server.connections() == 2);
}

TEST_CASE("nobody is called once the agent is gone") {
  DeliveryWorld world;
  world.host(kHost1, {script([](ServerScript& s) { s.end_of_data = ""; })});
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  for (int i = 0; i < 10; ++i) world.start(DeliveryWorld::job());
  world.settle(Milliseconds(GENERATE(0, 1, 5, 20, 100)));
  world.destroy_agent();
  world.settle(Milliseconds(50));
  CHECK(world.reports.empty());
}

TEST_CASE("the agent may be destroyed by whoever gets a report") {
  DeliveryWorld world;
  world.host(kHost1);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  bool came = false;
  for (int i = 0; i < 5; ++i) {
    world.agent().deliver(DeliveryWorld::job(), [&](const DeliveryReport&) {
      CHECK_FALSE(came);
      came = true;
      world.destroy_agent();
    });
  }
  world.run_until([&] { return came; });
  world.settle(Milliseconds(50));
}

TEST_CASE("content that cannot be read is never completed") {
  DeliveryWorld world;
  FakeSmtpServer& server =
      world.host(kHost1, {script([](ServerScript& s) { s.secured_ehlo = "250-mx.example\r\n250 PIPELINING\r\n"; })});
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  auto job = DeliveryWorld::job();
  std::string text;
  while (text.size() < 200'000) text += "0123456789 0123456789\r\n";
  job.content = std::make_unique<StringContent>(text, 100'000);
  const auto report = world.deliver(std::move(job));
  CHECK(report.recipients[0].kind == Kind::Deferred);
  CHECK(report.recipients[0].status == "4.3.0");
  CHECK_THAT(report.recipients[0].reason, Catch::Contains("spool file"));
  world.settle(Milliseconds(50));
  CHECK(server.messages().empty());
  CHECK(world.deliver(DeliveryWorld::job()).recipients[0].kind == Kind::Delivered);
}

TEST_CASE("a message with a bare LF is refused and nothing of it is delivered") {
  DeliveryWorld world;
  FakeSmtpServer& server = world.host(kHost1);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  const auto report = world.deliver(DeliveryWorld::job(kReceiver, 1, "Subject: x\r\n\r\na\n.\nb\r\n"));
  CHECK(report.recipients[0].kind == Kind::Bounced);
  CHECK(report.recipients[0].status == "5.6.0");
  world.settle(Milliseconds(20));
  CHECK(server.messages().empty());
}

TEST_CASE("a large message arrives whole") {
  DeliveryWorld world;
  ServerScript large;
  large.secured_ehlo = "250-mx.example\r\n250 PIPELINING\r\n";
  FakeSmtpServer& server = world.host(kHost1, {large});
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  std::string text = "Subject: large\r\n\r\n";
  while (text.size() < 3'000'000) text += "." + std::to_string(text.size()) + " line\r\n";
  std::string wire;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at) + 1;
    if (text[at] == '.') wire += '.';
    wire.append(text, at, end - at);
    at = end;
  }
  CHECK(world.deliver(DeliveryWorld::job(kReceiver, 1, text)).recipients[0].kind == Kind::Delivered);
  REQUIRE(server.messages().size() == 1);
  CHECK((server.messages()[0] == wire + ".\r\n"));
}

TEST_CASE("a server that ends TLS together with each answer gets every message on a connection of its own") {
  DeliveryWorld world;
  ServerScript one_each;
  one_each.end_of_data = "250 2.0.0 queued\r\n<cut>";
  FakeSmtpServer& server = world.host(kHost1, {one_each});
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  world.options.max_connections_per_host = 1;
  const auto report = world.deliver(DeliveryWorld::job(kReceiver, 5 * kMaxRecipientsPerTransaction));
  for (const auto& outcome : report.recipients) CHECK(outcome.kind == Kind::Delivered);
  for (int i = 0; i < 6; ++i) world.start(DeliveryWorld::job());
  world.wait();
  for (const auto& each : world.reports) CHECK(each.recipients[0].kind == Kind::Delivered);
  CHECK(server.connections() == 11);
}

TEST_CASE("a server that ends TLS as soon as it is ready for mail is not connected to again and again") {
  DeliveryWorld world;
  ServerScript leaving;
  leaving.secured_ehlo = "250 mx.example\r\n<cut>";
  FakeSmtpServer& server = world.host(kHost1, {leaving});
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  const auto report = world.deliver(DeliveryWorld::job());
  CHECK(report.recipients[0].kind == Kind::Deferred);
  CHECK(report.recipients[0].status == "4.4.2");
  CHECK(server.connections() == 1);
}

TEST_CASE("a report gives the reason of its own domain, also over a connection that another domain opened") {
  DeliveryWorld world;
  FakeSmtpServer& server = world.host(kHost1);
  world.options.idle_timeout = Milliseconds(15'000);
  for (const std::string domain : {kReceiver, "other.example"}) {
    world.dns.mx(domain, Status::Insecure, {{10, kHost1}});
    CachedStsPolicy policy;
    policy.policy_id = "1";
    policy.policy = {StsMode::Enforce, 86'400, {kHost1}};
    policy.fetched = world.loop.wall_now();
    policy.expires = policy.fetched + Seconds(86'400);
    world.sts_cache.kept[domain] = policy;
  }
  CHECK_THAT(world.deliver(DeliveryWorld::job()).requirement_reason, Catch::Contains(kReceiver));
  CHECK_THAT(world.deliver(DeliveryWorld::job("other.example")).requirement_reason, Catch::Contains("other.example"));
  CHECK(server.connections() == 1);
}

TEST_CASE("recipients for which a transaction had no room go to the next host with the others when it is lost") {
  DeliveryWorld world;
  world.host(kHost1, {script([](ServerScript& s) {
               s.rcpt = {"250 2.1.5 ok\r\n", "452 4.5.3 too many\r\n"};
               s.data = kCut;
             })});
  FakeSmtpServer& second = world.host(kHost2);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}, {20, kHost2}});
  const auto report = world.deliver(DeliveryWorld::job(kReceiver, 3));
  for (const auto& outcome : report.recipients) CHECK(outcome.kind == Kind::Delivered);
  CHECK(second.messages().size() == 1);
}

TEST_CASE("a long queue does not keep a job with another requirement for the same host waiting to its end") {
  DeliveryWorld world;
  world.host(kHost1);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  world.dns.mx("strict.example", Status::Insecure, {{10, kHost1}});
  world.options.max_connections_per_host = 1;
  world.options.max_messages_per_connection = 2;
  for (int i = 0; i < 20; ++i) world.start(DeliveryWorld::job());
  auto strict = DeliveryWorld::job("strict.example");
  strict.demands.minimum = TlsLevel::Verified;
  world.start(std::move(strict));
  world.wait();
  const auto place =
      std::ranges::find(world.reports, std::string("pkix"), &DeliveryReport::tls_method) - world.reports.begin();
  CHECK(place < 10);
}

TEST_CASE("a plan for explain holds the hosts and every DNS fact") {
  DeliveryWorld world;
  world.host(kHost1);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  bool came = false;
  world.agent().plan(*DomainName::parse(kReceiver), {TlsLevel::Encrypted}, nullptr,
                     [&](const DestinationPlan& plan, const Answers& answers) {
                       came = true;
                       CHECK(plan.hosts.size() == 1);
                       CHECK(answers.known().contains({kReceiver, RecordType::MX}));
                       CHECK(answers.known().contains({kHost1, RecordType::A}));
                     });
  CHECK_FALSE(came);
  world.run_until([&] { return came; });
}

TEST_CASE(
    "a host whose certificate serves for TLS 1.2 alone gets mail on a second connection, with what it must prove") {
  DeliveryWorld world;
  FakeSmtpServer& host = world.host(kHost1, {ServerScript()}, Status::Secure);
  const auto now = std::chrono::time_point_cast<Milliseconds>(std::chrono::system_clock::now());
  test::CertificateSpec spec{kHost1, {kHost1}, now - std::chrono::hours(1), now + std::chrono::hours(24)};
  spec.key_kind = test::TestKeyKind::Rsa2048;
  spec.key_usage = "keyEncipherment";
  const auto certificate = test::issue(spec, world.authority);
  host.use(DeliveryWorld::server_context(certificate));
  world.dns.mx(kReceiver, Status::Secure, {{10, kHost1}});
  world.publish_tlsa(kHost1, certificate);
  const auto first = world.deliver(DeliveryWorld::job());
  CHECK(first.recipients[0].kind == Kind::Delivered);
  CHECK(first.proven == TlsLevel::Authenticated);
  CHECK(first.tls_summary.starts_with("TLSv1.2"));
  CHECK(host.connections() == 2);
  REQUIRE(first.tls_results.size() == 1);
  CHECK_FALSE(first.tls_results[0].failure);
}
