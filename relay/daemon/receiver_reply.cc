#include "relay/daemon/receiver_reply.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace waxwing {
namespace {

constexpr std::size_t kCodeDigits = 3;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Digits and two dots between them, at the beginning; its length.
std::size_t enhanced_code_length(std::string_view text) {
  const std::size_t length = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, length);
  const bool plausible = word.size() >= 5 && word.size() <= 9 && std::ranges::count(word, '.') == 2 &&
                         is_digit(word.front()) && is_digit(word.back()) &&
                         std::ranges::all_of(word, [](char c) { return is_digit(c) || c == '.'; });
  return plausible ? length : 0;
}

std::string_view without_spaces_before(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(' '), text.size()));
}

// What stands behind code and status.
std::string_view text_of(std::string_view reply) {
  reply.remove_prefix(std::min(reply.size(), kCodeDigits + 1));
  reply.remove_prefix(enhanced_code_length(reply));
  return without_spaces_before(reply);
}

bool has_code(std::string_view reply, char first_digit) {
  return reply.size() >= kCodeDigits && reply[0] == first_digit && is_digit(reply[1]) && is_digit(reply[2]);
}

}  // namespace

ServerReply receiver_acceptance(const FirstOutcome& outcome, QueueId id) {
  const std::string text =
      fmt::format("{} ({}); queued here as {}", text_of(outcome.remote_reply), outcome.mx_name, id.str());
  return {250, outcome.status.starts_with('2') ? outcome.status : "2.0.0", {reply_text(text)}};
}

ServerReply receiver_refusal(const FirstOutcome& outcome) {
  const std::string status = outcome.status.starts_with('5') ? outcome.status : "5.0.0";
  if (!has_code(outcome.remote_reply, '5')) return {550, status, {reply_text(outcome.reason)}};
  const int code =
      100 * (outcome.remote_reply[0] - '0') + 10 * (outcome.remote_reply[1] - '0') + (outcome.remote_reply[2] - '0');
  return {code, status, {reply_text(fmt::format("{} ({})", text_of(outcome.remote_reply), outcome.mx_name))}};
}

}  // namespace waxwing
