#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/ip_address.h"
#include "policy/time_point.h"
#include "relay/egress/egress_pauses.h"
#include "relay/egress/egress_source.h"
#include "relay/egress/reply_pattern.h"
#include "relay/egress/warm_up_ledger.h"

namespace waxwing {

/// A reply that makes a source rest at a provider.
struct PauseRule {
  std::string name;
  std::string provider;  ///< empty: any
  int code = 0;          ///< 0: any from 400 to 599
  std::optional<ReplyPattern> text{};
  Seconds pause_for{0};
};

/// What one attempt to deliver one message asks with, and the place that it holds in a warm-up. Ended by
/// EgressPools::settle().
struct EgressClaim {
  std::uint64_t message = 0;  ///< queue id
  std::size_t pool = 0;       ///< index
  struct Place {
    std::size_t source = 0;
    std::string provider;
    std::int64_t day = 0;
    friend bool operator==(const Place&, const Place&) = default;
  };
  std::optional<Place> place{};
};

/// Chooses the source from which a message goes to a provider: the one that the message prefers in its pool (see
/// weighted_order()) among those that have a way to the host, do not rest at the provider, and whose warm-up allows one
/// more message there today. Learns of replies that make a source rest. A provider is the registrable domain of an MX
/// name. Time is what the caller says. Thread-safe: the workers share one.
class EgressPools {
 public:
  struct Options {
    std::vector<EgressSource> sources;
    std::vector<EgressPool> pools;  ///< their members are indexes of `sources`
    std::vector<PauseRule> rules;
  };
  explicit EgressPools(Options options);

  [[nodiscard]] const EgressSource& source(std::size_t index) const { return options_.sources.at(index); }
  /// Index of the pool of that name, which exists.
  [[nodiscard]] std::size_t pool_index(std::string_view name) const;

  struct Choice {
    std::optional<std::size_t> source;  ///< no value: none may be used
    std::string reason;                 ///< then: a sentence that says why, and until when
    std::optional<WallTime> until;      ///< then: when one may be used; no value: time alone changes nothing
  };
  /// Chooses for a connection, and has `claim` hold a place in the warm-up of that source; asked again in the same
  /// attempt, it gives back the place that is not needed any more.
  /// @param host  addresses of the MX host that are still to be tried
  [[nodiscard]] Choice choose(EgressClaim& claim, const std::string& provider, std::span<const IpAddress> host,
                              WallTime now);

  struct Rest {
    bool is_new = false;  ///< the source did not rest there before
    WallTime retry_at;    ///< when some source of the pool may be used; `now` when one is free
  };
  struct Refusal : Rest {
    EgressPause pause;
  };
  /// Takes a reply of 400 to 599 to a source. Where a rule fits, the source rests at the provider.
  /// @param text  of the reply after its code
  /// @return      no value: no rule fits
  [[nodiscard]] std::optional<Refusal> on_reply(const EgressClaim& claim, std::size_t source,
                                                const std::string& provider, std::span<const IpAddress> host, int code,
                                                std::string_view text, WallTime now);

  /// Makes a source rest that turned out to be of no use.
  [[nodiscard]] Rest rest(const EgressClaim& claim, const EgressPause& pause, const std::string& provider,
                          std::span<const IpAddress> host, WallTime now);

  enum class Use { Sent, NotSent };
  /// Ends what an attempt holds: Sent when the message was put to the provider, whatever that said.
  void settle(EgressClaim& claim, Use use);

  /// An operator's orders.
  void pause(const EgressPause& pause, WallTime now);
  void resume(const std::string& source, const std::string& provider);

  /// What is kept over a restart.
  struct Changes {
    std::vector<WarmUpUse> uses;
    EgressPauses::Changes pauses;
    [[nodiscard]] bool empty() const { return uses.empty() && pauses.empty(); }
  };
  void load(const std::vector<WarmUpUse>& uses, const std::vector<EgressPause>& pauses, WallTime now);
  [[nodiscard]] Changes take_changes();
  void not_written(const Changes& changes);

 private:
  // Why a source may not be used now; no value: it may.
  struct Obstacle {
    WallTime until;
    std::string words;
  };
  [[nodiscard]] std::optional<Obstacle> obstacle(const EgressClaim& claim, std::size_t source,
                                                 const std::string& provider, WallTime now);
  [[nodiscard]] Choice look(const EgressClaim& claim, const std::string& provider, std::span<const IpAddress> host,
                            WallTime now);
  [[nodiscard]] Rest begin_rest(const EgressClaim& claim, const EgressPause& pause, const std::string& provider,
                                std::span<const IpAddress> host, WallTime now);
  void let_go(EgressClaim& claim, Use use);

  const Options options_;
  mutable std::mutex mutex_;
  EgressPauses pauses_;
  WarmUpLedger ledger_;
};

/// How long to wait for a place in a warm-up that attempts under way may give back.
inline constexpr Seconds kTakenPlaceRetry{60};

}  // namespace waxwing
