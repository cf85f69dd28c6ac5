#include "policy/date_time.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdint>

#include "policy/ascii.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxFractionDigits = 9;

// Takes so many digits and the octet behind them, in either case; '\0': none is wanted.
std::optional<unsigned> take_number(std::string_view& rest, std::size_t digits, char delimiter) {
  const std::size_t octets = digits + (delimiter == '\0' ? 0 : 1);
  if (rest.size() < octets) return std::nullopt;
  unsigned number = 0;
  for (const char octet : rest.substr(0, digits)) {
    if (!is_ascii_digit(octet)) return std::nullopt;
    number = number * 10 + static_cast<unsigned>(octet - '0');
  }
  if (delimiter != '\0' && !ascii_iequal(rest.substr(digits, 1), std::string_view(&delimiter, 1))) return std::nullopt;
  rest.remove_prefix(octets);
  return number;
}

// A fraction in milliseconds, rounded up: who waits until then must not be early.
std::optional<Milliseconds> take_fraction(std::string_view& rest) {
  if (!rest.starts_with('.')) return Milliseconds(0);
  rest.remove_prefix(1);
  std::size_t digits = 0;
  std::uint64_t nanoseconds = 0;
  while (digits < rest.size() && is_ascii_digit(rest[digits])) {
    if (digits == kMaxFractionDigits) return std::nullopt;
    nanoseconds = nanoseconds * 10 + static_cast<unsigned>(rest[digits++] - '0');
  }
  if (digits == 0) return std::nullopt;
  rest.remove_prefix(digits);
  for (; digits < kMaxFractionDigits; ++digits) nanoseconds *= 10;
  return Milliseconds((nanoseconds + 999'999) / 1'000'000);
}

}  // namespace

std::optional<WallTime> parse_utc_date_time(std::string_view text) {
  const auto year = take_number(text, 4, '-');
  const auto month = year ? take_number(text, 2, '-') : std::nullopt;
  const auto day = month ? take_number(text, 2, 'T') : std::nullopt;
  const auto hour = day ? take_number(text, 2, ':') : std::nullopt;
  const auto minute = hour ? take_number(text, 2, ':') : std::nullopt;
  const auto second = minute ? take_number(text, 2, '\0') : std::nullopt;
  const auto fraction = second ? take_fraction(text) : std::nullopt;
  if (!fraction) return std::nullopt;
  if (text != "Z" && text != "z" && text != "+00:00" && text != "-00:00") return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)), std::chrono::month(*month),
                                         std::chrono::day(*day)};
  // RFC 3339 §5.7: 60 is a leap second, which our clock does not count.
  if (!date.ok() || *year < 1970 || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) + Seconds(*second) +
         *fraction;
}

std::string utc_date_time_text(WallTime time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", std::chrono::floor<Seconds>(time));
}

}  // namespace waxwing
