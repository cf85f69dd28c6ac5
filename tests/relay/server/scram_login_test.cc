#include <catch2/catch.hpp>
#include <string>

#include "policy/base64.h"
#include "tests/relay/server/dialogue.h"
#include "tests/relay/server/scram_dialogue.h"

using namespace waxwing;

namespace {

using Need = SmtpServerEngine::Need;
using ChannelBinding = ScramServer::ChannelBinding;

SmtpServerEngine::Options inside_tls(ChannelBinding channel_binding = ChannelBinding::Offered) {
  SmtpServerEngine::Options options;
  options.tls = SmtpServerEngine::Tls::Implicit;
  options.scram = true;
  options.channel_binding = channel_binding;
  return options;
}

const ScramScript kPlus{"p=tls-exporter,,", "app", "secret", std::string(kScramChannel)};

/// The text behind "334 ".
std::string challenge_of(const std::string& reply) {
  REQUIRE(reply.substr(0, 4) == "334 ");
  REQUIRE(reply.ends_with("\r\n"));
  return reply.substr(4, reply.size() - 6);
}

/// Says the two messages of a client; gives what the server says to the second.
std::string log_in(Dialogue& dialogue, const std::string& mechanism, const ScramScript& script) {
  const std::string reply = dialogue.say("AUTH " + mechanism + " " + script.first() + "\r\n");
  if (!reply.starts_with("334 ")) return reply;
  return dialogue.say(script.last(challenge_of(reply)) + "\r\n");
}

Dialogue greeted(const SmtpServerEngine::Options& options = inside_tls()) {
  Dialogue dialogue(options);
  dialogue.say("EHLO app.example.org\r\n");
  return dialogue;
}

}  // namespace

TEST_CASE("SCRAM is offered where it is wanted, and -PLUS where a channel can be bound") {
  const auto offer = [](bool scram, ChannelBinding channel_binding) {
    SmtpServerEngine::Options options = inside_tls(channel_binding);
    options.scram = scram;
    const std::string reply = Dialogue(options).say("EHLO app.example.org\r\n");
    const std::size_t at = reply.find("AUTH ");
    return reply.substr(at, reply.find("\r\n", at) - at);
  };
  CHECK(offer(false, ChannelBinding::Offered) == "AUTH PLAIN LOGIN");
  CHECK(offer(true, ChannelBinding::NotOffered) == "AUTH PLAIN LOGIN SCRAM-SHA-256");
  CHECK(offer(true, ChannelBinding::Offered) == "AUTH PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS");
}

TEST_CASE("a mechanism that is not offered is not known") {
  SmtpServerEngine::Options off = inside_tls();
  off.scram = false;
  CHECK(greeted(off).say("AUTH SCRAM-SHA-256 " + ScramScript().first() + "\r\n").substr(0, 3) == "504");
  CHECK(greeted(inside_tls(ChannelBinding::NotOffered))
            .say("AUTH SCRAM-SHA-256-PLUS " + kPlus.first() + "\r\n")
            .substr(0, 3) == "504");
}

TEST_CASE("after STARTTLS its channel can be bound, and before it nobody logs in") {
  SmtpServerEngine::Options options;
  options.tls = SmtpServerEngine::Tls::StartTls;
  options.scram = true;
  Dialogue dialogue = greeted(options);
  CHECK(dialogue.say("AUTH SCRAM-SHA-256 " + ScramScript().first() + "\r\n").substr(0, 3) == "538");
  dialogue.say("STARTTLS\r\n");
  dialogue.engine().on_secured(dialogue.now(), SmtpServerEngine::Certificate::None, ChannelBinding::Offered);
  CHECK(dialogue.say("EHLO app.example.org\r\n").find(" SCRAM-SHA-256-PLUS\r\n") != std::string::npos);
}

TEST_CASE("a client that proves its password hears our proof, says nothing more, and may send") {
  for (const auto& [mechanism, script] :
       {std::pair<std::string, ScramScript>("SCRAM-SHA-256", {}), {"SCRAM-SHA-256-PLUS", kPlus}}) {
    for (const bool at_once : {true, false}) {
      for (const char* nothing : {"\r\n", "=\r\n"}) {
        CAPTURE(mechanism, at_once, nothing);
        Dialogue dialogue = greeted();
        std::string reply;
        if (at_once) {
          reply = dialogue.say("AUTH " + mechanism + " " + script.first() + "\r\n");
        } else {
          CHECK(dialogue.say("AUTH " + mechanism + "\r\n") == "334 \r\n");
          reply = dialogue.say(script.first() + "\r\n");
        }
        CHECK(decode_base64(challenge_of(reply)) == "r=clientserver,s=" + encode_base64("salt") + ",i=4096");
        reply = dialogue.say(script.last(challenge_of(reply)) + "\r\n");
        CHECK(decode_base64(challenge_of(reply))->substr(0, 2) == "v=");
        CHECK(dialogue.engine().account() == std::nullopt);
        CHECK(dialogue.say(nothing).substr(0, 9) == "235 2.7.0");
        CHECK(dialogue.engine().account()->name == "app");
        CHECK(dialogue.say("AUTH SCRAM-SHA-256 " + script.first() + "\r\n").substr(0, 3) == "503");
        CHECK(dialogue.say("MAIL FROM:<a@example.org>\r\n").substr(0, 3) == "250");
      }
    }
  }
}

