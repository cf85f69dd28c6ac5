#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policy/ip_address.h"
#include "policy/result.h"
#include "transport/io/connection.h"
#include "transport/io/event_loop.h"

namespace waxwing {

/// Connects to the first of some addresses that answers: the next one is begun when the one before has not answered
/// within `stagger`, or at once when it has failed, so that a family that leads nowhere costs a quarter of a second and
/// not the time limit. The first TCP connection that stands wins; the others are dropped unused.
/// @source  RFC 8305 §5
class RacingConnect {
 public:
  struct Candidate {
    Endpoint peer;
    std::optional<IpAddress> source;  ///< local address to bind to; no value: the kernel chooses
  };
  /// The connection, without callbacks, and which candidate it leads to.
  using OnConnected = std::function<void(std::unique_ptr<Connection>, std::size_t candidate)>;
  /// What came of all of them, in one line; NotFound where this host lacks all their source addresses.
  using OnFailed = std::function<void(const Error& error)>;

  /// Begins. One of the two is called, once, never inside this call, and the object may be destroyed inside it; none is
  /// called once it is gone. The time limit is the owner's.
  /// @param candidates  at least one, in the order in which to try
  RacingConnect(EventLoop& loop, std::vector<Candidate> candidates, Milliseconds stagger, OnConnected on_connected,
                OnFailed on_failed);

 private:
  void begin_next();
  void win(std::size_t candidate);
  void lose(std::size_t candidate, const Error& error);

  EventLoop& loop_;
  const std::vector<Candidate> candidates_;
  const Milliseconds stagger_;
  OnConnected on_connected_;
  OnFailed on_failed_;
  std::vector<std::unique_ptr<Connection>> attempts_;  // one for each candidate that was begun
  std::size_t failed_ = 0;
  std::size_t without_source_ = 0;  // of those that failed
  std::string details_;
  Timer timer_;
};

inline constexpr Milliseconds kConnectStagger{250};  ///< RFC 8305 §8: "Connection Attempt Delay"

}  // namespace waxwing
