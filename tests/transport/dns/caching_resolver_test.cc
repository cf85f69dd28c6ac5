#include "transport/dns/caching_resolver.h"

#include <catch2/catch.hpp>
#include <memory>
#include <optional>

#include "tests/transport/dns/fake_resolver.h"

using namespace waxwing;
using namespace waxwing::test;
using Status = Answer::Status;

namespace {

struct World {
  FakeResolver inner;
  Tasks tasks;
  MonotonicTime now{Milliseconds(1'000'000)};
  CachingResolver::Options options;
  std::unique_ptr<CachingResolver> cache;

  void build() {
    cache = std::make_unique<CachingResolver>(
        inner, options, [this] { return now; }, tasks.post());
  }

  Question question(int number = 0, const std::string& domain = "") const {
    return {"n" + std::to_string(number) + (domain.empty() ? "" : ".") + domain + ".example", RecordType::A};
  }

  // Asks and runs posted tasks; no value: the answer is outstanding.
  std::shared_ptr<std::optional<Answer>> ask(const Question& asked) {
    auto result = std::make_shared<std::optional<Answer>>();
    cache->resolve(asked, [result](const Answer& answer) {
      REQUIRE_FALSE(*result);  // exactly once
      *result = answer;
    });
    CHECK_FALSE(*result);  // never inside resolve()
    tasks.run();
    return result;
  }

  // Puts one answer into the cache.
  void learn(const Question& asked, const Answer& answer) {
    const auto result = ask(asked);
    REQUIRE_FALSE(*result);
    inner.answer_next(answer);
    REQUIRE(*result);
  }
};

}  // namespace

TEST_CASE("an answer is remembered for its TTL, which runs down", "[caching_resolver]") {
  World world;
  world.build();
  world.learn(world.question(), address_answer(300));
  world.now += Seconds(100);
  const auto again = world.ask(world.question());
  REQUIRE(*again);
  CHECK((*again)->records.size() == 1);
  CHECK((*again)->ttl_seconds == 200);
  world.now += Seconds(200);
  CHECK_FALSE(*world.ask(world.question()));
  CHECK(world.inner.count == 2);
}

