#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace waxwing {

/// A text in which "*" stands for any octets, none included; upper and lower case of ASCII are the same.
/// @limits  matching takes time in proportion to the lengths of pattern and text together, whatever they hold
class ReplyPattern {
 public:
  explicit ReplyPattern(std::string_view pattern);

  [[nodiscard]] bool matches(std::string_view text) const;

 private:
  // What stands between two stars, and for each of its octets how long the longest beginning of it is that ends there,
  // so that a search never goes back in the text (Knuth, Morris and Pratt).
  struct Piece {
    std::string octets;
    std::vector<std::size_t> borders;
    [[nodiscard]] std::size_t end_of_first(std::string_view text) const;
  };

  std::string first_;          // before the first star; all of it when there is none
  std::string last_;           // behind the last star
  std::vector<Piece> middle_;  // none of them empty
  bool has_star_ = false;
};

}  // namespace waxwing
