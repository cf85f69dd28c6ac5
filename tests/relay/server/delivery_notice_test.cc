#include <catch2/catch.hpp>
#include <string>

#include "tests/relay/server/dialogue.h"

using namespace waxwing;

TEST_CASE("what a sender asks about reports comes with the envelope") {
  Dialogue dialogue;
  CHECK(dialogue.say("EHLO app.example.org\r\n").find("250-DSN\r\n") != std::string::npos);
  dialogue.log_in();
  dialogue.say("MAIL FROM:<a@example.org> RET=hdrs ENVID=QQ+2B1\r\n");
  dialogue.say("RCPT TO:<b@example.net> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;list@example.org\r\n");
  dialogue.say("RCPT TO:<c@example.net> NOTIFY=never\r\nRCPT TO:<d@example.net>\r\nDATA\r\nX: y\r\n\r\n.\r\n");
  const Envelope& envelope = dialogue.accepted_envelope;
  CHECK(envelope.notice == MessageNotice{ReturnedContent::Headers, "QQ+2B1"});
  REQUIRE(envelope.recipients.size() == 3);
  CHECK(envelope.recipients[0].notice == RecipientNotice{NotifyWish{true, false, true}, "rfc822;list@example.org"});
  CHECK(envelope.recipients[1].notice == RecipientNotice{NotifyWish{}, ""});
  CHECK(envelope.recipients[2].notice == RecipientNotice{});
}

TEST_CASE("nothing asked about reports reaches the next message") {
  Dialogue dialogue;
  dialogue.log_in();
  dialogue.say("MAIL FROM:<a@example.org> RET=FULL ENVID=1\r\nRCPT TO:<b@example.net> NOTIFY=NEVER\r\nRSET\r\n");
  dialogue.say("MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\nDATA\r\nX: y\r\n\r\n.\r\n");
  CHECK(dialogue.accepted_envelope.notice == MessageNotice{});
  REQUIRE(dialogue.accepted_envelope.recipients.size() == 1);
  CHECK(dialogue.accepted_envelope.recipients[0].notice == RecipientNotice{});
}

TEST_CASE("parameters about reports are read strictly") {
  Dialogue dialogue;
  dialogue.log_in();
  for (const char* wrong : {"RET", "RET=ALL", "ENVID=", "ENVID=a=b", "ENVID=a+0D+0Ab", "ENVID=+2b", "RET=FULL RET=FULL",
                            "ENVID=\xc3\xa4", "NOTIFY=NEVER"}) {
    CAPTURE(wrong);
    CHECK(dialogue.say("MAIL FROM:<a@example.org> " + std::string(wrong) + "\r\n").substr(0, 1) == "5");
  }
  dialogue.say("MAIL FROM:<a@example.org>\r\n");
  for (const char* wrong : {"NOTIFY=", "NOTIFY", "NOTIFY=NEVER,DELAY", "ORCPT=b@example.net", "ORCPT=rfc822;b+0D+0A",
                            "NOTIFY=NEVER NOTIFY=NEVER", "RET=FULL", "ORCPT=utf-8;\xc3\xa4@example.net"}) {
    CAPTURE(wrong);
    CHECK(dialogue.say("RCPT TO:<b@example.net> " + std::string(wrong) + "\r\n").substr(0, 1) == "5");
  }
  CHECK(dialogue.say("RCPT TO:<b@example.net>NOTIFY=NEVER\r\n").substr(0, 3) == "501");
}

TEST_CASE("an original recipient in UTF-8 needs SMTPUTF8") {
  Dialogue dialogue;
  dialogue.log_in();
  dialogue.say("MAIL FROM:<a@example.org> SMTPUTF8\r\n");
  CHECK(dialogue.say("RCPT TO:<b@example.net> ORCPT=utf-8;\xc3\xa4@example.net\r\n").substr(0, 3) == "250");
}
