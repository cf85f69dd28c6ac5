#include "transport/smtp/reply.h"

#include <fmt/format.h>

#include <algorithm>

namespace waxwing {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Whatever a server says ends up in logs, DSNs and terminals.
std::string printable(std::string_view text) {
  std::string result(text.substr(0, kMaxReplyTextOctets));
  std::replace_if(
      result.begin(), result.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return result;
}

// Length of "D.DDD.DDD" at the start of the text, 0 without one (RFC 2034 §4, RFC 3463 §2).
std::size_t enhanced_code_length(std::string_view text) {
  if (text.size() < 5 || (text[0] != '2' && text[0] != '4' && text[0] != '5')) return 0;
  std::size_t at = 1;
  for (int part = 0; part < 2; ++part) {
    if (at >= text.size() || text[at] != '.') return 0;
    const std::size_t begin = ++at;
    while (at < text.size() && is_digit(text[at])) ++at;
    if (at == begin || at - begin > 3) return 0;
  }
  return at == text.size() || text[at] == ' ' ? at : 0;
}

}  // namespace

std::string SmtpReply::str() const {
  std::string result = fmt::format("{}", code);
  if (!enhanced_code.empty()) result += " " + enhanced_code;
  for (const auto& line : lines) {
    if (result.size() > kMaxReplyTextOctets) break;
    if (!line.empty()) result += " " + line;
  }
  return printable(result);
}

Result<void> SmtpReplyReader::feed(std::string_view octets) {
  if (error_) return tl::unexpected(*error_);
  Result<void> result;
  while (!octets.empty() && result) {
    const std::size_t end = octets.find('\n');
    const std::string_view piece = octets.substr(0, end);
    octets.remove_prefix(end == std::string_view::npos ? octets.size() : end + 1);
    if (line_.size() + piece.size() > kMaxReplyLineOctets) {
      result = fail(ErrorKind::Exhausted, fmt::format("a reply line is longer than {} octets", kMaxReplyLineOctets));
      break;
    }
    line_ += piece;
    if (end == std::string_view::npos) break;
    if (!line_.empty() && line_.back() == '\r') line_.pop_back();
    result = take_line(line_);
    line_.clear();
  }
  if (!result) error_ = result.error();
  return result;
}

Result<void> SmtpReplyReader::take_line(std::string_view line) {
  reply_octets_ += line.size() + 2;
  if (reply_octets_ > kMaxReplyOctets || (partial_ && partial_->lines.size() >= kMaxReplyLines)) {
    return fail(ErrorKind::Exhausted,
                fmt::format("a reply is longer than {} octets or {} lines", kMaxReplyOctets, kMaxReplyLines));
  }
  const bool has_code = line.size() >= 3 && std::all_of(line.begin(), line.begin() + 3, is_digit) &&
                        (line.size() == 3 || line[3] == ' ' || line[3] == '-');
  if (!has_code)
    return fail(ErrorKind::Malformed, fmt::format("\"{}\" is not a reply line", printable(line.substr(0, 80))));
  const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  if (code < 200 || code > 599)
    return fail(ErrorKind::Malformed, fmt::format("{} is not a reply code", line.substr(0, 3)));
  if (partial_ && partial_->code != code) {
    return fail(ErrorKind::Malformed, fmt::format("one reply has the codes {} and {}", partial_->code, code));
  }
  const bool last = line.size() == 3 || line[3] == ' ';
  std::string_view text = line.substr(std::min<std::size_t>(4, line.size()));
  if (!partial_) partial_ = SmtpReply{code, {}, {}};

  // Class 3 has no enhanced codes, so there a text like "2.0.0" is only text.
  if (const std::size_t length = code / 100 == 3 ? 0 : enhanced_code_length(text); length > 0) {
    const std::string_view enhanced = text.substr(0, length);
    if (enhanced[0] != line[0]) {
      return fail(ErrorKind::Malformed, fmt::format("the codes {} and {} contradict each other", code, enhanced));
    }
    if (partial_->lines.empty()) partial_->enhanced_code = enhanced;
    if (partial_->enhanced_code == enhanced) text.remove_prefix(std::min(length + 1, text.size()));
  }
  partial_->lines.push_back(printable(text));
  if (!last) return {};
  if (complete_.size() >= kMaxWaitingReplies) return fail(ErrorKind::Exhausted, "too many replies at once");
  complete_.push_back(std::move(*partial_));
  partial_.reset();
  reply_octets_ = 0;
  return {};
}

std::optional<SmtpReply> SmtpReplyReader::next() {
  if (complete_.empty()) return std::nullopt;
  std::optional<SmtpReply> reply = std::move(complete_.front());
  complete_.pop_front();
  return reply;
}

bool SmtpReplyReader::has_pending() const {
  return !complete_.empty() || partial_ || !line_.empty() || error_;
}

void SmtpReplyReader::reset() {
  *this = SmtpReplyReader();
}

}  // namespace waxwing
