#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <sys/types.h>

#include "policy/result.h"
#include "policy/time_point.h"
#include "transport/io/event_loop.h"

namespace waxwing {

/// One request and who sent it.
struct LocalRequest {
  std::string line;    ///< without its line end
  uid_t peer_uid = 0;  ///< that the other side had when it connected
};

/// Listens on a unix socket for requests of one line: one request and its answer on each connection. Only root, the
/// user of this process and whom the options name are heard, by the credentials that the kernel tells (SO_PEERCRED,
/// unix(7)). Lives on its loop's
/// thread.
class LocalRequestServer {
 public:
  struct Options {
    std::string path;                 ///< at most 107 octets
    std::optional<uid_t> also_heard;  ///< another user who may ask
    std::size_t max_request_octets = 0;
    std::string denied_answer;    ///< to a peer who may not ask
    std::string too_long_answer;  ///< to a request over the limit
  };
  /// Takes the whole text of an answer, on the loop's thread; may be called at once or later, once.
  using Respond = std::function<void(std::string)>;
  using Handle = std::function<void(LocalRequest request, Respond respond)>;

  /// Binds `options.path` with mode 0600, or 0666 when another user may ask. A socket that a dead process left behind is replaced.
  /// @errors  Conflict: another process listens there; NotFound, Denied: the directory; Malformed: the path is too
  ///          long. The detail names the path.
  [[nodiscard]] static Result<std::unique_ptr<LocalRequestServer>> open(EventLoop& loop, Options options,
                                                                        Handle handle);

  ~LocalRequestServer();  ///< closes all connections and removes the socket
  LocalRequestServer(const LocalRequestServer&) = delete;
  LocalRequestServer& operator=(const LocalRequestServer&) = delete;

 private:
  struct State;
  explicit LocalRequestServer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

/// Connections at the same time; more are closed at once.
inline constexpr std::size_t kMaxLocalConnections = 16;
/// How long a client may take to send its request, and to read the answer.
inline constexpr Seconds kLocalRequestTimeout{30};

}  // namespace waxwing
