#include <catch2/catch.hpp>
#include <string>

#include "tests/relay/server/dialogue.h"

using namespace waxwing;

namespace {

SmtpServerEngine::Options lmtp() {
  SmtpServerEngine::Options options;
  options.protocol = SmtpServerEngine::Protocol::Lmtp;
  options.known_client = Account{"app", {}, {}, {}};
  return options;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

}  // namespace

TEST_CASE("LMTP begins with LHLO alone, and SMTP never does") {
  Dialogue local(lmtp());
  CHECK(local.say("EHLO a.example\r\n").substr(0, 3) == "500");
  CHECK(local.say("HELO a.example\r\n").substr(0, 3) == "500");
  CHECK(local.say("MAIL FROM:<a@example.org>\r\n").substr(0, 3) == "503");
  CHECK(local.say("LHLO a.example\r\n").find("250-PIPELINING\r\n") != std::string::npos);
  Dialogue smtp;
  CHECK(smtp.say("LHLO a.example\r\n").substr(0, 3) == "500");
}

TEST_CASE("LMTP answers once for each recipient that was accepted, by DATA and by BDAT") {
  Dialogue dialogue(lmtp());
  dialogue.say("LHLO a.example\r\n");
  const std::string envelope =
      "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\nRCPT TO:<c@>\r\nRCPT TO:<c@example.net>\r\n"
      "RCPT TO:<b@example.net>\r\n";
  dialogue.say(envelope);
  CHECK(count(dialogue.say("DATA\r\nX: y\r\n\r\n.\r\n"), "250 2.0.0 Ok: queued as 0000000000001\r\n") == 3);
  CHECK(dialogue.accepted_envelope.recipients.size() == 2);
  dialogue.say(envelope);
  CHECK(count(dialogue.say("BDAT 8 LAST\r\nX: y\r\n\r\n"), "250 2.0.0 Ok: queued as") == 3);
  dialogue.say(envelope);
  const std::string refused = dialogue.say("DATA\r\nX: y\r\n\r\na\rb\r\n.\r\n");
  CHECK(count(refused, "550 5.6.0") == 3);
  CHECK(dialogue.engine().need() == SmtpServerEngine::Need::Close);
}

TEST_CASE("XCLIENT is for trusted peers, who begin again as whom they speak for") {
  Dialogue stranger;
  stranger.log_in();
  CHECK(stranger.say("XCLIENT ADDR=192.0.2.9\r\n").substr(0, 3) == "550");
  CHECK_FALSE(stranger.engine().told_address());
  SmtpServerEngine::Options options;
  options.takes_xclient = true;
  Dialogue peer(options);
  CHECK(peer.say("EHLO mx.example.org\r\n").find("XCLIENT ADDR") != std::string::npos);
  CHECK(peer.say("XCLIENT ADDR=IPV6:2001:db8::9 NAME=[UNAVAILABLE] PROTO=ESMTP\r\n").substr(0, 4) == "220 ");
  CHECK(peer.engine().told_address()->str() == "2001:db8::9");
  CHECK(peer.say("MAIL FROM:<a@example.org>\r\n").substr(0, 3) == "503");
  for (const char* wrong : {"XCLIENT", "XCLIENT ADDR", "XCLIENT ADDR=", "XCLIENT ADDR=me", "XCLIENT COLOUR=red",
                            "XCLIENT ADDR=192.0.2.1 ADDR=192.0.2.2", "XCLIENT HELO=a+0Db", "XCLIENT HELO=a=b"}) {
    CAPTURE(wrong);
    CHECK(peer.say(std::string(wrong) + "\r\n").substr(0, 3) == "501");
  }
}

TEST_CASE("a login that a trusted peer vouches for is asked for, and nobody's login outlives XCLIENT") {
  SmtpServerEngine::Options options;
  options.takes_xclient = true;
  Dialogue peer(options);
  peer.log_in();
  CHECK(peer.engine().account());
  peer.say("XCLIENT ADDR=192.0.2.9\r\n");
  CHECK_FALSE(peer.engine().account());
  peer.engine().on_bytes("XCLIENT LOGIN=shop\r\n", peer.now());
  REQUIRE(peer.engine().need() == SmtpServerEngine::Need::Identity);
  CHECK(peer.engine().claimed_login() == "shop");
  peer.engine().on_identified(Account{"shop", {}, {}, {}}, peer.now());
  CHECK(peer.engine().take_output() == "220 relay.example ESMTP Waxwing\r\n");
  CHECK(peer.engine().account()->name == "shop");
  peer.engine().on_bytes("XCLIENT LOGIN=nobody\r\n", peer.now());
  peer.engine().on_identified(std::nullopt, peer.now());
  CHECK(peer.engine().take_output().substr(0, 3) == "550");
  CHECK_FALSE(peer.engine().account());
  peer.say("EHLO a.example\r\nMAIL FROM:<a@example.org>\r\n");
  CHECK_FALSE(peer.engine().in_transaction());
}

TEST_CASE("a login that comes at the wrong time ends the connection") {
  Dialogue dialogue;
  dialogue.say("EHLO a.example\r\n");
  dialogue.engine().on_bytes("AUTH PLAIN " + encode_base64(std::string("\0app\0secret", 11)) + "\r\n", dialogue.now());
  dialogue.engine().on_login_refused({421, "4.7.0", {"too many connections"}});
  CHECK(dialogue.engine().take_output() == "421 4.7.0 too many connections\r\n");
  CHECK(dialogue.engine().need() == SmtpServerEngine::Need::Close);
}

TEST_CASE("a recipient that is refused is not in the envelope, and the others are") {
  SmtpServerEngine::Options options;
  options.hostname = "relay.example.org";
  options.checks_recipients = true;
  Dialogue dialogue(options);
  dialogue.refused_recipient = "bob@far.example";
  dialogue.log_in();
  CHECK(dialogue.say("MAIL FROM:<a@example.org>\r\nRCPT TO:<bob@far.example>\r\nRCPT TO:<ann@far.example>\r\n") ==
        "250 2.1.0 sender ok\r\n550 5.7.1 not there\r\n250 2.1.5 recipient ok\r\n");
  dialogue.say("DATA\r\n");
  dialogue.say("Subject: x\r\n\r\nx\r\n.\r\n");
  REQUIRE(dialogue.accepted_envelope.recipients.size() == 1);
  CHECK(dialogue.accepted_envelope.recipients[0].address.str() == "ann@far.example");
}
