#pragma once

#include <cstdint>
#include <span>

#include "policy/lookup.h"

namespace waxwing {

/// Whether the AD bit of a reply counts: only a resolver on this machine can say so without being overheard and
/// altered.
enum class AuthenticatedData { Trusted, Ignored };

/// What one reply of a resolver says.
struct ReplyReading {
  enum class Kind {
    Proper,         ///< rcode NOERROR or NXDOMAIN, and `answer` is usable
    ServerFailure,  ///< SERVFAIL: the resolver got nowhere, or validation failed
    Refused,        ///< any other rcode: asking again will not help
    Unreadable,     ///< not a complete reply to this question
  };
  Kind kind = Kind::Unreadable;
  Answer answer;  ///< Failed with a detail unless Proper
};

/// Reads the reply to `question` from the wire. Follows the CNAME chain from the question's name through the answer
/// section (not for type CNAME, whose target is given as a PtrRecord), and takes the records of the type asked for at
/// its end; the TTL is the least of all that was used, or of the negative answer's SOA. Without AD, alias_secure is
/// false as soon as there is a chain, since the bit speaks of the answer as a whole.
/// @limits  one pass per link of the chain, at most kMaxAliases links; at most kMaxRecordsPerAnswer records
/// @source  RFC 1035 §4.1, RFC 2308 §5, RFC 2181 §8, RFC 6840 §5.7, RFC 6891 §6.1.3
[[nodiscard]] ReplyReading read_reply(std::span<const std::uint8_t> message, const Question& question,
                                      AuthenticatedData authenticated_data);

/// More CNAMEs in a row than this make an answer Failed.
inline constexpr std::size_t kMaxAliases = 10;

}  // namespace waxwing
