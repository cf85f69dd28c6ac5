#pragma once

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "signer/header_field.h"

namespace waxwing {

/// The fields of a header by name, for picking those that signatures name.
class FieldIndex {
 public:
  /// @param header  borrowed for the life of the index
  explicit FieldIndex(std::span<const HeaderField> header);

  /// Picks what h= names: each occurrence of a name takes the next instance from the bottom up, and nothing once there
  /// are no more.
  /// @param names  lower case
  /// @limits  O(names), whatever the size of the header; no field is picked twice
  /// @source  RFC 6376 §5.4.2
  [[nodiscard]] std::vector<const HeaderField*> select(std::span<const std::string> names) const;

 private:
  std::unordered_map<std::string, std::vector<const HeaderField*>> fields_;  ///< by name in lower case, bottom up
};

}  // namespace waxwing
