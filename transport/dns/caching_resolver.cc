#include "transport/dns/caching_resolver.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "transport/dns/answer_cache.h"
#include "transport/dns/lookup_queue.h"

namespace waxwing {

// Kept alive by nobody but its resolver; callbacks that come later hold it weakly.
struct CachingResolver::State : public std::enable_shared_from_this<State> {
  State(Resolver& its_inner, const Options& its_options, std::function<MonotonicTime()> its_now, Post its_post)
      : inner(its_inner),
        options(its_options),
        now(std::move(its_now)),
        post(std::move(its_post)),
        cache(its_options.max_entries, its_options.max_octets),
        queue(its_options.max_outstanding_per_domain) {}

  void resolve(const Question& question, OnAnswer on_answer);
  void answer_later(OnAnswer on_answer, Answer answer);
  void ask_next();
  void ask(const Question& question);
  void on_answer_of_inner(const Question& question, std::size_t asked_in, const Answer& answer);
  [[nodiscard]] Seconds lifetime(const Answer& answer) const;

  Resolver& inner;
  const Options options;
  const std::function<MonotonicTime()> now;
  const Post post;
  AnswerCache cache;
  std::map<Question, std::vector<OnAnswer>> callers;  // of questions in flight and queued
  LookupQueue queue;
  std::size_t waiting = 0;                        // callers in all
  std::map<std::string, std::size_t> waiting_by;  // domain
  std::size_t outstanding = 0;                    // questions in flight
  std::size_t generation = 0;                     // counts clear(): an answer asked for before it is not kept
};

void CachingResolver::State::resolve(const Question& question, OnAnswer on_answer) {
  if (std::optional<Answer> known = cache.find(question, now())) {
    answer_later(std::move(on_answer), std::move(*known));
    return;
  }
  const auto share = waiting_by.try_emplace(std::string(sharing_domain(question.name))).first;
  if (waiting >= options.max_waiting || share->second >= options.max_waiting_per_domain) {
    if (share->second == 0) waiting_by.erase(share);
    Answer refusal;
    refusal.detail = "too many lookups";
    answer_later(std::move(on_answer), std::move(refusal));
    return;
  }
  ++waiting;
  ++share->second;
  auto [entry, is_new] = callers.try_emplace(question);
  entry->second.push_back(std::move(on_answer));
  if (!is_new) return;
  queue.push(question);
  ask_next();
}

void CachingResolver::State::answer_later(OnAnswer on_answer, Answer answer) {
  post([weak = weak_from_this(), on_answer = std::move(on_answer), answer = std::move(answer)] {
    if (!weak.expired()) on_answer(answer);
  });
}

void CachingResolver::State::ask_next() {
  while (outstanding < options.max_outstanding) {
    const std::optional<Question> question = queue.pop();
    if (!question) return;
    ++outstanding;
    ask(*question);
  }
}

void CachingResolver::State::ask(const Question& question) {
  inner.resolve(question, [weak = weak_from_this(), question, asked_in = generation](const Answer& answer) {
    if (const auto state = weak.lock()) state->on_answer_of_inner(question, asked_in, answer);
  });
}

void CachingResolver::State::on_answer_of_inner(const Question& question, std::size_t asked_in, const Answer& answer) {
  --outstanding;
  queue.finished(question);
  const Answer kept = answer;  // the inner resolver's may be gone once a caller has acted
  const std::vector<OnAnswer> served = std::move(callers.extract(question).mapped());
  waiting -= served.size();
  const auto share = waiting_by.find(std::string(sharing_domain(question.name)));
  share->second -= served.size();
  if (share->second == 0) waiting_by.erase(share);
  if (asked_in == generation) cache.add(question, kept, now() + lifetime(kept));
  ask_next();
  const std::weak_ptr<State> weak = weak_from_this();
  for (const OnAnswer& on_answer : served) {
    on_answer(kept);
    if (weak.use_count() == 1) return;  // only this call holds it: a caller destroyed the resolver
  }
}

Seconds CachingResolver::State::lifetime(const Answer& answer) const {
  if (answer.status == Answer::Status::Bogus) return options.bogus_ttl;
  if (answer.status == Answer::Status::Failed) return options.failed_ttl;
  const Seconds longest = answer.records.empty() ? options.max_negative_ttl : options.max_ttl;
  return std::clamp(Seconds(answer.ttl_seconds), options.min_ttl, longest);
}

CachingResolver::CachingResolver(Resolver& inner, const Options& options, std::function<MonotonicTime()> now, Post post)
    : state_(std::make_shared<State>(inner, options, std::move(now), std::move(post))) {}

CachingResolver::~CachingResolver() = default;

void CachingResolver::resolve(const Question& question, OnAnswer on_answer) {
  state_->resolve(question, std::move(on_answer));
}

void CachingResolver::clear() {
  state_->cache.clear();
  ++state_->generation;
}

std::size_t CachingResolver::size() const {
  return state_->cache.size();
}

}  // namespace waxwing
