#pragma once

#include <functional>

#include "policy/lookup.h"

namespace waxwing {

/// Answers questions of DNS. One per event loop; callbacks come on that loop's thread, exactly once for each question,
/// and never inside resolve(). A resolver that is destroyed drops what is outstanding without a call; it may be
/// destroyed inside a callback.
class Resolver {
 public:
  using OnAnswer = std::function<void(const Answer&)>;
  virtual ~Resolver() = default;

  /// Asks, with the resolver's own retransmissions and time limit; a lookup that gets no proper answer comes back as
  /// Failed.
  virtual void resolve(const Question& question, OnAnswer on_answer) = 0;
};

/// Asks all that `answers` is missing, all at once, adds what comes back, and calls `on_complete` when nothing of that
/// is outstanding; at once when nothing is missing. `answers` must live until then.
void resolve_missing(Resolver& resolver, Answers& answers, std::function<void()> on_complete);

}  // namespace waxwing
