#include "transport/dns/resolver.h"

#include <memory>
#include <utility>
#include <vector>

namespace waxwing {

void resolve_missing(Resolver& resolver, Answers& answers, std::function<void()> on_complete) {
  const std::vector<Question> questions = answers.missing();
  if (questions.empty()) {
    on_complete();
    return;
  }
  struct Progress {
    std::size_t outstanding;
    std::function<void()> on_complete;
  };
  const auto progress = std::make_shared<Progress>(Progress{questions.size(), std::move(on_complete)});
  for (const Question& question : questions) {
    resolver.resolve(question, [&answers, question, progress](const Answer& answer) {
      answers.add(question, answer);
      if (--progress->outstanding == 0) progress->on_complete();
    });
  }
}

}  // namespace waxwing
