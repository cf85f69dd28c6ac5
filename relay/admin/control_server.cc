#include "relay/admin/control_server.h"

#include <fmt/format.h>

#include <utility>

#include "relay/admin/control_protocol.h"

namespace waxwing {

Result<std::unique_ptr<LocalRequestServer>> open_control_server(EventLoop& loop, const std::string& run_directory,
                                                                LocalRequestServer::Handle handle) {
  LocalRequestServer::Options options;
  options.path = control_socket_path(run_directory);
  options.max_request_octets = kMaxRequestOctets;
  options.denied_answer = reply_text(fail(ErrorKind::Denied, "only root and the user of waxwingd may give commands"));
  options.too_long_answer = reply_text(fail(ErrorKind::Malformed, "the request is longer than 1 MiB"));
  auto server = LocalRequestServer::open(loop, std::move(options), std::move(handle));
  if (server) return server;
  return fail(server.error().kind, fmt::format("{} (it is in run_directory)", server.error().detail));
}

}  // namespace waxwing
