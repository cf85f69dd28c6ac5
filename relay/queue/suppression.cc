#include "relay/queue/suppression.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace waxwing {
namespace {

constexpr std::array<std::string_view, 5> kBadMailboxCodes = {"5.1.1", "5.1.3", "5.1.6", "5.1.10", "5.2.1"};

std::string day_text(WallTime time) {
  return fmt::format("{:%Y-%m-%d}", std::chrono::floor<Seconds>(time));
}

}  // namespace

bool is_bad_mailbox(std::string_view status) {
  return std::ranges::find(kBadMailboxCodes, status) != kBadMailboxCodes.end();
}

std::string suppression_sentence(const Suppression& suppression) {
  const bool ends = suppression.until < kNoSuppressionEnd;
  return fmt::format("{} is suppressed since {}{}: {}", suppression.address.str(), day_text(suppression.since),
                     ends ? " until " + day_text(suppression.until) : "", suppression.reason);
}

}  // namespace waxwing
