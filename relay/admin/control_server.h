#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "policy/result.h"
#include "policy/time_point.h"
#include "transport/io/event_loop.h"

namespace waxwing {

/// Listens on the control socket for the commands of operators: one request and its answer on each connection. Only
/// root and the user of this process are heard. Lives on its loop's thread.
class ControlServer {
 public:
  /// Takes the whole text of an answer, on the loop's thread; may be called at once or later, once.
  using Respond = std::function<void(std::string)>;
  /// Handles one request line, without its line end.
  using Handle = std::function<void(std::string request, Respond respond)>;

  /// Binds `<run>/control` with mode 0600. A socket that a dead process left behind is replaced.
  /// @errors  Conflict: another process listens there; NotFound, Denied: the directory; Malformed: the path is too
  /// long.
  ///          The detail names the path.
  [[nodiscard]] static Result<std::unique_ptr<ControlServer>> open(EventLoop& loop, const std::string& run_directory,
                                                                   Handle handle);

  ~ControlServer();  ///< closes all connections and removes the socket
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

 private:
  struct State;
  explicit ControlServer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

/// Connections at the same time; more are closed at once.
inline constexpr std::size_t kMaxControlConnections = 16;
/// How long a client may take to send its request, and to read the answer.
inline constexpr Seconds kControlTimeout{30};

}  // namespace waxwing
