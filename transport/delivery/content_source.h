#pragma once

#include <cstdint>
#include <string_view>

#include "policy/result.h"

namespace waxwing {

/// Content of a queued message, read piecewise while it is sent. Used on the agent's thread alone.
class ContentSource {
 public:
  virtual ~ContentSource() = default;
  /// Octets of the whole content, CRLF line ends, before dot-stuffing.
  [[nodiscard]] virtual std::uint64_t size_octets() const = 0;
  /// Next piece of at most 64 KiB; empty at the end. The view is valid until the next call.
  /// @errors  Unavailable or Corrupt: the message cannot be read now; the delivery is cut before the final dot
  [[nodiscard]] virtual Result<std::string_view> next() = 0;
  /// Begins anew, for another attempt.
  [[nodiscard]] virtual Result<void> rewind() = 0;
};

}  // namespace waxwing