TEST_CASE("how long an answer is kept depends on what it is", "[caching_resolver]") {
  struct Case {
    Answer answer;
    int seconds;
  };
  const Case test_case =
      GENERATE(Case{address_answer(0), 5}, Case{address_answer(2'000'000), 86'400},
               Case{answer_of(Status::Secure, 86'400), 3'600}, Case{answer_of(Status::Secure, 60), 60},
               Case{answer_of(Status::Failed, 900), 5}, Case{answer_of(Status::Bogus, 900), 30});
  World world;
  world.build();
  world.learn(world.question(), test_case.answer);
  world.now += Seconds(test_case.seconds) - Milliseconds(1);
  const auto known = world.ask(world.question());
  REQUIRE(*known);
  CHECK((*known)->status == test_case.answer.status);
  world.now += Milliseconds(1);
  CHECK_FALSE(*world.ask(world.question()));
}

TEST_CASE("a question in flight is asked once, and everybody gets the answer", "[caching_resolver]") {
  World world;
  world.build();
  const auto first = world.ask(world.question());
  const auto second = world.ask(world.question());
  CHECK(world.inner.count == 1);
  world.inner.answer_next(address_answer(300));
  CHECK(*first);
  CHECK(*second);
}

TEST_CASE("the same name with another type is another question", "[caching_resolver]") {
  World world;
  world.build();
  world.learn({"name.example", RecordType::A}, address_answer(300));
  CHECK_FALSE(*world.ask({"name.example", RecordType::AAAA}));
}

TEST_CASE("questions beyond the cap wait their turn, and beyond the queue they fail", "[caching_resolver]") {
  World world;
  world.options.max_outstanding = 2;
  world.options.max_waiting = 3;
  world.build();
  const auto first = world.ask(world.question(1));
  const auto second = world.ask(world.question(2));
  const auto third = world.ask(world.question(3));
  CHECK(world.inner.count == 2);
  const auto fourth = world.ask(world.question(4));
  REQUIRE(*fourth);
  CHECK((*fourth)->status == Status::Failed);
  CHECK((*fourth)->detail == "too many lookups");
  world.inner.answer_next(address_answer(300));
  CHECK(*first);
  CHECK(world.inner.count == 3);
  world.inner.answer_next(address_answer(300));
  world.inner.answer_next(address_answer(300));
  CHECK(*second);
  CHECK(*third);
  CHECK_FALSE(*world.ask(world.question(4)));  // the refusal was not remembered
}

TEST_CASE("a domain has only its share of the questions in flight, and the others go on", "[caching_resolver]") {
  World world;
  world.options.max_outstanding = 5;
  world.options.max_outstanding_per_domain = 2;
  world.build();
  for (int i = 0; i < 9; ++i) CHECK_FALSE(*world.ask(world.question(i, "dead")));
  CHECK(world.inner.count == 2);
  const auto good = world.ask(world.question(0, "good"));
  CHECK(world.inner.count == 3);
  world.inner.asked.back().on_answer(address_answer(300));
  CHECK(*good);
  CHECK(world.inner.count == 3);
  world.inner.answer_next(address_answer(300));
  CHECK(world.inner.count == 4);  // the next of the first domain
}

TEST_CASE("a domain has only its share of the callers that wait", "[caching_resolver]") {
  World world;
  world.options.max_waiting_per_domain = 2;
  world.build();
  const auto first = world.ask(world.question(1, "busy"));
  const auto second = world.ask(world.question(1, "busy"));
  const auto third = world.ask(world.question(2, "busy"));
  REQUIRE(*third);
  CHECK((*third)->detail == "too many lookups");
  CHECK_FALSE(*world.ask(world.question(1, "calm")));
  world.inner.answer_next(address_answer(300));
  CHECK(*first);
  CHECK(*second);
  CHECK_FALSE(*world.ask(world.question(2, "busy")));
}

TEST_CASE("the longest unused entry is forgotten first", "[caching_resolver]") {
  World world;
  world.options.max_entries = 2;
  world.build();
  world.learn(world.question(1), address_answer(300));
  world.learn(world.question(2), address_answer(300));
  CHECK(*world.ask(world.question(1)));
  world.learn(world.question(3), address_answer(300));
  CHECK(world.cache->size() == 2);
  CHECK(*world.ask(world.question(1)));
  CHECK(*world.ask(world.question(3)));
  CHECK_FALSE(*world.ask(world.question(2)));
}

TEST_CASE("large answers cannot fill the memory", "[caching_resolver]") {
  World world;
  world.options.max_octets = 100'000;
  world.build();
  const Answer large = answer_of(Status::Insecure, 300, {TxtRecord{std::string(40'000, 't')}});
  for (int i = 0; i < 10; ++i) world.learn(world.question(i), large);
  CHECK(world.cache->size() == 2);
  world.learn(world.question(99), answer_of(Status::Insecure, 300, {TxtRecord{std::string(200'000, 't')}}));
  CHECK(world.cache->size() == 2);
}

TEST_CASE("clear forgets, and what was in flight is delivered but not kept", "[caching_resolver]") {
  World world;
  world.build();
  world.learn(world.question(1), address_answer(300));
  const auto flying = world.ask(world.question(2));
  world.cache->clear();
  world.inner.answer_next(address_answer(300));
  CHECK(*flying);
  CHECK_FALSE(*world.ask(world.question(1)));
  CHECK_FALSE(*world.ask(world.question(2)));
}

TEST_CASE("a caching resolver that is gone calls nobody", "[caching_resolver]") {
  World world;
  world.build();
  world.learn(world.question(1), address_answer(300));
  bool called = false;
  const auto note = [&](const Answer&) { called = true; };
  world.cache->resolve(world.question(1), note);  // posted
  world.cache->resolve(world.question(2), note);  // in flight
  world.cache.reset();
  world.tasks.run();
  world.inner.answer_next(address_answer(300));
  CHECK_FALSE(called);
}

TEST_CASE("a caller may destroy the caching resolver or ask again from its callback", "[caching_resolver]") {
  World world;
  world.build();
  int calls = 0;
  SECTION("destroy") {
    world.cache->resolve(world.question(), [&](const Answer&) {
      ++calls;
      world.cache.reset();
    });
    world.cache->resolve(world.question(), [&](const Answer&) { ++calls; });
    world.inner.answer_next(address_answer(300));
    CHECK(calls == 1);
  }
  SECTION("ask again") {
    world.cache->resolve(world.question(), [&](const Answer&) {
      world.cache->resolve(world.question(), [&](const Answer&) { ++calls; });
    });
    world.inner.answer_next(address_answer(300));
    world.tasks.run();
    CHECK(calls == 1);
    CHECK(world.inner.count == 1);
  }
}
