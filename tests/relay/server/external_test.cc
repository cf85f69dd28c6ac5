#include <catch2/catch.hpp>
#include <string>

#include "policy/base64.h"
#include "tests/relay/server/dialogue.h"

using namespace waxwing;

namespace {

using Need = SmtpServerEngine::Need;

SmtpServerEngine::Options with_certificate() {
  SmtpServerEngine::Options options;
  options.tls = SmtpServerEngine::Tls::Implicit;
  options.certificate = SmtpServerEngine::Certificate::Verified;
  return options;
}

}  // namespace

TEST_CASE("EXTERNAL is offered to a client with a verified certificate alone") {
  Dialogue with(with_certificate());
  CHECK(with.say("EHLO app.example.org\r\n").find("AUTH PLAIN LOGIN EXTERNAL\r\n") != std::string::npos);
  SmtpServerEngine::Options options = with_certificate();
  options.certificate = SmtpServerEngine::Certificate::None;
  Dialogue without(options);
  CHECK(without.say("EHLO app.example.org\r\n").find("EXTERNAL") == std::string::npos);
  CHECK(without.say("AUTH EXTERNAL =\r\n").substr(0, 3) == "504");
}

TEST_CASE("after STARTTLS the certificate of that handshake counts, and nothing before it") {
  SmtpServerEngine::Options options;
  options.tls = SmtpServerEngine::Tls::StartTls;
  Dialogue dialogue(options);
  dialogue.say("EHLO app.example.org\r\n");
  CHECK(dialogue.say("AUTH EXTERNAL =\r\n").substr(0, 3) == "538");
  dialogue.say("STARTTLS\r\n");
  dialogue.engine().on_secured(dialogue.now(), SmtpServerEngine::Certificate::Verified);
  CHECK(dialogue.say("EHLO app.example.org\r\n").find(" EXTERNAL\r\n") != std::string::npos);
}

TEST_CASE("the authorization identity comes with the command or as its response") {
  Dialogue dialogue(with_certificate());
  dialogue.say("EHLO app.example.org\r\n");
  CHECK(dialogue.say("AUTH EXTERNAL =\r\n").empty());
  CHECK(dialogue.engine().need() == Need::CertificateLogin);
  CHECK(dialogue.engine().authorization_identity().empty());
  dialogue.engine().on_authentication_failed(dialogue.now());
  CHECK(dialogue.serve().substr(0, 9) == "535 5.7.8");
  CHECK(dialogue.say("AUTH EXTERNAL\r\n") == "334 \r\n");
  CHECK(dialogue.say(encode_base64("app") + "\r\n").empty());
  CHECK(dialogue.engine().authorization_identity() == "app");
  dialogue.engine().on_authenticated(dialogue.account, dialogue.now());
  CHECK(dialogue.serve().substr(0, 9) == "235 2.7.0");
  CHECK(dialogue.say("AUTH EXTERNAL =\r\n").substr(0, 3) == "503");
}

TEST_CASE("a response that is no identity is refused") {
  for (const std::string& wrong : {std::string("!"), encode_base64(std::string("a\0b", 3)), encode_base64("\xff"),
                                   encode_base64(std::string(256, 'a')), std::string("*")}) {
    CAPTURE(wrong);
    Dialogue dialogue(with_certificate());
    dialogue.say("EHLO app.example.org\r\n");
    dialogue.say("AUTH EXTERNAL\r\n");
    CHECK(dialogue.say(wrong + "\r\n").substr(0, 3) == "501");
    CHECK(dialogue.say("MAIL FROM:<a@example.org>\r\n").substr(0, 3) == "530");
  }
}

TEST_CASE("certificates that open nothing end the connection as wrong passwords do") {
  Dialogue dialogue(with_certificate());
  dialogue.say("EHLO app.example.org\r\n");
  std::string reply;
  for (unsigned i = 0; i < kMaxFailedLogins; ++i) {
    dialogue.say("AUTH EXTERNAL =\r\n");
    dialogue.engine().on_authentication_failed(dialogue.now());
    reply = dialogue.serve();
  }
  CHECK(reply.substr(0, 3) == "421");
}
