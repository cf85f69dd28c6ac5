#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "policy/result.h"
#include "relay/admin/admin_commands.h"

namespace waxwing {

// What goes over the control socket: the client sends one request, a JSON object on one line; the relay answers with
// lines of one JSON object each. The last one is {"done":true,"exit":0}, with "next" when there is more to ask for; or
// {"done":true,"exit":65,"error":"…"}, where `exit` is the status of sysexits.h that says what kind of error it was.

/// `<run>/control`.
[[nodiscard]] std::string control_socket_path(const std::string& run_directory);

/// Reads a request line without its line end.
/// @errors  Malformed: no JSON object
[[nodiscard]] Result<nlohmann::json> parse_request(std::string_view line);

/// All lines of an answer.
[[nodiscard]] std::string reply_text(const Result<AdminReply>& reply);

/// The last line of an answer, read back.
struct ReplyEnd {
  std::optional<Error> error;
  std::optional<std::string> next;
};

/// Reads a line as the end of an answer; no value when it is not.
[[nodiscard]] std::optional<ReplyEnd> parse_reply_end(const nlohmann::json& line);

inline constexpr std::size_t kMaxRequestOctets = 1U << 20;
inline constexpr std::size_t kMaxReplyLineOctets = 16U << 20;

}  // namespace waxwing
