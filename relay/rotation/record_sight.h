#pragma once

#include <optional>
#include <string>

#include "keys/rotation.h"
#include "policy/time_point.h"
#include "relay/rotation/server_answers.h"

namespace waxwing {

/// What is hoped for. Whoever hopes for a record does not ask the resolver while some server lacks it, since the resolver
/// would then remember its absence.
enum class ExpectedRecord { Present, Absent };

/// Looks whether everybody who answers for a name has one TXT record, byte for byte and alone: every address of every
/// authoritative server over UDP and over TCP, past every cache, and the validating resolver. CNAMEs are followed from
/// zone to zone; all servers must agree on each.
/// @param at  when the look began
/// @return    no value: answers.take_missing() lists what to ask before calling again. `seen` is never Everywhere on
///            the word of fewer than all; a signature with the private half is left to the caller.
/// @limits    kMaxLinks CNAMEs, kMaxServers servers of a zone
/// @source    RFC 6376 §3.6.2, RFC 1034 §3.6.2, RFC 2308 §5
[[nodiscard]] std::optional<RecordSighting> sight_record(const std::string& name, const std::string& record,
                                                         ExpectedRecord expected, WallTime at, ServerAnswers& answers);

inline constexpr std::size_t kMaxLinks = 8;
inline constexpr std::size_t kMaxServers = 32;

}  // namespace waxwing
