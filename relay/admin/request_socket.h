#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/result.h"
#include "relay/admin/control_protocol.h"

namespace waxwing {

/// The client's side of a socket of the relay that takes one request and answers it. Blocks.
class RequestSocket {
 public:
  RequestSocket();
  ~RequestSocket();
  RequestSocket(const RequestSocket&) = delete;
  RequestSocket& operator=(const RequestSocket&) = delete;

  /// @return  0, or errno
  [[nodiscard]] int connect(const std::string& path);

  /// Sends one request and reads the whole answer.
  /// @param lines  the lines of the answer are appended
  /// @errors  Unavailable: no answer within a minute; Malformed: request or answer is not of the protocol; Exhausted: the
  ///          answer has more than kMaxAdminLines lines
  [[nodiscard]] Result<ReplyEnd> ask(const nlohmann::json& request, std::vector<nlohmann::json>& lines);

 private:
  [[nodiscard]] bool send(std::string_view octets);
  [[nodiscard]] std::optional<std::string> read_line();

  int descriptor_;
  std::string buffer_;
};

inline constexpr std::size_t kMaxAdminLines = 2'000'000;

}  // namespace waxwing
