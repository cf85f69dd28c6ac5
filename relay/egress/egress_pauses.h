#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "policy/time_point.h"

namespace waxwing {

/// That a source rests at a provider.
struct EgressPause {
  std::string source;
  std::string provider;  ///< registrable domain of MX hosts; empty: at all
  WallTime until;
  std::string rule;    ///< that asked for it; empty: an operator
  std::string reason;  ///< the reply, or the operator's words

  friend bool operator==(const EgressPause&, const EgressPause&) = default;
};

/// Which sources rest where. Time is what the caller says.
/// @limits  kMaxEgressPauses; of more, the one that ends first is forgotten
class EgressPauses {
 public:
  /// Adds a pause, or makes the one of that source and provider last longer; one never becomes shorter by this.
  /// @return  whether the source did not rest there before
  bool begin(const EgressPause& pause, WallTime now);

  /// Ends the pause of exactly that source and provider.
  void end(const std::string& source, const std::string& provider);

  /// The pause that keeps a source from a provider longest: one for the provider, or one for all.
  /// @return  valid until the next change; nullptr: none does
  [[nodiscard]] const EgressPause* find(const std::string& source, const std::string& provider, WallTime now) const;

  /// Takes over what was written down, at the start.
  void load(const std::vector<EgressPause>& pauses);

  /// What has changed since the last call, to be written down.
  struct Changes {
    std::vector<EgressPause> begun;                          ///< as they are now
    std::vector<std::pair<std::string, std::string>> ended;  ///< source and provider
    [[nodiscard]] bool empty() const { return begun.empty() && ended.empty(); }
  };
  [[nodiscard]] Changes take_changes();
  /// They could not be written: the next take_changes() gives them again, as they are then.
  void not_written(const Changes& changes);

 private:
  using Pair = std::pair<std::string, std::string>;
  void make_room(WallTime now);

  std::map<Pair, EgressPause> pauses_;
  std::set<Pair> changed_;
};

inline constexpr std::size_t kMaxEgressPauses = 10'000;

}  // namespace waxwing
