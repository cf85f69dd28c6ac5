#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace waxwing {

/// Writes a header field in lines of at most 78 columns where the words allow it (RFC 5322 §2.1.1). A continuation line
/// begins with one space.
class FoldedLine {
 public:
  /// Begins with `start`, such as "DKIM-Signature: v=1;", or goes on with a field that is folded already.
  explicit FoldedLine(std::string_view start);

  /// Adds a tag after a space, or on a new line.
  void add_word(std::string_view word);

  /// Adds text directly behind the last one; when it does not fit, on a new line. Only where white space means nothing.
  void add_joined(std::string_view part);

  /// Adds text that may be cut at any octet, such as base64.
  void add_cuttable(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void begin_line();

  static constexpr std::size_t kColumns = 78;

  std::string text_;
  std::size_t column_;
};

}  // namespace waxwing
