#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "policy/lookup.h"

namespace waxwing {

/// Questions that wait for their turn. Domains take turns, and none has more than its share in flight, so that one whose
/// servers are gone does not hold up the others.
class LookupQueue {
 public:
  explicit LookupQueue(std::size_t max_outstanding_per_domain)
      : max_outstanding_per_domain_(max_outstanding_per_domain) {}

  void push(const Question& question);

  /// Takes the next question whose domain may have one more in flight; finished() must follow for it.
  [[nodiscard]] std::optional<Question> pop();

  void finished(const Question& question);

 private:
  struct Domain {
    std::deque<Question> waiting;
    std::size_t outstanding = 0;
    bool has_turn = false;  // is in turns_
  };
  void give_turn(const std::string& name, Domain& domain);

  std::size_t max_outstanding_per_domain_;
  std::map<std::string, Domain> domains_;
  std::deque<std::string> turns_;
};

/// Whose share a lookup of this name counts for: about what somebody registered, its last two labels, or three where the
/// second-last is as short as in "co.uk".
[[nodiscard]] std::string_view sharing_domain(std::string_view name);

}  // namespace waxwing
