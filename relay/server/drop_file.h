#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "policy/result.h"
#include "relay/server/server_engine.h"

namespace waxwing {

// Files in the drop directory, where sendmail(8) leaves messages while the relay does not run. Such a file is what the
// caller would have said to the relay: a first line "waxwing-drop NAME", MAIL, RCPT for each recipient, DATA, each with
// CRLF, and the content up to the end of the file.

/// A name for a file that nobody can guess: who may not list the directory cannot read what others left there.
/// @errors  Unavailable: the system gives no random numbers
[[nodiscard]] Result<std::string> make_drop_name();

/// Whether a name is one of make_drop_name(). While a file is written it has another.
[[nodiscard]] bool is_drop_name(std::string_view name);

/// The first line, which keeps a file that was made for something else from being taken for one.
[[nodiscard]] std::string drop_file_mark(std::string_view name);

/// What stands in front of the content.
struct DropEnvelope {
  Envelope envelope;
  std::size_t octets = 0;  ///< where the content begins
};

/// Reads the beginning of a file.
/// @param text  at least kMaxDropEnvelopeOctets of it, or all
/// @errors  Malformed: anything but such an envelope; an error never says where the reader should go on
/// @limits  kMaxDropEnvelopeOctets, kMaxDropRecipients
[[nodiscard]] Result<DropEnvelope> parse_drop_envelope(std::string_view name, std::string_view text);

inline constexpr std::size_t kMaxDropRecipients = 100;
inline constexpr std::size_t kMaxDropEnvelopeOctets = 131'072;

}  // namespace waxwing
