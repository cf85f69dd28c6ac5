#include "policy/tag_list.h"

#include <fmt/format.h>

#include <algorithm>

#include "policy/ascii.h"
#include "policy/folding_space.h"

namespace waxwing {
namespace {

bool is_name_octet(char c) {
  return is_ascii_alnum(c) || c == '_';
}
bool is_value_octet(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return is_folding_space(c) || (octet > 0x20 && octet != 0x7f && c != ';');
}

Result<TagList::Tag> parse_tag(std::string_view text, std::size_t begin, std::size_t end) {
  const std::string_view spec = text.substr(begin, end - begin);
  const std::size_t equals = spec.find('=');
  if (equals == std::string_view::npos) return fail(ErrorKind::Malformed, "a tag has no \"=\"");
  const std::string_view name = without_folding_space(spec.substr(0, equals));
  if (name.empty() || !is_ascii_alpha(name.front()) || !std::ranges::all_of(name, is_name_octet)) {
    return fail(ErrorKind::Malformed, "a tag has a bad name");
  }
  const std::string_view value = without_folding_space(spec.substr(equals + 1));
  if (!std::ranges::all_of(value, is_value_octet)) {
    return fail(ErrorKind::Malformed, fmt::format("tag {}= holds a control octet", name));
  }
  return TagList::Tag{std::string(name), std::string(value), begin + equals + 1, end};
}

}  // namespace

Result<TagList> TagList::parse(std::string_view text) {
  TagList list;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(';', begin), text.size());
    const bool last = end + 1 >= text.size() || without_folding_space(text.substr(end + 1)).empty();
    auto tag = parse_tag(text, begin, end);
    if (!tag) return tl::unexpected(std::move(tag.error()));
    if (list.find(tag->name)) return fail(ErrorKind::Malformed, fmt::format("tag {}= occurs twice", tag->name));
    if (list.tags_.size() == kMaxTags) return fail(ErrorKind::Malformed, "there are more than 100 tags");
    list.tags_.push_back(std::move(*tag));
    if (last) break;
    begin = end + 1;
  }
  if (list.tags_.empty()) return fail(ErrorKind::Malformed, "there is no tag");
  return list;
}

const TagList::Tag* TagList::find(std::string_view name) const {
  const auto found = std::ranges::find(tags_, name, &Tag::name);
  return found == tags_.end() ? nullptr : &*found;
}

std::vector<std::string> split_colon_list(std::string_view value) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t colon = value.find(':');
    parts.emplace_back(without_folding_space(value.substr(0, colon)));
    if (colon == std::string_view::npos) return parts;
    value.remove_prefix(colon + 1);
  }
}

}  // namespace waxwing
