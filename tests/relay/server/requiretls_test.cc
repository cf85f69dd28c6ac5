#include <catch2/catch.hpp>
#include <string>

#include "relay/server/tls_required_field.h"
#include "tests/relay/server/dialogue.h"

using namespace waxwing;

namespace {

SmtpServerEngine::Options starttls() {
  SmtpServerEngine::Options options;
  options.tls = SmtpServerEngine::Tls::StartTls;
  return options;
}

bool says_no(const std::string& header) {
  const auto fields = parse_header_block(header);
  REQUIRE(fields);
  return says_tls_required_no(*fields);
}

}  // namespace

TEST_CASE("REQUIRETLS is offered inside TLS alone, and there it reaches the envelope of one message") {
  Dialogue dialogue(starttls());
  CHECK(dialogue.say("EHLO app.example.org\r\n").find("REQUIRETLS") == std::string::npos);
  dialogue.say("STARTTLS\r\n");
  dialogue.engine().on_secured(dialogue.now());
  CHECK(dialogue.say("EHLO app.example.org\r\n").find("250-REQUIRETLS\r\n") != std::string::npos);
  dialogue.log_in();
  CHECK(dialogue.say("MAIL FROM:<a@example.org> requiretls\r\n").substr(0, 3) == "250");
  dialogue.say("RCPT TO:<b@example.net>\r\nDATA\r\nx\r\n.\r\n");
  CHECK(dialogue.accepted_envelope.require_tls);
  dialogue.say("MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\nDATA\r\nx\r\n.\r\n");
  CHECK_FALSE(dialogue.accepted_envelope.require_tls);
}

TEST_CASE("REQUIRETLS is refused where it was not offered, and with a value") {
  Dialogue dialogue;
  CHECK(dialogue.say("EHLO app.example.org\r\n").find("REQUIRETLS") == std::string::npos);
  dialogue.log_in();
  CHECK(dialogue.say("MAIL FROM:<a@example.org> REQUIRETLS\r\n").substr(0, 10) == "530 5.7.10");
  CHECK(dialogue.say("MAIL FROM:<a@example.org> REQUIRETLS=1\r\n").substr(0, 9) == "501 5.5.4");
}

TEST_CASE("TLS-Required: No is read once, in any case, and with folds") {
  CHECK(says_no("TLS-Required: No\r\n"));
  CHECK(says_no("tls-required:\r\n no\r\nSubject: x\r\n"));
  CHECK_FALSE(says_no("Subject: TLS-Required: No\r\n"));
  CHECK_FALSE(says_no("TLS-Required: Yes\r\n"));
  CHECK_FALSE(says_no("TLS-Required: No thanks\r\n"));
  CHECK_FALSE(says_no("TLS-Required:\r\n"));
  CHECK_FALSE(says_no("TLS-Required: No\r\nTLS-Required: No\r\n"));
}
