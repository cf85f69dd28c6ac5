#include "relay/config/quantity.h"

#include <charconv>
#include <span>

namespace waxwing {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// Smallest first.
constexpr Unit kTimeUnits[] = {{"s", 1}, {"m", 60}, {"h", 3'600}, {"d", 86'400}};
constexpr Unit kSizeUnits[] = {{"B", 1}, {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}};

constexpr std::uint64_t kMaxSeconds = 100ULL * 366 * 86'400;
constexpr std::uint64_t kMaxOctets = 1ULL << 62;

std::optional<std::uint64_t> parse(std::string_view text, std::span<const Unit> units, std::uint64_t most) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  const std::string_view name = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Unit& unit : units) {
    if (unit.name == name && number <= most / unit.factor) return number * unit.factor;
  }
  return std::nullopt;
}

std::string format(std::uint64_t number, std::span<const Unit> units) {
  const Unit* best = &units.front();
  for (const Unit& unit : units) {
    if (number != 0 && number % unit.factor == 0) best = &unit;
  }
  return std::to_string(number / best->factor) + std::string(best->name);
}

}  // namespace

std::optional<Seconds> parse_duration(std::string_view text) {
  const auto seconds = parse(text, kTimeUnits, kMaxSeconds);
  if (!seconds) return std::nullopt;
  return Seconds(static_cast<Seconds::rep>(*seconds));
}

std::string format_duration(Seconds duration) {
  return format(static_cast<std::uint64_t>(duration.count()), kTimeUnits);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  return parse(text, kSizeUnits, kMaxOctets);
}

std::string format_size(std::uint64_t octets) {
  return format(octets, kSizeUnits);
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

}  // namespace waxwing
