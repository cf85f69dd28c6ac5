#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/config/config.h"
#include "relay/server/received_verdict.h"

namespace waxwing {

/// Gives the next octets of a message, valid until the next call; empty at the end.
using ReadMessage = std::function<Result<std::string_view>()>;

/// Judges a message as a receiver would, with the resolver of the configuration. The message passes in pieces, so that
/// its size does not matter; line ends of a file may be LF alone, and an mbox "From " line before the header is passed
/// over. Blocks for as long as DNS takes.
/// @errors  those of `read`; Malformed, Exhausted: no message; Unavailable: the time limit has passed
/// @limits  kVerifyTimeLimit; the header as MessageReader
[[nodiscard]] Result<ReceivedVerdict> verify_message(const Config& config, const ReadMessage& read,
                                                     const ReceivedEnvelope& envelope);

inline constexpr Milliseconds kVerifyTimeLimit{90'000};

}  // namespace waxwing
