#include "signer/folded_line.h"

#include <algorithm>

namespace waxwing {

FoldedLine::FoldedLine(std::string_view start) : text_(start), column_(start.size() - (start.rfind('\n') + 1)) {}

void FoldedLine::begin_line() {
  text_ += "\r\n ";
  column_ = 1;
}

void FoldedLine::add_word(std::string_view word) {
  if (column_ + 1 + word.size() > kColumns) {
    begin_line();
  } else {
    text_ += ' ';
    ++column_;
  }
  text_ += word;
  column_ += word.size();
}

void FoldedLine::add_joined(std::string_view part) {
  if (column_ + part.size() > kColumns) begin_line();
  text_ += part;
  column_ += part.size();
}

void FoldedLine::add_cuttable(std::string_view text) {
  while (!text.empty()) {
    if (column_ >= kColumns) begin_line();
    const std::size_t count = std::min(text.size(), kColumns - column_);
    text_ += text.substr(0, count);
    column_ += count;
    text.remove_prefix(count);
  }
}

}  // namespace waxwing
