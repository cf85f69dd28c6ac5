#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "keys/rotation.h"
#include "keys/rotation_request.h"

namespace waxwing {

/// A small generator with a seed, so that every history can be played again.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ULL + 0x2545f4914f6cdd1dULL) {}
  std::uint64_t next() {
    state_ ^= state_ << 13U;
    state_ ^= state_ >> 7U;
    state_ ^= state_ << 17U;
    return state_;
  }
  std::int64_t below(std::int64_t limit) {
    return static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(limit));
  }
  bool one_in(std::int64_t count) { return below(count) == 0; }

 private:
  std::uint64_t state_;
};

/// Name servers, queue, receivers and the disk of one domain under virtual time, as far as the life of keys touches
/// them. It keeps the four promises and says in `broken` which one was broken first.
class RotationWorld {
 public:
  static constexpr Seconds kTtl{3'600};
  static constexpr Seconds kNegativeTtl{1'800};

  explicit RotationWorld(std::uint64_t seed);

  /// Something happens: time passes, the operator speaks, servers come and go, the driver makes its step or dies in it.
  void happen();
  /// No faults from here on; steps until nothing changes any more, and judges what is left.
  void converge();

  std::string broken;  ///< empty: all promises are kept
  RotationRules rules;
  std::uint64_t signatures = 0;
  std::uint64_t rotations = 0;
  std::uint64_t crashes = 0;

  enum class Crash { Possible, No };
  void step(Crash crash);
  [[nodiscard]] const std::optional<RotationState>& kept() const { return kept_; }

 private:
  static constexpr std::size_t kServers = 2;
  static constexpr std::int64_t kNever = INT64_MAX / 4;
  struct Record {
    std::array<std::int64_t, kServers> appears{};
    std::array<std::int64_t, kServers> vanishes{};
    std::string text;
    bool stolen = false;       // somebody else removed it
    bool seen_stolen = false;  // and a step has seen that
    bool revoked = false;
    std::int64_t needed_until = 0;  // some receiver may look it up until then
    std::int64_t queued_until = 0;
  };

  void sign();
  void command();
  void perform(const RotationAction& action);
  void steal();
  void judge_standby();
  [[nodiscard]] RotationFacts look();
  [[nodiscard]] RecordSighting sight(const RotatedKey& key);
  [[nodiscard]] bool crash_now(Crash crash);
  void break_promise(const std::string& which, const std::string& selector);
  [[nodiscard]] WallTime now() const { return WallTime(Seconds(now_)); }

  Dice dice_;
  std::int64_t now_ = 1'770'000'000;
  std::optional<RotationState> kept_;      // what is on disk
  MadeKeys made_;                          // ditto
  std::map<std::string, Record> records_;  // what name servers have, will have or had
  std::array<std::int64_t, kServers> silent_until_{};
  std::set<std::string, std::less<>> taken_back_;  // as the driver in memory knows
  std::set<std::string> missed_;                   // records that are gone, as the step under way has seen
  bool resolver_fails_ = false;
  bool faults_ = true;
  bool has_standby_ = false;  // the promise of a standby holds from here on
  unsigned made_count_ = 0;
};

}  // namespace waxwing
