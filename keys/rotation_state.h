#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/dkim_key_record.h"
#include "policy/domain_name.h"
#include "policy/result.h"
#include "policy/time_point.h"

namespace waxwing {

/// Where a generation of keys is in its life.
enum class KeyPhase {
  Pending,    ///< made; its records are to be published
  Published,  ///< its records were seen everywhere; whoever looked before may still remember that there were none
  Ready,      ///< proven, and nobody remembers otherwise: the standby, which may sign at any moment
  Active,     ///< signs
  Retiring,   ///< signs no more; mail under way still needs its records, until `withdrawing`
  Withdrawn,  ///< its records were seen nowhere; some caches may still hold them
  Destroyed,  ///< the private halves are gone
  Revealed,   ///< the private halves are public, so that nobody can be held to an old signature
};

/// "pending", "published", …
[[nodiscard]] std::string_view key_phase_name(KeyPhase phase);

/// Reads what key_phase_name() wrote; no value: something else.
[[nodiscard]] std::optional<KeyPhase> parse_key_phase(std::string_view text);

/// Whether nothing will happen to the generation any more.
[[nodiscard]] inline bool is_final(KeyPhase phase) {
  return phase == KeyPhase::Destroyed || phase == KeyPhase::Revealed;
}

/// Records by selector, of private halves that are in the store.
using MadeKeys = std::map<std::string, std::string, std::less<>>;

/// One key of a generation, as far as the public may know it.
struct RotatedKey {
  std::string selector;  ///< as parse_selector() returns it
  DkimKeyType type = DkimKeyType::Rsa;
  std::string record;  ///< the TXT record to publish, byte for byte; empty: the key is not made yet

  friend bool operator==(const RotatedKey&, const RotatedKey&) = default;
};

/// Keys that go through life together: an RSA and an Ed25519 key, so that every verifier can check one of them; a
/// single one where the operator made it so.
struct KeyGeneration {
  std::vector<RotatedKey> keys;  ///< 1 or 2
  KeyPhase phase = KeyPhase::Pending;
  WallTime since;                       ///< in this phase
  std::optional<WallTime> drained;      ///< Retiring: since when nothing that waits carries it, as far as was looked
  std::optional<WallTime> withdrawing;  ///< Retiring: since when the records are to go
  Seconds ttl{0};                       ///< longest TTL of the records that was seen
  Seconds negative_ttl{0};              ///< longest time for which absence may be remembered that was seen
  bool revoked = false;                 ///< withdrawn in an emergency: the records say so (p= empty)
  bool reveal = false;                  ///< to be revealed, not destroyed

  friend bool operator==(const KeyGeneration&, const KeyGeneration&) = default;
};

/// All that is remembered about the keys of one domain.
struct RotationState {
  DomainName domain;
  std::string delegation;        ///< zone of ours into which the domain's CNAMEs lead; empty: the domain's own zone
  std::uint64_t sequence = 0;    ///< entries of the audit log so far
  bool rotation_wanted = false;  ///< the operator asked for one, and it has not happened yet
  std::vector<KeyGeneration> generations;  ///< oldest first

  friend bool operator==(const RotationState&, const RotationState&) = default;
};

/// One change, for the audit log.
struct KeyTransition {
  std::string selector;  ///< the first of the generation
  KeyPhase from = KeyPhase::Pending;
  KeyPhase to = KeyPhase::Pending;
  std::string why;       ///< phrase: what made it due
  std::string evidence;  ///< what was seen; may be empty

  friend bool operator==(const KeyTransition&, const KeyTransition&) = default;
};

/// The generation that a selector belongs to and that is not final; nullptr: none.
[[nodiscard]] const KeyGeneration* find_generation(const RotationState& state, std::string_view selector);
[[nodiscard]] KeyGeneration* find_generation(RotationState& state, std::string_view selector);

/// Selectors whose keys may sign now: those of the active generation.
[[nodiscard]] std::vector<std::string> signing_selectors(const RotationState& state);

/// Where the record of a selector is put: "<selector>._domainkey.<domain>", and below the zone of the delegation where
/// there is one.
[[nodiscard]] std::string publication_name(const RotationState& state, std::string_view selector);

inline constexpr std::size_t kMaxGenerations = 128;
inline constexpr std::size_t kMaxKeysOfGeneration = 2;

}  // namespace waxwing
