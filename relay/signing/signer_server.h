#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/observe/event_log.h"
#include "signer/service/signing_session.h"

namespace waxwing {

/// Binds the socket on which waxwing-signer listens. A socket that a dead process left behind is replaced; who may speak
/// is decided by the credentials of the peer, so that the mode of the socket lets everybody connect.
/// @errors  Conflict: another process listens there; NotFound, Denied: the folder; Malformed: the path is too long
[[nodiscard]] Result<int> bind_signer_socket(const std::string& path);

/// Serves connections to waxwing-signer, a thread for each: a signature takes the time that a thread has, so a client is
/// answered as fast as it reads, and one that does not read is not read from.
class SignerServer {
 public:
  static constexpr std::size_t kMaxConnections = 256;
  static constexpr Seconds kIdleTimeout{120};
  static constexpr Seconds kWriteTimeout{10};
  static constexpr unsigned kMaxRefusalsLogged = 20;  ///< in a second; the others are counted

  /// @param relay_user  heard besides root and the user of this process
  SignerServer(SigningService& service, const EventLog& log, uid_t relay_user)
      : service_(service), log_(log), relay_user_(relay_user) {}
  ~SignerServer();  ///< cuts all connections
  SignerServer(const SignerServer&) = delete;
  SignerServer& operator=(const SignerServer&) = delete;

  /// Takes a connection that waits on `listener`. One thread at a time.
  void accept_from(int listener);

 private:
  struct Connection {
    int descriptor;
    std::atomic<bool> ended = false;
    std::thread thread;
  };
  [[nodiscard]] bool may_ask(int descriptor) const;
  void serve(int descriptor);
  void log_refusal(const Refusal& refusal);
  void reap();

  SigningService& service_;
  const EventLog& log_;
  uid_t relay_user_;
  std::list<Connection> connections_;
  std::mutex refusals_mutex_;
  MonotonicTime refusals_since_;
  unsigned refusals_logged_ = 0;
  std::int64_t refusals_dropped_ = 0;
};

}  // namespace waxwing
