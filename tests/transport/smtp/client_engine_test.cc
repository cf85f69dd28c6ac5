#include "transport/smtp/client_engine.h"

#include <catch2/catch.hpp>

#include "tests/transport/smtp/fake_server.h"

using namespace waxwing;
using namespace waxwing::testing;
using Kind = SmtpFailure::Kind;
using Need = SmtpClientEngine::Need;

namespace {

constexpr std::string_view kLockstep = "250-mx.example\r\n250-SIZE 100000\r\n250 8BITMIME\r\n";

ServerScript lockstep() {
  ServerScript script;
  script.secured_ehlo = kLockstep;
  return script;
}

}  // namespace

TEST_CASE("a message is handed over in one pipelined group when the server allows it") {
  Conversation talk({}, GENERATE(Delivery::Whole, Delivery::ByteByByte));
  const auto outcome = talk.deliver(transaction_to(2), {"Subject: x\r\n\r\n.dot\r\n"});
  REQUIRE(outcome);
  CHECK_FALSE(outcome->recipients[0]);
  CHECK_FALSE(outcome->recipients[1]);
  CHECK(outcome->final_reply->str() == "250 2.0.0 queued as 1");
  CHECK(outcome->connection_usable);
  CHECK(talk.server.commands == std::vector<std::string>{"EHLO relay.example", "STARTTLS", "EHLO relay.example",
                                                         "MAIL FROM:<sender@client.example> SIZE=20",
                                                         "RCPT TO:<user0@receiver.example>",
                                                         "RCPT TO:<user1@receiver.example>", "DATA"});
  CHECK(talk.server.messages == std::vector<std::string>{"Subject: x\r\n\r\n..dot\r\n.\r\n"});
  talk.engine.quit(talk.now);
  talk.run();
  CHECK(talk.engine.need() == Need::Close);
  CHECK_FALSE(talk.engine.failure());
}

TEST_CASE("MAIL, RCPT and DATA leave together only when PIPELINING is offered inside TLS") {
  const bool pipelining = GENERATE(true, false);
  Conversation talk(pipelining ? ServerScript() : lockstep());
  talk.run();
  talk.engine.begin(transaction_to(2), talk.now);
  const std::string first = talk.engine.take_output();
  CHECK((first.find("DATA\r\n") != std::string::npos) == pipelining);
  CHECK((first.find("RCPT") != std::string::npos) == pipelining);
}

TEST_CASE("a server without PIPELINING gets one command at a time and the same outcome") {
  Conversation talk(lockstep(), GENERATE(Delivery::Whole, Delivery::ByteByByte));
  const auto outcome = talk.deliver(transaction_to(3), {"x\r\n"});
  REQUIRE(outcome);
  CHECK(outcome->connection_usable);
  CHECK(talk.server.messages.size() == 1);
}

TEST_CASE("nothing but EHLO and STARTTLS is ever sent before the handshake") {
  Conversation talk({});
  talk.run();
  CHECK(talk.handshakes == 1);
  CHECK(talk.server.commands == std::vector<std::string>{"EHLO relay.example", "STARTTLS", "EHLO relay.example"});
}

TEST_CASE("what counts is what the server offers inside TLS, not what it offered in clear") {
  ServerScript script = lockstep();
  script.ehlo = "250-mx.example\r\n250-PIPELINING\r\n250-SMTPUTF8\r\n250 STARTTLS\r\n";
  Conversation talk(script);
  talk.run();
  CHECK_FALSE(talk.engine.extensions().pipelining);
  CHECK_FALSE(talk.engine.extensions().smtputf8);
}

TEST_CASE("replies injected in clear after the leave for TLS are not read inside it") {
  ServerScript script = lockstep();
  script.starttls = "220 go\r\n250-injected.example\r\n250-PIPELINING\r\n250 SMTPUTF8\r\n";
  Conversation talk(script, GENERATE(Delivery::Whole, Delivery::ByteByByte));
  const auto outcome = talk.deliver(transaction_to(1), {"x\r\n"});
  REQUIRE(outcome);
  CHECK_FALSE(outcome->recipients[0]);
  CHECK_FALSE(talk.engine.extensions().smtputf8);
}

