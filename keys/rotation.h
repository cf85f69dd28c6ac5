#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "keys/rotation_state.h"
#include "policy/result.h"
#include "policy/time_point.h"

namespace waxwing {

/// What a look at the world's name servers showed of one key's record. Nothing is concluded from silence: a server that
/// did not answer makes it Unknown unless another one contradicts.
struct RecordSighting {
  enum class Seen {
    Everywhere,  ///< byte for byte and alone at its name, on every authoritative server over UDP and TCP and through the
                 ///< validating resolver, and a signature of the private half verified with it
    Nowhere,     ///< all of them answered, and none has the record; an empty p= counts as none
    Partly,      ///< at least one answered without the record, or with another
    Unknown,     ///< whoever answered has it, but somebody did not answer
  };
  Seen seen = Seen::Unknown;
  WallTime at;              ///< when the look began
  std::string record;       ///< the record that was looked for
  Seconds ttl{0};           ///< longest TTL with which the record was served
  Seconds negative_ttl{0};  ///< longest time for which its absence may be remembered (RFC 2308 §5)
  std::string evidence;     ///< who answered what, for the audit log
};

/// All that the machine is told about the world.
struct RotationFacts {
  std::map<std::string, RecordSighting, std::less<>> sightings;  ///< by selector; those not looked at are not there
  MadeKeys made;                                                 ///< all private halves of the domain
  std::set<std::string, std::less<>> taken_back;  ///< selectors whose Withdraw or Revoke was carried out or is somebody
                                                  ///< else's work; without, absence may only mean "not yet there"
  std::optional<std::set<std::string, std::less<>>> queued;  ///< selectors in signatures of mail that waits; no value:
                                                             ///< the queue could not be looked at
};

struct RotationRules {
  Seconds interval{0};            ///< from one rotation to the next; 0: only when the operator asks
  Seconds in_flight{7 * 86'400};  ///< for so long receivers may look up the key of a message that has left
  unsigned slots = 4;             ///< generations that CNAMEs exist for, where the domain is delegated
  bool reveal = false;            ///< old private halves are published, not destroyed
};

/// Something to be done in the world. All of them may be repeated: a step that finds them done asks no more.
struct RotationAction {
  enum class Kind {
    Make,      ///< a private half
    Publish,   ///< the record
    Withdraw,  ///< remove the record, and no other of its name
    Revoke,    ///< put a record with an empty p= in its place (RFC 6376 §3.6.1)
    Reveal,    ///< publish the private half, then remove it from the store
    Destroy,   ///< the private half
  };
  Kind kind;
  std::string selector;
  DkimKeyType type = DkimKeyType::Rsa;
  std::string record;  ///< of Publish, Withdraw, Revoke

  friend bool operator==(const RotationAction&, const RotationAction&) = default;
};

/// What follows from a state and the facts.
struct RotationStep {
  RotationState state;                     ///< to be kept durably before any action
  std::vector<KeyTransition> transitions;  ///< how it came about
  std::vector<RotationAction> actions;
  std::vector<std::string> troubles;  ///< sentences about what needs an operator
  std::optional<WallTime> next;       ///< when time alone will make something due; no value: never
};

/// Moves a domain's keys through their life, one step further as far as the facts prove each move. Pure: what is due
/// follows from state, facts and time alone, so that a crash between any two actions is mended by the next step.
///
/// - pending → published: every record was seen Everywhere; → ready: again, after `negative_ttl`.
/// - ready → active: none is active; or a rotation is due and another standby stays, so that the domain is never without
///   one.
/// - published, ready → pending: a record is not there any more. An active key then retires where a standby can take
///   over, and else is pending too: nothing signs with it.
/// - retiring → withdrawn: `in_flight` has passed since no queued message carries the selector, then the record was
///   seen Nowhere; → destroyed or revealed: again, after the TTLs.
/// @limits  O(generations × facts); at most kMaxGenerations are kept, the oldest final ones go
/// @source  RFC 6376 §3.6, RFC 2308 §5; M3AAWG DKIM Key Rotation, 2019
[[nodiscard]] RotationStep advance_rotation(RotationState state, const RotationFacts& facts, const RotationRules& rules,
                                            WallTime now);

/// A TTL beyond this counts as this: what RFC 8767 §4 advises resolvers to do.
inline constexpr Seconds kMaxTtl{7 * 86'400};

}  // namespace waxwing
