#include "relay/config/spelling.h"

#include <algorithm>
#include <vector>

namespace waxwing {
namespace {

constexpr std::size_t kMaxDistance = 2;

// Optimal string alignment. Both words are short: nearest_word() looks at their lengths first.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

std::string_view nearest_word(std::string_view written, std::span<const std::string_view> words) {
  std::string_view nearest;
  std::size_t least = kMaxDistance + 1;
  for (const std::string_view word : words) {
    if (written.size() > word.size() + kMaxDistance || word.size() > written.size() + kMaxDistance) continue;
    const std::size_t distance = edit_distance(written, word);
    if (distance < least && 2 * distance < word.size()) {
      least = distance;
      nearest = word;
    }
  }
  return nearest;
}

}  // namespace waxwing
