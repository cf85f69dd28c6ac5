#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/result.h"

namespace waxwing {

/// A complete reply of an SMTP server.
struct SmtpReply {
  int code = 0;                    ///< 200 to 599
  std::string enhanced_code;       ///< "5.1.1", or empty; its class always agrees with `code`
  std::vector<std::string> lines;  ///< text of each line without codes; printable ASCII, at most 512 octets each

  /// One line, "550 5.1.1 no such user", at most 512 octets, control characters replaced.
  [[nodiscard]] std::string str() const;
};

/// Reads replies from octets cut anywhere. A reply that does not follow the grammar (mixed codes, no code, a code
/// outside 200 to 599, an enhanced code of another class) cannot be trusted and ends the connection as a temporary
/// failure. A line may end in a bare LF, and its text may hold any octet: both are seen in the field and neither
/// changes the meaning.
/// @limits  kMaxReplyOctets per reply, kMaxReplyLines lines, lines of kMaxReplyLineOctets, kMaxWaitingReplies not yet
/// taken
/// @source  RFC 5321 §4.2, RFC 2034 §4
class SmtpReplyReader {
 public:
  /// Takes octets. Replies that were complete before the place of an error can still be taken.
  /// @errors  Malformed: the grammar is broken; Exhausted: over a limit. Nothing is read after an error.
  [[nodiscard]] Result<void> feed(std::string_view octets);

  /// Next complete reply in order of arrival, if there is one.
  [[nodiscard]] std::optional<SmtpReply> next();

  /// Whether octets of replies that nobody took are waiting.
  [[nodiscard]] bool has_pending() const;

  /// Forgets all that was buffered: what came in clear before a handshake (RFC 3207 §4.2).
  void reset();

 private:
  [[nodiscard]] Result<void> take_line(std::string_view line);

  std::string line_;                // partial line
  std::deque<SmtpReply> complete_;  // not yet taken
  std::optional<SmtpReply> partial_;
  std::size_t reply_octets_ = 0;
  std::optional<Error> error_;
};

inline constexpr std::size_t kMaxReplyOctets = 65'536;
inline constexpr std::size_t kMaxReplyLines = 1'000;
inline constexpr std::size_t kMaxReplyLineOctets = 4'096;
inline constexpr std::size_t kMaxReplyTextOctets = 512;  ///< kept of each line
inline constexpr std::size_t kMaxWaitingReplies = 256;   ///< more than any pipelined group of ours can cause

}  // namespace waxwing
