#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "policy/time_point.h"
#include "relay/queue/retry_schedule.h"

namespace waxwing {

/// How many attempts may be under way to each destination, a recipient domain or a route, by how its hosts bear them. A window begins at
/// `initial` and grows by one for each window full of attempts that reached the host, up to `most`; it shrinks by one for
/// each that did not, down to 1. When as many attempts in a row as the window holds did not reach it, `failed_cohorts`
/// times over, the domain is paused, longer each time; then one attempt is made, and one that reaches the host opens the
/// window again.
///
/// Whether a host was reached is what counts: a recipient that is refused says nothing about how much its host bears.
/// Pure: time is what the caller says, and one seed gives one behaviour.
/// @limits  kMaxKnownDestinations domains; the one that was heard of least recently is forgotten first
/// @source  Postfix SCHEDULER_README, "Concurrency scheduling" and "Pseudo-cohorts and dead-site detection"
class DestinationConcurrency {
 public:
  struct Options {
    std::size_t initial = 5;         ///< 1 to `most`
    std::size_t most = 20;           ///< at least 1
    std::size_t failed_cohorts = 1;  ///< after which a domain is paused; 0: none ever is
    std::uint64_t seed = 0;          ///< random: spreads the ends of pauses
  };

  /// A domain for which another number of attempts is right from now on; 0 while it is paused.
  struct Change {
    std::string domain;
    std::size_t limit = 0;
    friend bool operator==(const Change&, const Change&) = default;
  };

  /// What an attempt found out about the host.
  enum class Feedback {
    Reached,    ///< it took a transaction, whatever it said about it
    Unreached,  ///< no connection, no greeting, no session; or it asked for less
    Refused,    ///< it does not know us, and the next attempt would hear the same: the destination is paused at once
    Unknown,    ///< nothing: it was not asked
  };

  /// @param schedule  how long the first, second … pause in a row is; none is longer than kLongestPause
  DestinationConcurrency(const Options& options, RetrySchedule schedule);

  /// Takes the result of one attempt.
  /// @return  what changes, at most the domain itself and one that is forgotten
  [[nodiscard]] std::vector<Change> on_result(const std::string& domain, Feedback feedback, WallTime now);

  /// Ends the pauses whose time is over: one attempt each is due.
  [[nodiscard]] std::vector<Change> resume(WallTime now);

  /// Begins anew with a domain, because an operator wants it tried.
  [[nodiscard]] std::vector<Change> forget(const std::string& domain);

  /// Ends no pause later than kLongestPause from now: the clock was set back.
  void bring_forward(WallTime now);

  /// When resume() will have something; no value: nothing is paused.
  [[nodiscard]] std::optional<WallTime> next_resume() const;

  /// Attempts that may be under way now; 0: paused.
  [[nodiscard]] std::size_t limit(const std::string& domain) const;

  /// Until when a domain is paused; no value: it is not.
  [[nodiscard]] std::optional<WallTime> paused_until(const std::string& domain) const;

  /// Domains that something is known of.
  [[nodiscard]] std::size_t size() const { return known_.size(); }

 private:
  struct Destination {
    double window = 0;
    double failed_cohorts = 0;
    std::uint32_t pauses = 0;  // in a row
    bool probing = false;      // the pause is over and no attempt has told yet whether it should be
    std::optional<WallTime> paused_until{};
    std::list<std::string>::iterator age{};
  };

  [[nodiscard]] Destination& known(const std::string& domain, std::vector<Change>& changes);
  void on_reached(Destination& destination) const;
  void on_unreached(const std::string& domain, Destination& destination, WallTime now);
  void pause(const std::string& domain, Destination& destination, WallTime now);
  void end_pause(const std::string& domain, Destination& destination);
  [[nodiscard]] static std::size_t limit_of(const Destination& destination);

  Options options_;
  RetrySchedule schedule_;
  std::unordered_map<std::string, Destination> known_;
  std::list<std::string> ages_;  // least recently heard of first
  std::set<std::pair<WallTime, std::string>> pauses_;
};

inline constexpr std::size_t kMaxKnownDestinations = 10'000;
inline constexpr Seconds kLongestPause{3'600};

}  // namespace waxwing