TEST_CASE("a wrong password, another user and another channel are refused at the end") {
  const ScramScript scripts[] = {{"n,,", "app", "wrong", ""}, {"n,,", "nobody", "secret", ""}};
  for (const ScramScript& script : scripts) {
    Dialogue dialogue = greeted();
    CHECK(log_in(dialogue, "SCRAM-SHA-256", script) == "535 5.7.8 user or password is wrong\r\n");
    CHECK(dialogue.say("MAIL FROM:<a@example.org>\r\n").substr(0, 3) == "530");
    CHECK(log_in(dialogue, "SCRAM-SHA-256", {}).substr(0, 3) == "334");
  }
  ScramScript elsewhere = kPlus;
  elsewhere.channel = "another channel";
  Dialogue dialogue = greeted();
  CHECK(log_in(dialogue, "SCRAM-SHA-256-PLUS", elsewhere) ==
        "535 5.7.8 the login is bound to another channel than this one\r\n");
}

TEST_CASE("a client from which somebody has kept the offer of -PLUS is refused") {
  const ScramScript kept{"y,,", "app", "secret", ""};
  Dialogue bound = greeted();
  CHECK(log_in(bound, "SCRAM-SHA-256", kept).substr(0, 9) == "535 5.7.8");
  Dialogue unbound = greeted(inside_tls(ChannelBinding::NotOffered));
  CHECK(log_in(unbound, "SCRAM-SHA-256", kept).substr(0, 4) == "334 ");
  ScramScript unknown = kPlus;
  unknown.gs2_header = "p=tls-something,,";
  CHECK(log_in(bound, "SCRAM-SHA-256-PLUS", unknown) == "535 5.7.8 there is no such channel binding here\r\n");
}

TEST_CASE("what is no message of SCRAM is refused without counting as a guess, and ends the exchange") {
  const std::string first = "AUTH SCRAM-SHA-256 " + ScramScript().first() + "\r\n";
  for (const std::string& wrong : {std::string("!"), encode_base64("n,,m=x,n=app,r=client"), std::string("="),
                                   encode_base64(std::string(4'000, 'n'))}) {
    CAPTURE(wrong);
    Dialogue dialogue = greeted();
    for (unsigned i = 0; i < kMaxFailedLogins + 1; ++i)
      CHECK(dialogue.say("AUTH SCRAM-SHA-256 " + wrong + "\r\n").substr(0, 9) == "501 5.5.2");
    for (unsigned i = 0; i < kMaxFailedLogins + 1; ++i) {
      CHECK(dialogue.say(first).substr(0, 4) == "334 ");
      CHECK(dialogue.say(wrong + "\r\n").substr(0, 9) == "501 5.5.2");
    }
    CHECK(dialogue.say("NOOP\r\n").substr(0, 3) == "250");
  }
}

TEST_CASE("an exchange is given up by * at each step, and begins anew after that") {
  for (int steps = 0; steps < 3; ++steps) {
    CAPTURE(steps);
    Dialogue dialogue = greeted();
    CHECK(dialogue.say("AUTH SCRAM-SHA-256\r\n") == "334 \r\n");
    if (steps > 0) {
      const std::string reply = dialogue.say(ScramScript().first() + "\r\n");
      if (steps > 1) CHECK(dialogue.say(ScramScript().last(challenge_of(reply)) + "\r\n").substr(0, 4) == "334 ");
    }
    CHECK(dialogue.say("*\r\n").substr(0, 9) == "501 5.7.0");
    CHECK(dialogue.say("\r\n").substr(0, 3) == "500");
    CHECK(dialogue.say("MAIL FROM:<a@example.org>\r\n").substr(0, 3) == "530");
    CHECK(log_in(dialogue, "SCRAM-SHA-256", {}).substr(0, 4) == "334 ");
    CHECK(dialogue.say("\r\n").substr(0, 3) == "235");
  }
}

TEST_CASE("who adds something to the end of the exchange is not logged in") {
  Dialogue dialogue = greeted();
  log_in(dialogue, "SCRAM-SHA-256", {});
  CHECK(dialogue.say(encode_base64("more") + "\r\n").substr(0, 3) == "501");
  CHECK(dialogue.say("MAIL FROM:<a@example.org>\r\n").substr(0, 3) == "530");
}

TEST_CASE("the messages of one exchange are worth nothing in another") {
  Dialogue dialogue = greeted();
  const ScramScript script;
  const std::string reply = dialogue.say("AUTH SCRAM-SHA-256 " + script.first() + "\r\n");
  const std::string last = script.last(challenge_of(reply));
  CHECK(dialogue.say(last + "\r\n").substr(0, 4) == "334 ");
  CHECK(dialogue.say("*\r\n").substr(0, 3) == "501");
  CHECK(dialogue.say("AUTH SCRAM-SHA-256 " + encode_base64("n,,n=app,r=clienT") + "\r\n").substr(0, 4) == "334 ");
  CHECK(dialogue.say(last + "\r\n").substr(0, 3) == "535");
}

TEST_CASE("wrong passwords end the connection, whatever mechanism they were said by") {
  Dialogue dialogue = greeted();
  for (unsigned i = 0; i + 1 < kMaxFailedLogins; ++i)
    CHECK(log_in(dialogue, "SCRAM-SHA-256", {"n,,", "app", "wrong", ""}).substr(0, 3) == "535");
  CHECK(dialogue.say("AUTH PLAIN " + encode_base64(std::string("\0app\0wrong", 10)) + "\r\n").substr(0, 3) == "421");
}
