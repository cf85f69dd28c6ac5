#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/input_buffer.h"
#include "policy/secret.h"

namespace waxwing {

/// The beginning of a request.
struct HttpRequestHead {
  struct Field {
    std::string name;  ///< lower case
    std::string value;
  };
  std::string method;
  std::string target;
  std::vector<Field> fields;
  std::optional<Secret> authorization;  ///< value of that field, which is none of `fields`
  std::uint64_t body_octets = 0;
  bool keep_alive = true;        ///< the client did not ask to close
  bool awaits_continue = false;  ///< Expect: 100-continue

  /// The value of a field that stands once; nullptr where it is missing.
  [[nodiscard]] const std::string* field(std::string_view name) const;
};

/// Reads requests of HTTP/1.1 one after the other, strictly: what two programs could read differently is refused and ends
/// the connection. Only bodies with a Content-Length are taken.
///
/// Head -> { owner looks at head() } -> read_body() -> Body -> Complete -> next() -> Head …
/// @source  RFC 9112 §2 to §6, RFC 9110 §10.1.1
class HttpRequestReader {
 public:
  enum class State {
    Head,      ///< more octets are needed
    Headed,    ///< head() is there; the owner calls read_body(), or answers and closes
    Body,      ///< more octets are needed
    Complete,  ///< take_body(), answer, next()
    Invalid,   ///< answer with failure_status() and close
  };

  [[nodiscard]] State state() const { return state_; }
  /// Octets that come while Headed or Complete wait, at most kMaxWaitingHttpOctets of them.
  void on_bytes(std::string_view octets);

  [[nodiscard]] const HttpRequestHead& head() const { return head_; }
  /// Hands over what the client proves itself with, so that it is not kept as long as the head; no value: nothing.
  [[nodiscard]] std::optional<Secret> take_authorization() { return std::exchange(head_.authorization, std::nullopt); }
  /// @param limit  a larger body makes it Invalid with 413
  void read_body(std::uint64_t limit);
  [[nodiscard]] std::string take_body();
  void next();

  [[nodiscard]] int failure_status() const { return failure_status_; }
  /// A phrase for people.
  [[nodiscard]] std::string_view failure() const { return failure_; }

 private:
  void advance();
  void read_head();
  bool read_request_line(std::string_view line);
  bool read_field(std::string_view line);
  bool judge_fields();
  bool fail(int status, std::string_view why);

  State state_ = State::Head;
  InputBuffer input_;
  HttpRequestHead head_;
  std::string body_;
  int failure_status_ = 0;
  std::string_view failure_;
};

inline constexpr std::size_t kMaxHttpHeadOctets = 16'384;
inline constexpr std::size_t kMaxHttpRequestFields = 64;
inline constexpr std::size_t kMaxHttpTargetOctets = 1'024;
inline constexpr std::size_t kMaxWaitingHttpOctets = 131'072;

}  // namespace waxwing
