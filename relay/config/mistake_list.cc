#include "relay/config/mistake_list.h"

#include <algorithm>
#include <tuple>

#include "relay/config/load_config.h"

namespace waxwing {

void MistakeList::add(Place place, std::string problem, std::string remedy) {
  mistakes_.push_back({file_, place.line, place.column, std::move(problem), std::move(remedy)});
}

ConfigMistakes MistakeList::take() {
  std::ranges::stable_sort(mistakes_, {}, [](const ConfigMistake& m) { return std::tuple(m.line, m.column); });
  const auto [begin, end] = std::ranges::unique(mistakes_);
  mistakes_.erase(begin, end);
  if (mistakes_.size() > kMaxConfigMistakes) mistakes_.resize(kMaxConfigMistakes);
  return std::move(mistakes_);
}

}  // namespace waxwing
