#pragma once

#include <cstddef>
#include <string>

namespace waxwing::bench {

struct LoadMessage {
  std::string from;
  std::string to;
  std::string message_id;  ///< without angle brackets
  std::string date;        ///< as in a Date field
};

/// Text of a message of about `size_octets`, each body different, with CRLF line ends, no line beginning with a dot,
/// and the final dot.
[[nodiscard]] std::string make_data(const LoadMessage& message, std::size_t size_octets);

/// Now, as in a Date field (RFC 5322 §3.3).
[[nodiscard]] std::string current_date();

}  // namespace waxwing::bench
