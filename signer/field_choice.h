#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/result.h"
#include "signer/canonical.h"
#include "signer/folded_line.h"
#include "signer/header_field.h"

namespace waxwing {

/// One element of h= in a signature that is being made.
struct ChosenField {
  std::string_view name;     ///< as it goes into h=
  const HeaderField* field;  ///< null: signed as absent
};

/// Picks what a new signature covers, in the order of h=: every instance of each name, and one absence more for those
/// that nobody may add. From is among them, whether or not it is named.
/// @param header  borrowed, as are the names, for the life of the result
/// @errors  Malformed: a name that no field can have
/// @source  RFC 6376 §5.4, §5.4.2 and §8.15
[[nodiscard]] Result<std::vector<ChosenField>> choose_fields(std::span<const HeaderField> header,
                                                             const std::vector<std::string>& oversigned_fields,
                                                             const std::vector<std::string>& signed_fields);

/// Appends the canonical form of the fields that are there.
void append_chosen_fields(std::span<const ChosenField> fields, Canonicalization canonicalization, std::string& out);

/// Writes "h=…;" with folds at colons only.
void add_field_names(std::span<const ChosenField> fields, FoldedLine& line);

}  // namespace waxwing
