#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "policy/time_point.h"
#include "relay/queue/attempt_record.h"
#include "relay/queue/queued_message.h"

namespace waxwing {

/// Outcomes of attempts that a store which works has refused, until it takes them: trying the recipients again instead
/// would deliver twice. Each waits longer after each refusal. Pure: time is what the caller says.
/// @limits  kMaxUnrecordedOutcomes; what is more waits for the next start of the relay
class UnrecordedOutcomes {
 public:
  struct Outcome {
    QueueId message;
    AttemptRecord record;
    std::uint32_t refusals = 0;
  };

  /// @return  when it is to be recorded again; no value: there is no room
  [[nodiscard]] std::optional<WallTime> keep(Outcome outcome, WallTime now);

  /// Takes those whose time has come.
  [[nodiscard]] std::vector<Outcome> take_due(WallTime now);

  /// When take_due() will have something; no value: nothing waits.
  [[nodiscard]] std::optional<WallTime> next_due() const;

  /// Makes what a recipient came to due at once, because an operator has mended something.
  /// @return  whether it waits here, so that its recipient must not be tried
  bool hurry(QueueId message, std::uint32_t ordinal, WallTime now);

  /// Lets nothing wait longer than the longest time: the clock was set back.
  void bring_forward(WallTime now);

 private:
  std::multimap<WallTime, Outcome> waiting_;
};

inline constexpr std::size_t kMaxUnrecordedOutcomes = 10'000;
inline constexpr Milliseconds kFirstRecordRetry{60'000};
inline constexpr Milliseconds kLongestRecordRetry{3'600'000};

}  // namespace waxwing
