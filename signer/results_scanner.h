#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "policy/result.h"

namespace waxwing {

/// Reads the value of Authentication-Results word by word; white space, folds and comments between words are passed
/// over, and the first comment since the last call of keep_comment() can be had.
/// @limits  linear; comments nest to kMaxCommentDepth
/// @source  RFC 8601 §2.2, RFC 5322 §3.2.2
class ResultsScanner {
 public:
  explicit ResultsScanner(std::string_view text) : text_(text) { skip_blanks(); }

  /// A keyword, a number, "ptype.property" or "method/version"; "" when something else stands here.
  [[nodiscard]] std::string take_name();

  /// A value: a quoted-string, unquoted, or everything up to white space, ";" or a comment; both together for addresses
  /// such as "a b"@example.org.
  /// @errors  Malformed: a quoted-string that is not closed
  [[nodiscard]] Result<std::string> take_value();

  /// Takes "=", or ";"; false: something else stands here.
  [[nodiscard]] bool take_equals() { return take('='); }
  [[nodiscard]] bool take_semicolon() { return take(';'); }

  /// Passes over one octet that fits nowhere.
  void skip_octet();

  /// Whether a ";" or the end comes next.
  [[nodiscard]] bool at_element_end() const { return at_ == text_.size() || text_[at_] == ';'; }

  /// Moves the first comment that was passed over since the last call to `comment`; leaves it when there was none.
  void keep_comment(std::string& comment);

  /// Forgets the comments that were passed over so far.
  void drop_comment() { comment_.clear(); }

  /// @errors  Malformed: a comment was not closed; Exhausted: comments were nested too deep
  [[nodiscard]] Result<void> check() const;

 private:
  [[nodiscard]] bool take(char wanted);
  void skip_blanks();
  void skip_comment();

  std::string_view text_;
  std::size_t at_ = 0;
  std::string comment_;
  bool unclosed_ = false;
  bool too_deep_ = false;
};

}  // namespace waxwing
