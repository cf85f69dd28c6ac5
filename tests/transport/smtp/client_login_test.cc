#include <catch2/catch.hpp>

#include "policy/base64.h"
#include "tests/transport/smtp/fake_server.h"
#include "transport/smtp/client_engine.h"

using namespace waxwing;
using namespace waxwing::testing;
using Kind = SmtpFailure::Kind;
using Need = SmtpClientEngine::Need;

namespace {

std::shared_ptr<const SmtpLogin> login(std::string_view user, std::string_view password) {
  return std::make_shared<const SmtpLogin>(SmtpLogin{std::string(user), Secret(password)});
}

// A server that offers mechanisms and says these replies to AUTH and to each response.
ServerScript offering(const std::string& mechanisms, std::vector<std::string> replies) {
  ServerScript script;
  script.secured_ehlo = "250-mx.example\r\n250-PIPELINING\r\n250 AUTH " + mechanisms + "\r\n";
  script.auth = std::move(replies);
  return script;
}

Conversation conversation(ServerScript script, std::shared_ptr<const SmtpLogin> as = login("user", "pencil")) {
  Conversation talk(std::move(script), GENERATE(Delivery::Whole, Delivery::ByteByByte));
  talk.login = SmtpClientEngine::LoginAttempt{std::move(as), "rOprNGfwEbeRWgbNEkqO"};
  return talk;
}

std::vector<std::string> after_ehlo(const FakeServer& server) {
  return {server.commands.begin() + 3, server.commands.end()};
}

// RFC 7677 §3.
const std::string kServerFirst =
    "334 " + encode_base64("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096") +
    "\r\n";
const std::string kServerFinal = "334 " + encode_base64("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=") + "\r\n";
const std::string kSuccess = "235 2.7.0 welcome\r\n";

}  // namespace

TEST_CASE("PLAIN is said in one line, and mail follows its success") {
  Conversation talk = conversation(offering("LOGIN PLAIN", {kSuccess}));
  const auto outcome = talk.deliver(transaction_to(1), {"x\r\n"});
  REQUIRE(outcome);
  CHECK_FALSE(outcome->recipients[0]);
  CHECK(talk.server.commands[3] == "AUTH PLAIN " + encode_base64(std::string_view("\0user\0pencil", 12)));
  CHECK(talk.server.commands[4] == "MAIL FROM:<sender@client.example>");  // without AUTH=
}

TEST_CASE("LOGIN says user and password in this order whatever the words of the challenges") {
  Conversation talk = conversation(offering("LOGIN", {"334 UGFzc3dvcmQ6\r\n", "334 VXNlcm5hbWU6\r\n", kSuccess}));
  talk.run();
  CHECK(talk.engine.need() == Need::Transaction);
  CHECK(after_ehlo(talk.server) ==
        std::vector<std::string>{"AUTH LOGIN", encode_base64("user"), encode_base64("pencil")});
}

