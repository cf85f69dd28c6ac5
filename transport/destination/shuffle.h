#pragma once

#include <cstddef>
#include <random>
#include <utility>
#include <vector>

namespace waxwing {

/// Puts elements into random order within each run of elements that are equal in the sense of `same`.
template <class T, class Same>
void shuffle_runs(std::vector<T>& elements, Same same, std::mt19937_64& random) {
  std::size_t begin = 0;
  while (begin < elements.size()) {
    std::size_t end = begin + 1;
    while (end < elements.size() && same(elements[begin], elements[end])) ++end;
    // By hand, since std::shuffle may give another order with another library, and seeds must replay.
    for (std::size_t i = end - 1; i > begin; --i) std::swap(elements[i], elements[begin + random() % (i - begin + 1)]);
    begin = end;
  }
}

}  // namespace waxwing
