#pragma once

#include <chrono>

namespace waxwing {

using Milliseconds = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

/// Calendar time in UTC; it may jump. For dates in messages, certificates, DNS and the store.
using WallTime = std::chrono::sys_time<Milliseconds>;

/// Time that only moves forward, from an arbitrary start. For deadlines and retransmission.
using MonotonicTime = std::chrono::time_point<std::chrono::steady_clock, Milliseconds>;

}  // namespace waxwing