TEST_CASE("SCRAM-SHA-256 goes before mechanisms that say the password, and the server must prove itself") {
  Conversation talk = conversation(offering("PLAIN SCRAM-SHA-256", {kServerFirst, kServerFinal, kSuccess}));
  talk.run();
  CHECK(talk.engine.need() == Need::Transaction);
  const auto said = after_ehlo(talk.server);
  REQUIRE(said.size() == 3);
  CHECK(said[0] == "AUTH SCRAM-SHA-256 " + encode_base64("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"));
  CHECK(said[1] == encode_base64("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                                 "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="));
  CHECK(said[2].empty());
}

TEST_CASE("a password that SASLprep would change is not said by SCRAM") {
  Conversation talk = conversation(offering("SCRAM-SHA-256 PLAIN", {kSuccess}), login("user", "Schl\xc3\xbcssel"));
  talk.run();
  CHECK(talk.server.commands.back().starts_with("AUTH PLAIN "));
}

TEST_CASE("a refused login ends the connection without bouncing anything") {
  Conversation talk = conversation(offering("PLAIN", {"535 5.7.8 wrong\r\n"}));
  talk.run();
  CHECK(talk.engine.need() == Need::Close);
  REQUIRE(talk.engine.failure());
  CHECK(talk.engine.failure()->kind == Kind::LoginRefused);
  CHECK(talk.engine.failure()->status == "4.7.8");
  CHECK(talk.engine.failure()->stage == DeliveryStage::Login);
  CHECK(talk.engine.failure()->try_other_host);
  CHECK(talk.engine.failure()->detail == "it refused the login of \"user\" by PLAIN: \"535 5.7.8 wrong\"");
  CHECK(talk.server.commands.back().starts_with("AUTH"));
}

TEST_CASE("no answer to AUTH but the right one leads to mail") {
  struct Row {
    const char* what;
    const char* mechanisms;
    std::vector<std::string> replies;
    Kind kind;
    const char* words;
  };
  const Row rows[] = {
      {"temporary failure", "PLAIN", {"454 4.7.0 later\r\n"}, Kind::LoginRefused, "later"},
      {"another positive code", "PLAIN", {"250 2.0.0 ok\r\n"}, Kind::Temporary, "it answered AUTH with"},
      {"a challenge after all was said", "PLAIN", {"334 \r\n"}, Kind::LoginRefused, "more than the mechanism"},
      {"success before the password was said", "LOGIN", {kSuccess}, Kind::LoginRefused, "that has not been said"},
      {"a challenge that is not base64", "LOGIN", {"334 User name:\r\n"}, Kind::LoginRefused, "not base64"},
      {"a challenge of two lines", "LOGIN", {"334-VXNlcg==\r\n334 VXNlcg==\r\n"}, Kind::Temporary, "answered AUTH"},
      {"success before the server proved itself",
       "SCRAM-SHA-256",
       {kServerFirst, kSuccess},
       Kind::LoginRefused,
       "did not prove that it knows the password"},
      {"a wrong proof",
       "SCRAM-SHA-256",
       {kServerFirst, "334 " + encode_base64("v=AAAA") + "\r\n"},
       Kind::LoginRefused,
       "did not prove that it knows the password"},
      {"another nonce",
       "SCRAM-SHA-256",
       {"334 " + encode_base64("r=x,s=AAAA,i=4096") + "\r\n"},
       Kind::LoginRefused,
       "nonce"},
      {"no mechanism of ours", "GSSAPI CRAM-MD5", {}, Kind::LoginRefused, "known here: GSSAPI CRAM-MD5"},
      {"421", "PLAIN", {"421 4.3.2 closing\r\n"}, Kind::Temporary, "closing"},
      {"silence", "PLAIN", {""}, Kind::Temporary, "no reply to AUTH in time"},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    Conversation talk = conversation(offering(row.mechanisms, row.replies));
    talk.run();
    CHECK(talk.engine.need() == Need::Close);
    REQUIRE(talk.engine.failure());
    CHECK(talk.engine.failure()->kind == row.kind);
    CHECK(talk.engine.failure()->detail.find(row.words) != std::string::npos);
    CHECK(talk.engine.failure()->detail.find("pencil") == std::string::npos);
    for (const std::string& command : talk.server.commands) CHECK_FALSE(command.starts_with("MAIL"));
  }
}

TEST_CASE("AUTH that is offered in clear alone is not used") {
  ServerScript script;
  script.ehlo = "250-mx.example\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n";
  Conversation talk = conversation(script);
  talk.run();
  CHECK(talk.engine.failure()->kind == Kind::LoginRefused);
  CHECK(talk.engine.failure()->detail.ends_with("no AUTH at all"));
}

TEST_CASE("without a login AUTH is not said") {
  Conversation talk(offering("PLAIN", {kSuccess}));
  talk.run();
  CHECK(talk.engine.need() == Need::Transaction);
  CHECK(after_ehlo(talk.server).empty());
}

TEST_CASE("with implicit TLS nothing is said before the handshake, and STARTTLS never") {
  ServerScript script = offering("PLAIN", {kSuccess});
  script.implicit_tls = true;
  Conversation talk = conversation(script);
  CHECK(talk.engine.need() == Need::TlsHandshake);
  talk.run();
  CHECK(talk.engine.need() == Need::Transaction);
  REQUIRE(talk.server.commands.size() == 2);
  CHECK(talk.server.commands[0] == "EHLO relay.example");
  CHECK(talk.server.commands[1].starts_with("AUTH PLAIN "));
}

TEST_CASE("mechanisms are read by their grammar") {
  const auto offered = [](std::vector<std::string> lines) {
    return SmtpExtensions::parse(SmtpReply{250, {}, std::move(lines)});
  };
  CHECK(offered({"mx", "AUTH plain LOGIN"}).auth_plain);
  CHECK(offered({"mx", "AUTH PLAIN", "AUTH SCRAM-SHA-256"}).auth_scram_sha_256);
  CHECK_FALSE(offered({"mx", "AUTH=PLAIN LOGIN"}).auth_plain);  // a form from before RFC 2554
  CHECK_FALSE(offered({"mx", "AUTH"}).auth_plain);
  CHECK(offered({"mx", "AUTH  PLAIN X.Y ABCDEFGHIJKLMNOPQRSTU"}).auth_mechanisms == "PLAIN");
}
