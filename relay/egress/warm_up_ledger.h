#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace waxwing {

/// Messages that a provider got from a source on one day.
struct WarmUpUse {
  std::string source;
  std::string provider;
  std::int64_t day = 0;  ///< since 1970-01-01 (UTC)
  std::uint64_t used = 0;

  friend bool operator==(const WarmUpUse&, const WarmUpUse&) = default;
};

/// Counts what sources that are warmed up send to each provider on the day, so that none gets more than the day allows,
/// however many attempts are under way: each takes its place before it connects. Days only count as the caller says
/// them; a clock that goes back over midnight goes on counting for the later day.
/// @limits  kMaxWarmUpPairs pairs of source and provider in a day; there is no place for more until the next one
class WarmUpLedger {
 public:
  enum class Place {
    Free,
    Taken,   ///< by attempts under way, some of which may give it back
    UsedUp,  ///< for the day
  };

  /// Whether reserve() would find a place.
  [[nodiscard]] Place look(const std::string& source, const std::string& provider, std::uint64_t allowance,
                           std::int64_t day);
  /// Takes a place, which look() has just found Free.
  void reserve(const std::string& source, const std::string& provider, std::int64_t day);
  /// Ends a reservation of that day: the message was put to the provider, or was not.
  void spend(const std::string& source, const std::string& provider, std::int64_t day);
  void give_back(const std::string& source, const std::string& provider, std::int64_t day);

  /// Takes over what was written down, at the start; other days than `day` are passed over.
  void load(const std::vector<WarmUpUse>& uses, std::int64_t day);
  /// Pairs whose number has changed since the last call, with the whole number.
  [[nodiscard]] std::vector<WarmUpUse> take_changes();
  /// They could not be written: the next take_changes() gives them again, as they are then.
  void not_written(const std::vector<WarmUpUse>& uses);

 private:
  using Pair = std::pair<std::string, std::string>;
  struct Entry {
    std::uint64_t used = 0;
    std::uint64_t reserved = 0;
  };
  void go_to(std::int64_t day);
  Entry* reserved_entry(const std::string& source, const std::string& provider, std::int64_t day);

  std::int64_t day_ = 0;
  std::map<Pair, Entry> entries_;  // of day_
  std::set<Pair> changed_;
};

inline constexpr std::size_t kMaxWarmUpPairs = 100'000;

}  // namespace waxwing
