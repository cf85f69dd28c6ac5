#include "signer/results_scanner.h"

#include <utility>

#include "policy/ascii.h"
#include "policy/folding_space.h"
#include "signer/mailbox_list.h"

namespace waxwing {
namespace {

bool is_name_octet(char c) {
  return is_ascii_alnum(c) || c == '-' || c == '_' || c == '.' || c == '/';
}

/// A fold is its line end alone; the white space behind it belongs to the text (RFC 5322 §2.2.3).
void append_unfolded(char c, std::string& text) {
  if (c != '\r' && c != '\n') text += c;
}

}  // namespace

std::string ResultsScanner::take_name() {
  std::string name;
  // CFWS may stand around the "." of a property and the "/" of a version.
  for (;;) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_name_octet(text_[at_])) ++at_;
    name += text_.substr(begin, at_ - begin);
    skip_blanks();
    const bool joined = at_ < text_.size() && !name.empty() &&
                        (text_[at_] == '.' || text_[at_] == '/' ||
                         ((name.back() == '.' || name.back() == '/') && is_name_octet(text_[at_]) && at_ > begin));
    if (!joined) return name;
  }
}

Result<std::string> ResultsScanner::take_value() {
  std::string value;
  while (at_ < text_.size() && !is_folding_space(text_[at_]) && text_[at_] != ';' && text_[at_] != '(') {
    if (text_[at_] != '"') {
      value += text_[at_++];
      continue;
    }
    ++at_;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      append_unfolded(text_[at_++], value);
    }
    if (at_ == text_.size()) return fail(ErrorKind::Malformed, "a quoted-string is not closed");
    ++at_;
  }
  skip_blanks();
  return value;
}

void ResultsScanner::skip_octet() {
  if (at_ < text_.size()) ++at_;
  skip_blanks();
}

void ResultsScanner::keep_comment(std::string& comment) {
  if (!comment_.empty()) comment = std::exchange(comment_, {});
}

Result<void> ResultsScanner::check() const {
  if (too_deep_) return fail(ErrorKind::Exhausted, "comments are nested too deep");
  if (unclosed_) return fail(ErrorKind::Malformed, "a comment is not closed");
  return {};
}

bool ResultsScanner::take(char wanted) {
  if (at_ == text_.size() || text_[at_] != wanted) return false;
  ++at_;
  skip_blanks();
  return true;
}

void ResultsScanner::skip_blanks() {
  while (at_ < text_.size()) {
    if (text_[at_] == '(') {
      skip_comment();
    } else if (is_folding_space(text_[at_])) {
      ++at_;
    } else {
      return;
    }
  }
}

void ResultsScanner::skip_comment() {
  std::string comment;
  int depth = 0;
  for (; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (c == '(' && ++depth == 1) continue;
    if (c == ')' && --depth == 0) break;
    if (depth > kMaxCommentDepth) too_deep_ = true;
    if (c == '\\' && at_ + 1 < text_.size()) ++at_;
    append_unfolded(text_[at_], comment);
  }
  unclosed_ = unclosed_ || depth > 0;
  if (at_ < text_.size()) ++at_;
  if (comment_.empty()) comment_ = std::move(comment);
}

}  // namespace waxwing
