#include "relay/egress/weighted_order.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "policy/split_mix.h"

namespace waxwing {
namespace {

// FNV-1a: the same after a restart and on every machine, which std::hash need not be.
std::uint64_t hash_of(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

// Exponentially distributed with the weight as its rate: the least of several is that of one in proportion to its
// weight.
double waiting_time(std::uint64_t message, const EgressSource& source, std::uint64_t weight) {
  constexpr int kUnusedBits = 11;  // a double holds 53
  const std::uint64_t bits = split_mix(split_mix(message) ^ hash_of(source.name)) >> kUnusedBits;
  const double uniform = (static_cast<double>(bits) + 0.5) * 0x1p-53;
  return -std::log(uniform) / static_cast<double>(weight);
}

}  // namespace

std::vector<std::size_t> weighted_order(std::uint64_t message, const EgressPool& pool,
                                        const std::vector<EgressSource>& sources) {
  std::vector<std::pair<double, std::size_t>> waiting;
  for (const EgressPool::Member& member : pool.members)
    waiting.emplace_back(waiting_time(message, sources.at(member.source), member.weight), member.source);
  std::ranges::sort(waiting);
  std::vector<std::size_t> order;
  for (const auto& [time, source] : waiting) order.push_back(source);
  return order;
}

}  // namespace waxwing