// TESTPLAN rows on faulty receivers: what becomes of one recipient when one reply is wrong.
namespace {

struct FaultRow {
  const char* name;
  void (*fault)(ServerScript&);
  enum class Verdict { Delivered, Deferred, OtherHost, TlsUnavailable, Permanent } verdict;
  const char* status;
};
using V = FaultRow::Verdict;

const FaultRow kFaults[] = {
    {"banner of many lines", [](ServerScript& s) { s.banner = "220-a\r\n220-b\r\n220 c\r\n"; }, V::Delivered, ""},
    {"banner 4xx", [](ServerScript& s) { s.banner = "450 4.3.2 later\r\n"; }, V::OtherHost, "4.3.2"},
    {"banner 5xx", [](ServerScript& s) { s.banner = "554 5.7.1 no service here\r\n"; }, V::OtherHost, "4.7.1"},
    {"banner 421", [](ServerScript& s) { s.banner = "421 4.7.0 busy\r\n"; }, V::OtherHost, "4.7.0"},
    {"banner preauth", [](ServerScript& s) { s.banner = "230 authenticated\r\n"; }, V::OtherHost, "4.5.0"},
    {"banner close", [](ServerScript& s) { s.banner = kCut; }, V::OtherHost, "4.4.2"},
    {"banner garbage", [](ServerScript& s) { s.banner = "SSH-2.0-x\r\n"; }, V::OtherHost, "4.5.0"},
    {"banner http", [](ServerScript& s) { s.banner = "HTTP/1.1 400 Bad\r\n"; }, V::OtherHost, "4.5.0"},
    {"banner endless",
     [](ServerScript& s) {
       s.banner.clear();
       while (s.banner.size() < 200'000) s.banner += "220-more\r\n";
     },
     V::OtherHost, "4.5.0"},
    {"banner long line", [](ServerScript& s) { s.banner = "220 " + std::string(100'000, 'x'); }, V::OtherHost, "4.5.0"},
    {"silent", [](ServerScript& s) { s.banner = ""; }, V::OtherHost, "4.4.2"},
    {"ehlo 4xx", [](ServerScript& s) { s.ehlo = "451 4.3.0 no\r\n"; }, V::OtherHost, "4.3.0"},
    {"ehlo 5xx", [](ServerScript& s) { s.ehlo = "502 5.5.1 no\r\n"; }, V::OtherHost, "4.5.1"},
    {"ehlo codes", [](ServerScript& s) { s.ehlo = "250-a\r\n550-b\r\n250 STARTTLS\r\n"; }, V::OtherHost, "4.5.0"},
    {"ehlo 221", [](ServerScript& s) { s.ehlo = "221 STARTTLS\r\n"; }, V::OtherHost, "4.5.0"},
    {"no STARTTLS", [](ServerScript& s) { s.ehlo = "250-a\r\n250 SIZE 100\r\n"; }, V::TlsUnavailable, "4.7.4"},
    {"STARTTLS only as greeting", [](ServerScript& s) { s.ehlo = "250 STARTTLS\r\n"; }, V::TlsUnavailable, "4.7.4"},
    {"starttls 4xx", [](ServerScript& s) { s.starttls = "454 4.7.0 no\r\n"; }, V::TlsUnavailable, "4.7.4"},
    {"starttls 5xx", [](ServerScript& s) { s.starttls = "554 5.7.3 no\r\n"; }, V::TlsUnavailable, "4.7.4"},
    {"starttls 250", [](ServerScript& s) { s.starttls = "250 ok\r\n"; }, V::OtherHost, "4.5.0"},
    {"starttls garbage", [](ServerScript& s) { s.starttls = "\x16\x03\x01\r\n"; }, V::OtherHost, "4.5.0"},
    {"starttls close", [](ServerScript& s) { s.starttls = kCut; }, V::OtherHost, "4.4.2"},
    {"starttls hang", [](ServerScript& s) { s.starttls = ""; }, V::OtherHost, "4.4.2"},
    {"STARTTLS again", [](ServerScript& s) { s.secured_ehlo = "250-a\r\n250 STARTTLS\r\n"; }, V::Delivered, ""},
    {"secured ehlo 5xx", [](ServerScript& s) { s.secured_ehlo = "554 5.7.1 go away\r\n"; }, V::OtherHost, "4.7.1"},
    {"mail 4xx", [](ServerScript& s) { s.mail = "451 4.7.1 greylisted\r\n"; }, V::Deferred, "4.7.1"},
    {"mail 5xx", [](ServerScript& s) { s.mail = "550 5.7.1 blocked\r\n"; }, V::Permanent, "5.7.1"},
    {"mail 5xx without enhanced code", [](ServerScript& s) { s.mail = "550 blocked\r\n"; }, V::Permanent, "5.0.0"},
    {"mail 221", [](ServerScript& s) { s.mail = "221 bye\r\n"; }, V::OtherHost, "4.5.0"},
    {"mail 354", [](ServerScript& s) { s.mail = "354 go\r\n"; }, V::OtherHost, "4.5.0"},
    {"mail 421", [](ServerScript& s) { s.mail = "421 4.7.0 bye\r\n<cut>"; }, V::OtherHost, "4.7.0"},
    {"mail drop", [](ServerScript& s) { s.mail = kCut; }, V::OtherHost, "4.4.2"},
    {"rcpt 4xx", [](ServerScript& s) { s.rcpt = {"450 4.2.1 later\r\n"}; }, V::Deferred, "4.2.1"},
    {"rcpt 421", [](ServerScript& s) { s.rcpt = {"421 4.3.2 bye\r\n"}; }, V::OtherHost, "4.3.2"},
    {"rcpt 5xx", [](ServerScript& s) { s.rcpt = {"550 5.1.1 unknown\r\n"}; }, V::Permanent, "5.1.1"},
    {"rcpt 552 mailbox full", [](ServerScript& s) { s.rcpt = {"552 5.2.2 full\r\n"}; }, V::Permanent, "5.2.2"},
    {"rcpt 354", [](ServerScript& s) { s.rcpt = {"354 go\r\n"}; }, V::OtherHost, "4.5.0"},
    {"rcpt 221", [](ServerScript& s) { s.rcpt = {"221 bye\r\n"}; }, V::OtherHost, "4.5.0"},
    {"rcpt 251", [](ServerScript& s) { s.rcpt = {"251 2.1.5 will forward\r\n"}; }, V::Delivered, ""},
    {"data 4xx", [](ServerScript& s) { s.data = "451 4.3.0 no\r\n"; }, V::Deferred, "4.3.0"},
    {"data 5xx", [](ServerScript& s) { s.data = "554 5.7.1 no\r\n"; }, V::Permanent, "5.7.1"},
    {"data 250", [](ServerScript& s) { s.data = "250 2.0.0 ok\r\n"; }, V::OtherHost, "4.5.0"},
    {"data drop", [](ServerScript& s) { s.data = kCut; }, V::OtherHost, "4.4.2"},
    {"early 4xx", [](ServerScript& s) { s.early = "451 4.3.1 full\r\n"; }, V::Deferred, "4.3.1"},
    {"early 5xx", [](ServerScript& s) { s.early = "552 5.3.4 big\r\n"; }, V::Permanent, "5.3.4"},
    {"early 250", [](ServerScript& s) { s.early = "250 2.0.0 ok\r\n"; }, V::OtherHost, "4.5.0"},
    {"drop in data", [](ServerScript& s) { s.early = kCut; }, V::OtherHost, "4.4.2"},
    {"final 4xx", [](ServerScript& s) { s.end_of_data = "451 4.3.0 no\r\n"; }, V::Deferred, "4.3.0"},
    {"final 5xx", [](ServerScript& s) { s.end_of_data = "550 5.7.1 spam\r\n"; }, V::Permanent, "5.7.1"},
    {"final 552", [](ServerScript& s) { s.end_of_data = "552 5.3.4 big\r\n"; }, V::Permanent, "5.3.4"},
    {"final hang", [](ServerScript& s) { s.end_of_data = ""; }, V::Deferred, "4.4.2"},
    {"final drop", [](ServerScript& s) { s.end_of_data = kCut; }, V::Deferred, "4.4.2"},
    {"final half", [](ServerScript& s) { s.end_of_data = "250 2.0.0 ok<cut>"; }, V::Deferred, "4.4.2"},
    {"final 221", [](ServerScript& s) { s.end_of_data = "221 2.0.0 bye\r\n"; }, V::Deferred, "4.5.0"},
    {"final 354", [](ServerScript& s) { s.end_of_data = "354 go\r\n"; }, V::Deferred, "4.5.0"},
    {"final code mismatch", [](ServerScript& s) { s.end_of_data = "250 5.7.1 no\r\n"; }, V::Deferred, "4.5.0"},
    {"final invalid code", [](ServerScript& s) { s.end_of_data = "999 ok\r\n"; }, V::Deferred, "4.5.0"},
    {"final garbage", [](ServerScript& s) { s.end_of_data = "250-ok\r\nnonsense\r\n250 ok\r\n"; }, V::Deferred,
     "4.5.0"},
    {"final mixed", [](ServerScript& s) { s.end_of_data = "250-ok\r\n550 no\r\n"; }, V::Deferred, "4.5.0"},
    {"final endless",
     [](ServerScript& s) {
       s.end_of_data.clear();
       while (s.end_of_data.size() < 100'000) s.end_of_data += "250-x\r\n";
     },
     V::Deferred, "4.5.0"},
    {"final 250 and close", [](ServerScript& s) { s.end_of_data = "250 2.0.0 ok\r\n<cut>"; }, V::Delivered, ""},
    {"final with bare LF", [](ServerScript& s) { s.end_of_data = "250 2.0.0 ok\n"; }, V::Delivered, ""},
    {"final with 8-bit text", [](ServerScript& s) { s.end_of_data = "250 2.0.0 \xff\xfe ok\x07\r\n"; }, V::Delivered,
     ""},
    {"final double", [](ServerScript& s) { s.end_of_data = "250 2.0.0 ok\r\n250 2.0.0 ok\r\n"; }, V::Delivered, ""},
    {"final 250 then octets", [](ServerScript& s) { s.end_of_data = "250 2.0.0 ok\r\n\x01\x02 x"; }, V::Delivered, ""},
};

V verdict_of(const Conversation& talk, const std::optional<SmtpTransactionOutcome>& outcome, std::string& status) {
  if (outcome && !outcome->recipients[0]) return V::Delivered;
  const SmtpFailure failure = outcome ? *outcome->recipients[0] : *talk.engine.failure();
  status = failure.status;
  if (failure.kind == Kind::TlsUnavailable) return V::TlsUnavailable;
  if (failure.kind == Kind::Permanent) return V::Permanent;
  return failure.try_other_host ? V::OtherHost : V::Deferred;
}

}  // namespace

TEST_CASE("each fault of a server has its one outcome, pipelined or not, however the octets come") {
  for (const FaultRow& row : kFaults) {
    for (const bool pipelining : {true, false}) {
      for (const Delivery how : {Delivery::Whole, Delivery::ByteByByte}) {
        CAPTURE(row.name, pipelining, how == Delivery::Whole);
        ServerScript script = pipelining ? ServerScript() : lockstep();
        row.fault(script);
        Conversation talk(script, how);
        const auto outcome = talk.deliver(transaction_to(1), {"Subject: x\r\n\r\n", "body\r\n"});
        std::string status;
        REQUIRE((outcome || talk.engine.failure()));
        CHECK(verdict_of(talk, outcome, status) == row.verdict);
        CHECK(status == row.status);
        CHECK(talk.server.messages.size() <= 1);
        const bool usable = outcome && outcome->connection_usable;
        CHECK((talk.engine.need() == (usable ? Need::Transaction : Need::Close)));
      }
    }
  }
}

TEST_CASE("each recipient has the fate that its own reply gave it") {
  ServerScript script = GENERATE(ServerScript(), lockstep());
  script.rcpt = {"250 2.1.5 ok\r\n", "550 5.1.1 unknown\r\n", "450 4.2.1 later\r\n", "250 2.1.5 ok\r\n"};
  Conversation talk(script);
  const auto outcome = talk.deliver(transaction_to(4), {"x\r\n"});
  REQUIRE(outcome);
  CHECK_FALSE(outcome->recipients[0]);
  CHECK(outcome->recipients[1]->kind == Kind::Permanent);
  CHECK(outcome->recipients[2]->kind == Kind::Temporary);
  CHECK_FALSE(outcome->recipients[3]);
  CHECK(talk.server.messages.size() == 1);
}

TEST_CASE("a recipient that was refused for good stays refused when the connection is lost afterwards") {
  ServerScript script;
  script.rcpt = {"550 5.1.1 unknown\r\n", "250 2.1.5 ok\r\n"};
  script.end_of_data = kCut;
  Conversation talk(script);
  const auto outcome = talk.deliver(transaction_to(2), {"x\r\n"});
  REQUIRE(outcome);
  CHECK(outcome->recipients[0]->status == "5.1.1");
  CHECK(outcome->recipients[1]->status == "4.4.2");
  CHECK_THAT(outcome->recipients[1]->detail, Catch::Contains("may be sent more than once"));
  CHECK_FALSE(outcome->recipients[1]->try_other_host);
}

TEST_CASE("data that a server opens with no recipient accepted is closed by a lone dot and delivers nothing") {
  ServerScript script;
  script.rcpt = {"550 5.1.1 unknown\r\n"};
  Conversation talk(script);
  const auto outcome = talk.deliver(transaction_to(2), {"x\r\n"});
  REQUIRE(outcome);
  CHECK(outcome->recipients[0]->kind == Kind::Permanent);
  CHECK(outcome->recipients[1]->kind == Kind::Permanent);
  CHECK(talk.server.messages == std::vector<std::string>{".\r\n"});
  CHECK(outcome->connection_usable);
  CHECK(talk.engine.need() == Need::Transaction);
}

TEST_CASE("the replies to a pipelined group are all consumed when MAIL was refused") {
  ServerScript script;
  script.mail = "550 5.7.1 no\r\n";
  script.rcpt = {"503 5.5.1 need MAIL\r\n"};
  script.data = "503 5.5.1 need RCPT\r\n";
  Conversation talk(script);
  const auto outcome = talk.deliver(transaction_to(3), {"x\r\n"});
  REQUIRE(outcome);
  for (const auto& recipient : outcome->recipients) CHECK(recipient->status == "5.7.1");
  CHECK(outcome->connection_usable);
  CHECK(talk.engine.need() == Need::Transaction);
}

TEST_CASE("RSET goes before a transaction only when the one before it failed") {
  ServerScript script = GENERATE(ServerScript(), lockstep());
  SECTION("not after success") {
    Conversation talk(script);
    REQUIRE(talk.deliver(transaction_to(1), {"x\r\n"}));
    REQUIRE(talk.deliver(transaction_to(1), {"y\r\n"}));
    CHECK(talk.server.messages.size() == 2);
    CHECK(std::count(talk.server.commands.begin(), talk.server.commands.end(), "RSET") == 0);
  }
  SECTION("after a refusal") {
    script.rcpt = {"550 5.1.1 unknown\r\n"};
    script.data = "503 5.5.1 no recipients\r\n";
    Conversation talk(script);
    REQUIRE(talk.deliver(transaction_to(1), {"x\r\n"}));
    const auto second = talk.deliver(transaction_to(1), {"y\r\n"});
    REQUIRE(second);
    CHECK(second->recipients[0]->status == "5.1.1");
    CHECK(std::count(talk.server.commands.begin(), talk.server.commands.end(), "RSET") == 1);
  }
  SECTION("and its refusal ends the connection") {
    script.rcpt = {"550 5.1.1 unknown\r\n"};
    script.data = "503 5.5.1 no recipients\r\n";
    script.rset = "500 5.5.1 what?\r\n";
    Conversation talk(script);
    REQUIRE(talk.deliver(transaction_to(1), {"x\r\n"}));
    const auto second = talk.deliver(transaction_to(1), {"y\r\n"});
    REQUIRE(second);
    CHECK(second->recipients[0]->kind == Kind::Temporary);
    CHECK(second->recipients[0]->try_other_host);
    CHECK(talk.engine.need() == Need::Close);
  }
}

TEST_CASE("many transactions follow each other on one connection") {
  Conversation talk({});
  for (int i = 0; i < 100; ++i) {
    const auto outcome = talk.deliver(transaction_to(1), {"x\r\n"});
    REQUIRE(outcome);
    REQUIRE_FALSE(outcome->recipients[0]);
  }
  CHECK(talk.server.messages.size() == 100);
  CHECK(talk.handshakes == 1);
}

TEST_CASE("a server that is full of recipients makes the rest temporary, and the accepted ones are delivered") {
  ServerScript script = GENERATE(ServerScript(), lockstep());
  const std::string full =
      GENERATE(as<std::string>{}, "452 4.5.3 too many\r\n", "552 too many\r\n", "552 5.5.3 too many\r\n");
  script.rcpt = {"250 2.1.5 ok\r\n", "250 2.1.5 ok\r\n", full};
  Conversation talk(script);
  const auto outcome = talk.deliver(transaction_to(5), {"x\r\n"});
  REQUIRE(outcome);
  CHECK_FALSE(outcome->recipients[0]);
  CHECK_FALSE(outcome->recipients[1]);
  for (std::size_t i = 2; i < 5; ++i) {
    CHECK(outcome->recipients[i]->kind == Kind::Temporary);
    CHECK(outcome->recipients[i]->status == "4.5.3");
  }
}

TEST_CASE("what the server cannot carry is refused before MAIL and leaves the connection usable") {
  struct Row {
    std::string ehlo;
    std::uint64_t size;
    bool needs_8bit, needs_smtputf8;
    std::string status;
  };
  const auto row = GENERATE(values<Row>({{"250-mx\r\n250 SIZE 1000\r\n", 1'001, false, false, "5.3.4"},
                                         {"250-mx\r\n250 SIZE 1000\r\n", 10, true, false, "5.6.3"},
                                         {"250-mx\r\n250 8BITMIME\r\n", 10, true, true, "5.6.7"}}));
  ServerScript script;
  script.secured_ehlo = row.ehlo;
  Conversation talk(script);
  SmtpTransaction transaction = transaction_to(2);
  transaction.size_octets = row.size;
  transaction.needs_8bit = row.needs_8bit;
  transaction.needs_smtputf8 = row.needs_smtputf8;
  const auto outcome = talk.deliver(transaction, {"x\r\n"});
  REQUIRE(outcome);
  for (const auto& recipient : outcome->recipients) {
    CHECK(recipient->kind == Kind::Permanent);
    CHECK(recipient->status == row.status);
    CHECK_FALSE(recipient->reply);
  }
  CHECK(outcome->connection_usable);
  CHECK(talk.server.commands.back() == "EHLO relay.example");
  const auto next = talk.deliver(transaction_to(1), {"x\r\n"});
  REQUIRE(next);
  CHECK_FALSE(next->recipients[0]);
}

TEST_CASE("a message of exactly the size limit goes") {
  ServerScript script;
  script.secured_ehlo = "250-mx\r\n250 SIZE 1000\r\n";
  Conversation talk(script);
  SmtpTransaction transaction = transaction_to(1);
  transaction.size_octets = 1'000;
  CHECK_FALSE(talk.deliver(transaction, {"x\r\n"})->recipients[0]);
}

TEST_CASE("content with a bare CR or LF ends the connection before the server can see an end of data") {
  const std::string bad = GENERATE(as<std::string>{}, "a\nb\r\n", "a\rb\r\n", "a\r\n.\n", "a\r");
  Conversation talk({});
  const auto outcome = talk.deliver(transaction_to(1), {"good\r\n", bad});
  REQUIRE(outcome);
  CHECK(outcome->recipients[0]->kind == Kind::Permanent);
  CHECK(outcome->recipients[0]->status == "5.6.0");
  CHECK_FALSE(outcome->connection_usable);
  CHECK(talk.engine.need() == Need::Close);
  CHECK(talk.server.messages.empty());
}

TEST_CASE("content that cannot be read any more is never completed") {
  Conversation talk({});
  talk.run();
  talk.engine.begin(transaction_to(1), talk.now);
  talk.run();
  REQUIRE(talk.engine.need() == Need::Content);
  talk.engine.give_content("half\r\n", talk.now);
  talk.engine.abandon_content("the spool file is gone", talk.now);
  CHECK(talk.engine.take_outcome().recipients[0]->status == "4.3.0");
  CHECK(talk.engine.need() == Need::Close);
}

TEST_CASE("a reply that comes before its command is not taken for its answer") {
  ServerScript script = lockstep();
  script.mail = "250 2.1.0 ok\r\n250 2.1.5 and the next too\r\n";
  Conversation talk(script);
  const auto outcome = talk.deliver(transaction_to(1), {"x\r\n"});
  REQUIRE(outcome);
  CHECK(outcome->recipients[0]->status == "4.5.0");
  CHECK_THAT(outcome->recipients[0]->detail, Catch::Contains("before its command"));
}

TEST_CASE("half a reply that lies there before a transaction begins still gives it an outcome") {
  Conversation talk({});
  talk.run();
  REQUIRE(talk.engine.need() == Need::Transaction);
  talk.engine.on_bytes("4", talk.now);
  REQUIRE(talk.engine.need() == Need::Transaction);
  talk.engine.begin(transaction_to(1), talk.now);
  REQUIRE(talk.engine.need() == Need::Outcome);
  const auto outcome = talk.engine.take_outcome();
  CHECK(outcome.recipients.at(0)->kind == SmtpFailure::Kind::Temporary);
  CHECK_FALSE(outcome.connection_usable);
}

TEST_CASE("an idle connection on which the server speaks or hangs up is not used again") {
  Conversation talk({});
  talk.run();
  REQUIRE(talk.engine.need() == Need::Transaction);
  CHECK(talk.engine.expiry() == MonotonicTime::max());
  SECTION("by 421") {
    talk.engine.on_bytes("421 4.4.2 idle too long\r\n", talk.now);
    CHECK(talk.engine.failure()->status == "4.4.2");
  }
  SECTION("by anything else") {
    talk.engine.on_bytes("250 hello?\r\n", talk.now);
    CHECK(talk.engine.failure()->status == "4.5.0");
  }
  SECTION("by closing") {
    talk.engine.on_closed("reset", talk.now);
  }
  CHECK(talk.engine.need() == Need::Close);
}

TEST_CASE("a handshake that fails is temporary and lets another host be tried") {
  Conversation talk({});
  while (talk.engine.need() != Need::TlsHandshake) talk.move_octets();
  std::string status;
  SECTION("by the certificate") {
    status = "4.7.5";
    talk.engine.on_tls_failure(status, "certificate does not match");
  }
  SECTION("by an alert") {
    status = "4.7.0";
    talk.engine.on_tls_failure(status, "the peer ended TLS");
  }
  SECTION("by a cut") {
    status = "4.4.2";
    talk.engine.on_closed("hung up", talk.now);
  }
  REQUIRE(talk.engine.failure());
  CHECK(talk.engine.failure()->kind == Kind::Temporary);
  CHECK(talk.engine.failure()->status == status);
  CHECK(talk.engine.failure()->try_other_host);
}

TEST_CASE("a slow server does not move its deadline by sending an octet now and then") {
  ServerScript script;
  script.banner = "";
  Conversation talk(script);
  const MonotonicTime deadline = talk.engine.expiry();
  talk.engine.on_bytes("2", talk.now + Milliseconds{250'000});
  CHECK(talk.engine.expiry() == deadline);
  talk.engine.on_expiry(deadline - Milliseconds{1});
  CHECK(talk.engine.need() == Need::Bytes);
  talk.engine.on_expiry(deadline);
  CHECK(talk.engine.need() == Need::Close);
}

TEST_CASE("a server may say anything or nothing to QUIT") {
  ServerScript script;
  script.quit = GENERATE(as<std::string>{}, "221 bye\r\n", "", "500 what?\r\n", "garbage\r\n", "<cut>");
  Conversation talk(script);
  talk.run();
  talk.engine.quit(talk.now);
  talk.run();
  CHECK(talk.engine.need() == Need::Close);
  CHECK_FALSE(talk.engine.failure());
}

TEST_CASE("REQUIRETLS is said to a server that offers it inside TLS, and to no other") {
  const bool offered = GENERATE(true, false);
  ServerScript script = lockstep();
  script.ehlo = "250-mx.example\r\n250-REQUIRETLS\r\n250 STARTTLS\r\n";
  if (offered) script.secured_ehlo = "250-mx.example\r\n250 REQUIRETLS\r\n";
  Conversation talk(script);
  SmtpTransaction transaction = transaction_to(1);
  transaction.require_tls = true;
  SECTION("a message with a reverse-path goes back to be tried elsewhere") {
    const auto outcome = talk.deliver(transaction, {"x\r\n"});
    REQUIRE(outcome);
    CHECK(outcome->connection_usable);
    if (offered) {
      CHECK_FALSE(outcome->recipients[0]);
      CHECK(talk.server.commands[3] == "MAIL FROM:<sender@client.example> REQUIRETLS");
    } else {
      REQUIRE(outcome->recipients[0]);
      CHECK(outcome->recipients[0]->kind == Kind::Permanent);
      CHECK(outcome->recipients[0]->status == "5.7.30");
      CHECK(outcome->recipients[0]->try_other_host);
      CHECK(talk.server.commands.size() == 3);
    }
  }
  SECTION("a bounce goes all the same") {
    transaction.reverse_path.reset();
    const auto outcome = talk.deliver(transaction, {"x\r\n"});
    REQUIRE(outcome);
    CHECK_FALSE(outcome->recipients[0]);
    CHECK(talk.server.commands[3] == (offered ? "MAIL FROM:<> REQUIRETLS" : "MAIL FROM:<> SIZE=20"));
  }
}

TEST_CASE("a handshake that does not end is given up sooner than a reply that does not come") {
  Conversation talk({});
  talk.engine.on_bytes("220 mx.example\r\n", talk.now);
  talk.engine.on_bytes("250-mx.example\r\n250 STARTTLS\r\n", talk.now);
  talk.engine.on_bytes("220 go\r\n", talk.now);
  REQUIRE(talk.engine.need() == Need::TlsHandshake);
  CHECK(talk.engine.expiry() == talk.now + Milliseconds(60'000));
  talk.engine.on_expiry(talk.engine.expiry());
  REQUIRE(talk.engine.failure());
  CHECK(talk.engine.failure()->status == "4.4.2");
  CHECK_THAT(talk.engine.failure()->detail, Catch::Contains("TLS handshake"));
}

namespace {

ServerScript chunking(std::string more = {}) {
  ServerScript script;
  script.secured_ehlo = "250-mx.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-CHUNKING\r\n" + more + "250 SIZE\r\n";
  return script;
}

}  // namespace

TEST_CASE("where CHUNKING is offered the content goes as one chunk, as it is, once a recipient is accepted") {
  Conversation talk(chunking(), GENERATE(Delivery::Whole, Delivery::ByteByByte));
  SmtpTransaction transaction = transaction_to(2);
  transaction.needs_8bit = true;
  const auto outcome = talk.deliver(transaction, {".dot\r\n..\r\n", "\xc3\xa4 end", "\r\n\r\n"});
  REQUIRE(outcome);
  CHECK_FALSE(outcome->recipients[0]);
  CHECK_FALSE(outcome->recipients[1]);
  CHECK(outcome->connection_usable);
  CHECK(talk.server.commands[3] == "MAIL FROM:<sender@client.example> SIZE=20 BODY=8BITMIME");
  CHECK(talk.server.commands.back() == "BDAT 20 LAST");
  CHECK(talk.server.messages == std::vector<std::string>{".dot\r\n..\r\n\xc3\xa4 end\r\n\r\n"});
}

TEST_CASE("no chunk is sent when no recipient is accepted") {
  ServerScript script = chunking();
  script.rcpt = {"550 5.1.1 unknown\r\n"};
  Conversation talk(script);
  const auto outcome = talk.deliver(transaction_to(2), {"x\r\n"});
  REQUIRE(outcome);
  CHECK(outcome->recipients[0]->status == "5.1.1");
  CHECK(outcome->connection_usable);
  CHECK(talk.server.commands.back() == "RCPT TO:<user1@receiver.example>");
}

TEST_CASE("content that is not as long as was said ends the connection, and the server sees no end of it") {
  const std::vector<std::string> content = GENERATE(values<std::vector<std::string>>(
      {{"123456789012345678901234567890\r\n"}, {"123456789012345678\r\n", "more\r\n"}, {"short\r\n"}}));
  Conversation talk(chunking());
  const auto outcome = talk.deliver(transaction_to(1), content);
  REQUIRE(outcome);
  CHECK(outcome->recipients[0]->kind == Kind::Temporary);
  CHECK(outcome->recipients[0]->status == "4.3.0");
  CHECK_FALSE(outcome->connection_usable);
  CHECK(talk.server.messages.empty());
}

TEST_CASE("a bare line feed does not go by BDAT either") {
  Conversation talk(chunking());
  const auto outcome = talk.deliver(transaction_to(1), {"12345678\n.\r\n1234567890"});
  REQUIRE(outcome);
  CHECK(outcome->recipients[0]->status == "5.6.0");
  CHECK(talk.server.messages.empty());
}

TEST_CASE("the answer to a chunk is the verdict on the message") {
  const auto [reply, kind, status] =
      GENERATE(table<std::string, Kind, std::string>({{"451 4.3.0 later\r\n", Kind::Temporary, "4.3.0"},
                                                      {"554 5.6.0 unwanted\r\n", Kind::Permanent, "5.6.0"},
                                                      {"354 more\r\n", Kind::Temporary, "4.5.0"},
                                                      {"250 2.0.0 ok<cut>", Kind::Temporary, "4.4.2"},
                                                      {"", Kind::Temporary, "4.4.2"}}));
  ServerScript script = chunking();
  script.end_of_data = reply;
  Conversation talk(script);
  const auto outcome = talk.deliver(transaction_to(1), {"123456789012345678\r\n"});
  REQUIRE(outcome);
  REQUIRE(outcome->recipients[0]);
  CHECK(outcome->recipients[0]->kind == kind);
  CHECK(outcome->recipients[0]->status == status);
  CHECK_FALSE(outcome->chunking_unknown);
}

TEST_CASE("a server that offers CHUNKING and does not know BDAT is told apart, and DATA may be used with it") {
  ServerScript script = chunking();
  script.bdat = "502 5.5.1 what?\r\n";
  Conversation talk(script);
  const auto outcome = talk.deliver(transaction_to(1), {"123456789012345678\r\n"});
  REQUIRE(outcome);
  CHECK(outcome->chunking_unknown);
  CHECK_FALSE(outcome->connection_usable);

  Conversation again(script);
  SmtpTransaction transaction = transaction_to(1);
  transaction.may_chunk = false;
  const auto by_data = again.deliver(transaction, {"x\r\n"});
  REQUIRE(by_data);
  CHECK_FALSE(by_data->recipients[0]);
  CHECK_FALSE(by_data->chunking_unknown);
}

TEST_CASE("no more recipients are asked for than RCPTMAX says") {
  Conversation talk(chunking("250-LIMITS RCPTMAX=2 MAILMAX=9\r\n"));
  const auto outcome = talk.deliver(transaction_to(5), {"123456789012345678\r\n"});
  REQUIRE(outcome);
  if (outcome->recipients[0]) WARN(outcome->recipients[0]->detail);
  CHECK_FALSE(outcome->recipients[0]);
  CHECK_FALSE(outcome->recipients[1]);
  for (std::size_t i = 2; i < 5; ++i) CHECK(outcome->recipients[i]->not_asked);
  CHECK(talk.server.commands.size() == 7);
  CHECK(outcome->connection_usable);
}

TEST_CASE("a time limit is handed on with what is left of it") {
  ServerScript script = lockstep();
  script.secured_ehlo = "250-mx.example\r\n250 DELIVERBY 30,X-OTHER\r\n";
  Conversation talk(script);
  SmtpTransaction transaction = transaction_to(1);
  transaction.by = ByValue{Seconds(98), GENERATE(ByMode::Return, ByMode::Notify), true};
  const auto outcome = talk.deliver(transaction, {"x\r\n"});
  REQUIRE(outcome);
  CHECK(outcome->deliver_by_passed_on);
  CHECK(talk.server.commands[3] == "MAIL FROM:<sender@client.example> BY=" + transaction.by->str());
}

TEST_CASE("a message that is to come back in time is not given to who would not know of it, or not have enough") {
  const auto [offer, left, status] =
      GENERATE(table<std::string_view, Seconds, std::string_view>({{"250 8BITMIME\r\n", Seconds(600), "5.3.3"},
                                                                   {"250 DELIVERBY 601\r\n", Seconds(600), "5.4.7"},
                                                                   {"250 DELIVERBY\r\n", Seconds(0), "5.4.7"},
                                                                   {"250 DELIVERBY 600\r\n", Seconds(600), ""},
                                                                   {"250 DELIVERBY x\r\n", Seconds(600), ""}}));
  ServerScript script = lockstep();
  const std::string ehlo = "250-mx.example\r\n" + std::string(offer);
  script.secured_ehlo = ehlo;
  Conversation talk(script);
  SmtpTransaction transaction = transaction_to(1);
  transaction.by = ByValue{left, ByMode::Return, false};
  const auto outcome = talk.deliver(transaction, {"x\r\n"});
  REQUIRE(outcome);
  CHECK(outcome->connection_usable);
  CHECK(outcome->recipients[0].has_value() == !status.empty());
  if (status.empty()) return;
  CHECK(outcome->recipients[0]->kind == Kind::Permanent);
  CHECK(outcome->recipients[0]->status == status);
  CHECK_FALSE(outcome->recipients[0]->try_other_host);
}

TEST_CASE("who does not know of a time limit is asked to tell of delays") {
  ServerScript script = lockstep();
  script.secured_ehlo = "250-mx.example\r\n250 DSN\r\n";
  Conversation talk(script);
  SmtpTransaction transaction = transaction_to(3);
  transaction.by = ByValue{Seconds(600), ByMode::Notify, false};
  transaction.notices = {{}, {NotifyWish{true, false, false}, ""}, {NotifyWish{}, ""}};
  const auto outcome = talk.deliver(transaction, {"x\r\n"});
  REQUIRE(outcome);
  CHECK_FALSE(outcome->deliver_by_passed_on);
  CHECK(talk.server.commands[4].ends_with(" NOTIFY=FAILURE,DELAY"));
  CHECK(talk.server.commands[5].ends_with(" NOTIFY=SUCCESS,DELAY"));
  CHECK(talk.server.commands[6].ends_with(" NOTIFY=NEVER"));
}
