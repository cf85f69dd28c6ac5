#include "relay/egress/reply_pattern.h"

#include "policy/ascii.h"

namespace waxwing {
namespace {

std::vector<std::size_t> borders_of(std::string_view octets) {
  std::vector<std::size_t> borders(octets.size(), 0);
  for (std::size_t at = 1, length = 0; at < octets.size(); ++at) {
    while (length > 0 && octets[at] != octets[length]) length = borders[length - 1];
    if (octets[at] == octets[length]) ++length;
    borders[at] = length;
  }
  return borders;
}

}  // namespace

ReplyPattern::ReplyPattern(std::string_view pattern) {
  const std::string lower = ascii_lower(pattern);
  std::string_view rest = lower;
  std::size_t star = rest.find('*');
  has_star_ = star != std::string_view::npos;
  first_ = rest.substr(0, star);
  while (star != std::string_view::npos) {
    rest.remove_prefix(star + 1);
    star = rest.find('*');
    const std::string_view piece = rest.substr(0, star);
    if (star == std::string_view::npos) {
      last_ = piece;
    } else if (!piece.empty()) {
      middle_.push_back({std::string(piece), borders_of(piece)});
    }
  }
}

// Where the first occurrence ends; npos: there is none.
std::size_t ReplyPattern::Piece::end_of_first(std::string_view text) const {
  std::size_t length = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    while (length > 0 && text[at] != octets[length]) length = borders[length - 1];
    if (text[at] == octets[length]) ++length;
    if (length == octets.size()) return at + 1;
  }
  return std::string_view::npos;
}

// The first occurrence of each piece leaves most of the text to the next.
bool ReplyPattern::matches(std::string_view text) const {
  const std::string lower = ascii_lower(text);
  std::string_view rest = lower;
  if (!has_star_) return rest == first_;
  if (rest.size() < first_.size() + last_.size() || !rest.starts_with(first_) || !rest.ends_with(last_)) return false;
  rest = rest.substr(first_.size(), rest.size() - first_.size() - last_.size());
  for (const Piece& piece : middle_) {
    const std::size_t end = piece.end_of_first(rest);
    if (end == std::string_view::npos) return false;
    rest.remove_prefix(end);
  }
  return true;
}

}  // namespace waxwing
