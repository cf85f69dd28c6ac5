#pragma once

#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "transport/dns/resolver.h"

namespace waxwing::test {

/// Holds the questions until a test answers them.
struct FakeResolver : Resolver {
  struct Asked {
    Question question;
    OnAnswer on_answer;
  };

  void resolve(const Question& question, OnAnswer on_answer) override {
    ++count;
    asked.push_back({question, std::move(on_answer)});
  }

  void answer_next(const Answer& answer) {
    const Asked next = std::move(asked.front());
    asked.pop_front();
    next.on_answer(answer);
  }

  std::deque<Asked> asked;
  int count = 0;
};

/// Runs posted tasks when a test says so.
struct Tasks {
  std::function<void(std::function<void()>)> post() {
    return [this](std::function<void()> task) { waiting.push_back(std::move(task)); };
  }
  void run() {
    for (auto& task : std::exchange(waiting, {})) task();
  }
  std::vector<std::function<void()>> waiting;
};

inline Answer answer_of(Answer::Status status, std::uint32_t ttl, std::vector<RecordData> records = {}) {
  Answer answer;
  answer.status = status;
  answer.name_exists = true;
  answer.ttl_seconds = ttl;
  answer.records = std::move(records);
  return answer;
}

inline Answer address_answer(std::uint32_t ttl, Answer::Status status = Answer::Status::Insecure) {
  return answer_of(status, ttl, {*IpAddress::parse("192.0.2.1")});
}

}  // namespace waxwing::test
