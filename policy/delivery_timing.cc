#include "policy/delivery_timing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "policy/ascii.h"
#include "policy/date_time.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxDigits = 9;  // RFC 2852 §4, RFC 4865 §3

std::optional<std::int64_t> read_number(std::string_view digits) {
  if (digits.empty() || digits.size() > kMaxDigits || !std::ranges::all_of(digits, is_ascii_digit)) return std::nullopt;
  std::int64_t number = 0;
  for (const char digit : digits) number = number * 10 + (digit - '0');
  return number;
}

}  // namespace

std::string ByValue::str() const {
  return fmt::format("{};{}{}", time.count(), mode == ByMode::Return ? "R" : "N", trace ? "T" : "");
}

std::optional<ByValue> parse_by_value(std::string_view text) {
  const std::size_t semicolon = text.find(';');
  if (semicolon == std::string_view::npos) return std::nullopt;
  std::string_view digits = text.substr(0, semicolon);
  const std::string mode = ascii_lower(text.substr(semicolon + 1));
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  const auto seconds = read_number(digits);
  if (!seconds || (mode != "n" && mode != "r" && mode != "nt" && mode != "rt")) return std::nullopt;
  ByValue value{Seconds(negative ? -*seconds : *seconds), mode[0] == 'r' ? ByMode::Return : ByMode::Notify,
                mode.size() == 2};
  if (value.mode == ByMode::Return && value.time <= Seconds(0)) return std::nullopt;
  return value;
}

std::optional<Seconds> parse_hold_for(std::string_view text) {
  const auto seconds = read_number(text);
  if (!seconds || text.front() == '0') return std::nullopt;
  return Seconds(*seconds);
}

ByValue DeliverBy::value_at(WallTime now) const {
  const Seconds left = std::chrono::floor<Seconds>(time - now);
  return {std::clamp(left, -kMaxHold, kMaxHold), mode, trace};
}

std::string release_request_text(const TimingRequest& request) {
  if (request.hold_for) return fmt::format("for;{}", request.hold_for->count());
  if (request.hold_until) return "until;" + utc_date_time_text(std::chrono::ceil<Seconds>(*request.hold_until));
  return {};
}

bool is_release_request(std::string_view text) {
  if (text.starts_with("for;")) return parse_hold_for(text.substr(4)).has_value();
  return text.starts_with("until;") && parse_utc_date_time(text.substr(6)).has_value();
}

}  // namespace waxwing
