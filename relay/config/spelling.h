#pragma once

#include <span>
#include <string_view>

namespace waxwing {

/// Finds the word that somebody probably meant: the one with the fewest inserted, deleted, replaced or swapped letters,
/// at most two, and fewer than half of the word's.
/// @return  empty: none is near
[[nodiscard]] std::string_view nearest_word(std::string_view written, std::span<const std::string_view> words);

}  // namespace waxwing
