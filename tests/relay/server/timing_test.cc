#include <catch2/catch.hpp>
#include <string>

#include "tests/relay/server/dialogue.h"

using namespace waxwing;

namespace {

constexpr WallTime kBegan{Milliseconds{1'769'860'800'000}};  // 2026-01-31T12:00:00Z

SmtpServerEngine::Options with_timing() {
  SmtpServerEngine::Options options;
  options.timing = {Seconds(86'400), Seconds(60)};
  options.began = kBegan;
  return options;
}

// The timing that the envelope of a message with these parameters comes to, or the reply that refuses MAIL.
struct Asked {
  std::string reply;
  DeliveryTiming timing;
};
Asked ask(Dialogue& dialogue, const std::string& parameters) {
  Asked asked{dialogue.say("MAIL FROM:<a@example.org> " + parameters + "\r\n"), {}};
  if (asked.reply.substr(0, 3) != "250") return asked;
  dialogue.say("RCPT TO:<b@example.net>\r\nDATA\r\nX: y\r\n\r\n.\r\n");
  asked.timing = dialogue.accepted_envelope.timing;
  return asked;
}

}  // namespace

TEST_CASE("what a client may ask about time is told to it, counted from now") {
  Dialogue dialogue(with_timing());
  dialogue.pass(Milliseconds(61'000));
  const std::string offer = dialogue.say("EHLO app.example.org\r\n");
  CHECK(offer.find("250-FUTURERELEASE 86400 2026-02-01T12:01:01Z\r\n") != std::string::npos);
  CHECK(offer.find("DELIVERBY 60\r\n") != std::string::npos);
}

TEST_CASE("HOLDFOR and HOLDUNTIL come with the envelope as a time of day") {
  Dialogue dialogue(with_timing());
  dialogue.log_in();
  dialogue.pass(Milliseconds(10'000));
  Asked asked = ask(dialogue, "HOLDFOR=3600");
  CHECK(asked.timing.release == kBegan + Seconds(3'610));
  CHECK(asked.timing.release_request == "for;3600");
  asked = ask(dialogue, "holduntil=2026-01-31T13:00:00Z");
  CHECK(asked.timing.release == kBegan + Seconds(3'600));
  CHECK(asked.timing.release_request == "until;2026-01-31T13:00:00Z");
  CHECK(ask(dialogue, "").timing == DeliveryTiming());
}

TEST_CASE("BY counts from MAIL, also into the past where its sender is only to be told") {
  Dialogue dialogue(with_timing());
  dialogue.log_in();
  dialogue.pass(Milliseconds(10'000));
  CHECK(ask(dialogue, "BY=120;RT").timing.deliver_by == DeliverBy{kBegan + Seconds(130), ByMode::Return, true});
  CHECK(ask(dialogue, "BY=-10;N").timing.deliver_by == DeliverBy{kBegan, ByMode::Notify, false});
  CHECK(ask(dialogue, "BY=7200;N HOLDFOR=3600").timing.deliver_by ==
        DeliverBy{kBegan + Seconds(7'210), ByMode::Notify, false});
}

TEST_CASE("what cannot be honoured about time is refused at MAIL") {
  for (const char* wrong : {"HOLDFOR",
                            "HOLDFOR=",
                            "HOLDFOR=0",
                            "HOLDFOR=-1",
                            "HOLDFOR=86401",
                            "HOLDFOR=1e3",
                            "HOLDUNTIL",
                            "HOLDUNTIL=tomorrow",
                            "HOLDUNTIL=2026-01-31T12:00:00Z",
                            "HOLDUNTIL=2026-01-31T11:59:59Z",
                            "HOLDUNTIL=2026-02-01T12:00:01Z",
                            "HOLDUNTIL=2026-01-31T13:00:00+01:00",
                            "HOLDFOR=60 HOLDUNTIL=2026-01-31T13:00:00Z",
                            "HOLDFOR=60 HOLDFOR=60",
                            "BY",
                            "BY=",
                            "BY=60",
                            "BY=0;R",
                            "BY=-1;R",
                            "BY=60;Q",
                            "BY=60;N BY=60;N",
                            "BY=60;R HOLDFOR=60",
                            "BY=60;N HOLDFOR=61"}) {
    CAPTURE(wrong);
    Dialogue dialogue(with_timing());  // each of its own: whoever only errs is shown out
    dialogue.log_in();
    CHECK(ask(dialogue, wrong).reply.substr(0, 9) == "501 5.5.4");
  }
}

TEST_CASE("less time than the least is refused where the message would come back") {
  Dialogue dialogue(with_timing());
  dialogue.log_in();
  CHECK(ask(dialogue, "BY=59;R").reply.substr(0, 9) == "555 5.5.4");
  CHECK(ask(dialogue, "BY=59;N").reply.substr(0, 3) == "250");
  CHECK(ask(dialogue, "BY=60;R").reply.substr(0, 3) == "250");
}

TEST_CASE("the limits of a hold are its own values, to the second") {
  Dialogue dialogue(with_timing());
  dialogue.log_in();
  CHECK(ask(dialogue, "HOLDFOR=86400").reply.substr(0, 3) == "250");
  CHECK(ask(dialogue, "HOLDUNTIL=2026-02-01T12:00:00Z").reply.substr(0, 3) == "250");
}

TEST_CASE("where nothing about time is offered it is refused") {
  Dialogue dialogue;
  CHECK(dialogue.say("EHLO app.example.org\r\n").find("FUTURERELEASE") == std::string::npos);
  dialogue.log_in();
  for (const char* parameter : {"HOLDFOR=60", "HOLDUNTIL=2099-01-31T13:00:00Z", "BY=60;N"})
    CHECK(ask(dialogue, parameter).reply.substr(0, 9) == "555 5.5.4");
}

TEST_CASE("nothing asked about time reaches the next message") {
  Dialogue dialogue(with_timing());
  dialogue.log_in();
  dialogue.say("MAIL FROM:<a@example.org> HOLDFOR=60 BY=120;R\r\nRSET\r\n");
  CHECK(ask(dialogue, "").timing == DeliveryTiming());
  dialogue.storage_refusal = ServerReply{452, "4.3.1", {"full"}};
  CHECK(ask(dialogue, "HOLDFOR=60").reply.substr(0, 3) == "452");
  dialogue.storage_refusal.reset();
  CHECK(ask(dialogue, "").timing == DeliveryTiming());
}
