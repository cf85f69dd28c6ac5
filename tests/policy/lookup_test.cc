#include "policy/lookup.h"

#include <catch2/catch.hpp>

using namespace waxwing;

TEST_CASE("an unanswered question is noted once and in the order of need") {
  Answers answers;
  CHECK(answers.find({"b.example", RecordType::TXT}) == nullptr);
  CHECK(answers.find({"a.example", RecordType::MX}) == nullptr);
  CHECK(answers.find({"b.example", RecordType::TXT}) == nullptr);
  CHECK(answers.missing() == std::vector<Question>{{"b.example", RecordType::TXT}, {"a.example", RecordType::MX}});
}

TEST_CASE("an answer removes its question from the missing ones and stays where it is") {
  Answers answers;
  const Question question{"a.example", RecordType::A};
  CHECK(answers.find(question) == nullptr);
  Answer answer;
  answer.status = Answer::Status::Insecure;
  answers.add(question, answer);
  CHECK(answers.missing().empty());
  const Answer* found = answers.find(question);
  REQUIRE(found);
  CHECK(found->usable());
  for (int i = 0; i < 100; ++i) answers.add({std::to_string(i) + ".example", RecordType::A}, {});
  CHECK(answers.find(question) == found);
  CHECK(answers.known().size() == 101);
}

TEST_CASE("only secure and insecure answers are usable") {
  Answer answer;
  CHECK_FALSE(answer.usable());
  answer.status = Answer::Status::Bogus;
  CHECK_FALSE(answer.usable());
  answer.status = Answer::Status::Secure;
  CHECK(answer.usable());
}
