#include <catch2/catch.hpp>
#include <memory>
#include <optional>

#include "tests/transport/dns/fake_resolver.h"
#include "transport/dns/validation_gate.h"
#include "transport/dns/validation_probe.h"

using namespace waxwing;
using namespace waxwing::test;
using Status = Answer::Status;
using State = ValidationProbe::State;

namespace {

struct World {
  FakeResolver probed;
  FakeResolver inner;
  std::optional<Milliseconds> timer;
  std::vector<State> changes;
  std::unique_ptr<ValidationProbe> probe = std::make_unique<ValidationProbe>(
      probed, ValidationProbe::Options{}, [this](Milliseconds delay) { timer = delay; });
  std::unique_ptr<ValidationGate> gate = std::make_unique<ValidationGate>(inner, *probe, "127.0.0.1");

  World() {
    probe->set_on_change([this](State state) { changes.push_back(state); });
  }

  void probe_gives(Status status) {
    probe->probe();
    probed.answer_next(answer_of(status, 60));
  }

  std::shared_ptr<std::optional<Answer>> ask(RecordType type, const Answer& answer) {
    auto result = std::make_shared<std::optional<Answer>>();
    gate->resolve({"name.example", type}, [result](const Answer& given) { *result = given; });
    inner.answer_next(answer);
    return result;
  }
};

}  // namespace

TEST_CASE("the probe asks for the root and knows nothing before the answer", "[validation_probe]") {
  World world;
  world.probe->probe();
  REQUIRE(world.probed.asked.size() == 1);
  CHECK(world.probed.asked[0].question == Question{".", RecordType::A});
  CHECK(world.probe->state() == State::Unknown);
  CHECK_FALSE(world.probe->validates());
}

TEST_CASE("each answer to the probe has its meaning and its time to the next", "[validation_probe]") {
  struct Case {
    Status status;
    State state;
    int seconds;
  };
  const Case test_case =
      GENERATE(Case{Status::Secure, State::Validating, 3'600}, Case{Status::Insecure, State::NotValidating, 30},
               Case{Status::Failed, State::Unreachable, 30}, Case{Status::Bogus, State::Unreachable, 30});
  World world;
  world.probe_gives(test_case.status);
  CHECK(world.probe->state() == test_case.state);
  CHECK(world.probe->validates() == (test_case.state == State::Validating));
  CHECK(world.probe->detail().empty() == world.probe->validates());
  CHECK(world.timer == Seconds(test_case.seconds));
  CHECK(world.changes == std::vector{test_case.state});
}

TEST_CASE("only changes are told", "[validation_probe]") {
  World world;
  for (const Status status : {Status::Secure, Status::Secure, Status::Insecure, Status::Insecure, Status::Secure}) {
    world.probe_gives(status);
  }
  CHECK(world.changes == std::vector{State::Validating, State::NotValidating, State::Validating});
}

TEST_CASE("an answer that comes after the probe is gone does nothing", "[validation_probe]") {
  World world;
  world.probe->probe();
  world.gate.reset();
  world.probe.reset();
  world.probed.answer_next(answer_of(Status::Secure, 60));
  CHECK(world.changes.empty());
}

TEST_CASE("the owner may destroy the probe when it hears of a change", "[validation_probe]") {
  World world;
  bool called = false;
  world.probe->when_known([&] { called = true; });
  world.probe->set_on_change([&](State) {
    world.gate.reset();
    world.probe.reset();
  });
  world.probe_gives(Status::Secure);
  CHECK_FALSE(world.probe);
  CHECK_FALSE(called);
}

TEST_CASE("Insecure answers that decide about TLS fail while the resolver does not validate", "[validation_gate]") {
  World world;
  world.probe_gives(Status::Insecure);
  for (const RecordType type : {RecordType::MX, RecordType::A, RecordType::AAAA, RecordType::TLSA, RecordType::CNAME}) {
    const auto answer = world.ask(type, address_answer(300));
    REQUIRE(*answer);
    CHECK((*answer)->status == Status::Failed);
    CHECK((*answer)->detail == "the resolver at 127.0.0.1 does not validate DNSSEC");
    CHECK((*answer)->records.empty());
  }
}

TEST_CASE("TXT and PTR pass whatever the probe says", "[validation_gate]") {
  World world;
  world.probe_gives(Status::Insecure);
  CHECK((*world.ask(RecordType::TXT, address_answer(300)))->status == Status::Insecure);
  CHECK((*world.ask(RecordType::PTR, address_answer(300)))->status == Status::Insecure);
}

TEST_CASE("Secure, Bogus and Failed answers pass whatever the probe says", "[validation_gate]") {
  World world;
  world.probe_gives(Status::Failed);
  for (const Status status : {Status::Secure, Status::Bogus, Status::Failed}) {
    CHECK((*world.ask(RecordType::MX, answer_of(status, 60)))->status == status);
  }
  const auto unproven = world.ask(RecordType::MX, address_answer(300));
  CHECK((*unproven)->detail == "the resolver at 127.0.0.1 could not prove that it validates DNSSEC");
}

TEST_CASE("Insecure answers pass while the resolver validates", "[validation_gate]") {
  World world;
  world.probe_gives(Status::Secure);
  CHECK((*world.ask(RecordType::MX, address_answer(300)))->status == Status::Insecure);
}

TEST_CASE("Insecure answers wait for the first probe", "[validation_gate]") {
  World world;
  const auto waiting = world.ask(RecordType::MX, address_answer(300));
  CHECK_FALSE(*waiting);
  SECTION("which validates") {
    world.probe_gives(Status::Secure);
    REQUIRE(*waiting);
    CHECK((*waiting)->status == Status::Insecure);
  }
  SECTION("which does not") {
    world.probe_gives(Status::Insecure);
    REQUIRE(*waiting);
    CHECK((*waiting)->status == Status::Failed);
  }
  SECTION("unless the gate is gone by then") {
    world.gate.reset();
    world.probe_gives(Status::Secure);
    CHECK_FALSE(*waiting);
  }
}

TEST_CASE("all that a book of answers is missing is asked at once and completes once", "[resolver]") {
  FakeResolver resolver;
  Answers answers;
  const Question first{"a.example", RecordType::A};
  const Question second{"b.example", RecordType::MX};
  REQUIRE(answers.find(first) == nullptr);
  REQUIRE(answers.find(second) == nullptr);
  int completed = 0;
  resolve_missing(resolver, answers, [&] { ++completed; });
  CHECK(resolver.asked.size() == 2);
  resolver.answer_next(address_answer(300));
  CHECK(completed == 0);
  resolver.answer_next(answer_of(Status::Failed, 0));
  CHECK(completed == 1);
  CHECK(answers.missing().empty());
  CHECK(answers.find(first)->records.size() == 1);
  CHECK(answers.find(second)->status == Status::Failed);
}

TEST_CASE("a book that misses nothing is complete at once", "[resolver]") {
  FakeResolver resolver;
  Answers answers;
  int completed = 0;
  resolve_missing(resolver, answers, [&] { ++completed; });
  CHECK(completed == 1);
  CHECK(resolver.count == 0);
}
