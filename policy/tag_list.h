#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "policy/result.h"

namespace waxwing {

/// A DKIM tag=value list, as in key records and in DKIM-Signature and ARC header fields.
class TagList {
 public:
  struct Tag {
    std::string name;         ///< case as written; names are case-sensitive
    std::string value;        ///< without white space around it; folding inside is kept
    std::size_t value_begin;  ///< offset after "=" in the parsed text
    std::size_t value_end;    ///< offset of the ";" that ends the value, or the text's size
  };

  /// Reads a list. Octets above ASCII are accepted inside values (RFC 8616 §4).
  /// @errors  Malformed: a tag without "=", a bad name, a control octet in a value, the same tag twice, over a limit
  /// @limits  kMaxTags tags
  /// @source  RFC 6376 §3.2
  [[nodiscard]] static Result<TagList> parse(std::string_view text);

  /// The tag of that name, or nullptr. Valid as long as this object.
  [[nodiscard]] const Tag* find(std::string_view name) const;

  /// In the order of the text; at least one.
  [[nodiscard]] const std::vector<Tag>& tags() const { return tags_; }

 private:
  std::vector<Tag> tags_;
};

inline constexpr std::size_t kMaxTags = 100;

/// Splits a value at colons and drops white space around the parts ("sha256 : sha1"); empty parts are kept.
/// @source  RFC 6376 §3.5 (h=, q=) and §3.6.1 (h=, s=, t=)
[[nodiscard]] std::vector<std::string> split_colon_list(std::string_view value);

}  // namespace waxwing
