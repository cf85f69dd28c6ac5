// What hosts can carry, by what they offer: size, chunks, recipients at once, transactions in one session.

#include "tests/transport/delivery/delivery_world.h"

using namespace waxwing;
using namespace waxwing::testing;
using Status = Answer::Status;
using Kind = RecipientOutcome::Kind;

namespace {

ServerScript offering(const std::string& lines) {
  ServerScript script;
  script.secured_ehlo = "250-mx.example\r\n" + lines + "250 PIPELINING\r\n";
  return script;
}

}  // namespace

TEST_CASE("a message that is too large for one host goes to the next that takes it, without MAIL to the first") {
  DeliveryWorld world;
  FakeSmtpServer& small = world.host(kHost1, {offering("250-SIZE 10\r\n")});
  FakeSmtpServer& large = world.host(kHost2);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}, {20, kHost2}});
  CHECK(world.deliver(DeliveryWorld::job()).recipients[0].kind == Kind::Delivered);
  CHECK(small.count("MAIL") == 0);
  CHECK(large.messages().size() == 1);
}

TEST_CASE("a message that is too large for every host is returned at once, and one that is down could still take it") {
  const bool other_is_down = GENERATE(true, false);
  DeliveryWorld world;
  world.host(kHost1, {offering("250-SIZE 10\r\n")});
  ServerScript other = offering("250-SIZE 12\r\n");
  if (other_is_down) other.banner = "421 4.3.2 down\r\n";
  world.host(kHost2, {other});
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}, {20, kHost2}});
  const auto report = world.deliver(DeliveryWorld::job());
  CHECK(report.recipients[0].kind == (other_is_down ? Kind::Deferred : Kind::Bounced));
  CHECK(report.recipients[0].status == (other_is_down ? "4.3.2" : "5.3.4"));
}

TEST_CASE("8-bit content goes to the next host when the first does not offer 8BITMIME") {
  DeliveryWorld world;
  FakeSmtpServer& first = world.host(kHost1, {offering("")});
  FakeSmtpServer& second = world.host(kHost2);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}, {20, kHost2}});
  DeliveryJob job = DeliveryWorld::job();
  job.needs_8bit = true;
  CHECK(world.deliver(std::move(job)).recipients[0].kind == Kind::Delivered);
  CHECK(first.messages().empty());
  CHECK(second.messages().size() == 1);
}

TEST_CASE("recipients beyond RCPTMAX follow at once in transactions of their own, over the same connection") {
  DeliveryWorld world;
  FakeSmtpServer& server = world.host(kHost1, {offering("250-LIMITS RCPTMAX=2\r\n")});
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  const auto report = world.deliver(DeliveryWorld::job(kReceiver, 5));
  for (const auto& outcome : report.recipients) CHECK(outcome.kind == Kind::Delivered);
  CHECK(server.messages().size() == 3);
  CHECK(server.count("RCPT") == 5);
  CHECK(server.connections() == 1);
}

TEST_CASE("recipients that were not asked for are asked for although all others were refused") {
  DeliveryWorld world;
  ServerScript script = offering("250-LIMITS RCPTMAX=1\r\n");
  script.rcpt = {"550 5.1.1 unknown\r\n"};
  FakeSmtpServer& server = world.host(kHost1, {script});
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  const auto report = world.deliver(DeliveryWorld::job(kReceiver, 3));
  for (const auto& outcome : report.recipients) CHECK(outcome.status == "5.1.1");
  CHECK(server.count("RCPT") == 3);
}

TEST_CASE("a connection ends after as many transactions as MAILMAX or RCPTDOMAINMAX says") {
  const std::string limit = GENERATE("MAILMAX=2", "RCPTDOMAINMAX=2");
  DeliveryWorld world;
  FakeSmtpServer& server = world.host(kHost1, {offering("250-LIMITS RCPTMAX=1 " + limit + "\r\n")});
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  world.options.max_connections_per_host = 1;
  const auto report = world.deliver(DeliveryWorld::job(kReceiver, 5));
  for (const auto& outcome : report.recipients) CHECK(outcome.kind == Kind::Delivered);
  CHECK(server.messages().size() == 5);
  CHECK(server.connections() == 3);
  CHECK(server.count("QUIT") >= 2);
}

TEST_CASE("content goes by BDAT where CHUNKING is offered, in one piece and unchanged") {
  DeliveryWorld world;
  FakeSmtpServer& server = world.host(kHost1, {offering("250-CHUNKING\r\n")});
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  std::string content = "Subject: x\r\n\r\n";
  while (content.size() < 1'000'000) content += ".a line that begins with a dot\r\n";
  const auto report = world.deliver(DeliveryWorld::job(kReceiver, 1, content));
  CHECK(report.recipients[0].kind == Kind::Delivered);
  CHECK(server.count("DATA") == 0);
  REQUIRE(server.messages().size() == 1);
  CHECK((server.messages()[0] == content));
}

TEST_CASE("a host that offers CHUNKING and does not know BDAT gets the message by DATA at once, and once") {
  DeliveryWorld world;
  ServerScript script = offering("250-CHUNKING\r\n");
  script.bdat = "500 5.5.1 what?\r\n";
  FakeSmtpServer& server = world.host(kHost1, {script});
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  CHECK(world.deliver(DeliveryWorld::job()).recipients[0].kind == Kind::Delivered);
  CHECK(server.messages().size() == 1);
  CHECK(server.connections() == 2);
}
