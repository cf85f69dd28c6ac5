#pragma once

#include <string>
#include <string_view>

namespace waxwing {

/// Whether the octets are UTF-8 without overlong forms, surrogates and code points above U+10FFFF. ASCII is.
/// @source  RFC 3629 §4
[[nodiscard]] bool is_valid_utf8(std::string_view octets);

/// Says of octets that come in pieces, cut anywhere, what is_valid_utf8() says of them as a whole.
class Utf8Validator {
 public:
  void update(std::string_view octets);

  /// Of all octets so far; false also when the last sequence is not complete.
  [[nodiscard]] bool is_valid() const { return valid_ && cut_off_.empty(); }

 private:
  bool valid_ = true;
  std::string cut_off_;  ///< the beginning of a sequence, at most 3 octets
};

}  // namespace waxwing
