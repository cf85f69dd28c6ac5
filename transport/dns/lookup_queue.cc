#include "transport/dns/lookup_queue.h"

#include <utility>

namespace waxwing {
namespace {

// Where the label before `end` begins; 0 for the first.
std::size_t label_start(std::string_view name, std::size_t end) {
  const std::size_t dot = end == 0 ? std::string_view::npos : name.rfind('.', end - 1);
  return dot == std::string_view::npos ? 0 : dot + 1;
}

std::size_t end_before(std::size_t start) {
  return start == 0 ? 0 : start - 1;
}

}  // namespace

std::string_view sharing_domain(std::string_view name) {
  constexpr std::size_t kCountryOctets = 2;
  constexpr std::size_t kShortOctets = 3;
  const std::size_t top = label_start(name, name.size());
  const std::size_t second = label_start(name, end_before(top));
  const bool is_suffix = name.size() - top == kCountryOctets && end_before(top) - second <= kShortOctets;
  return name.substr(is_suffix ? label_start(name, end_before(second)) : second);
}

void LookupQueue::push(const Question& question) {
  const auto [entry, is_new] = domains_.try_emplace(std::string(sharing_domain(question.name)));
  entry->second.waiting.push_back(question);
  give_turn(entry->first, entry->second);
}

std::optional<Question> LookupQueue::pop() {
  if (turns_.empty()) return std::nullopt;
  const std::string name = std::move(turns_.front());
  turns_.pop_front();
  Domain& domain = domains_.at(name);
  domain.has_turn = false;
  Question question = std::move(domain.waiting.front());
  domain.waiting.pop_front();
  ++domain.outstanding;
  give_turn(name, domain);
  return question;
}

void LookupQueue::finished(const Question& question) {
  const auto entry = domains_.find(std::string(sharing_domain(question.name)));
  Domain& domain = entry->second;
  --domain.outstanding;
  if (domain.outstanding == 0 && domain.waiting.empty()) {
    domains_.erase(entry);
  } else {
    give_turn(entry->first, domain);
  }
}

void LookupQueue::give_turn(const std::string& name, Domain& domain) {
  if (domain.has_turn || domain.waiting.empty() || domain.outstanding >= max_outstanding_per_domain_) return;
  domain.has_turn = true;
  turns_.push_back(name);
}

}  // namespace waxwing
