#include "tests/bench/sink_session.h"

#include <algorithm>
#include <utility>

#include "policy/ascii.h"

namespace waxwing::bench {
namespace {

constexpr std::string_view kEndOfContent = "\r\n.\r\n";
constexpr std::size_t kMaxCommandOctets = 4'096;

/// The identifier in the Message-ID field of a message, without angle brackets.
std::string_view find_message_id(std::string_view content) {
  const std::string_view header = content.substr(0, content.find("\r\n\r\n"));
  for (std::size_t at = 0; at < header.size();) {
    const std::size_t end = std::min(header.find("\r\n", at), header.size());
    const std::string_view line = header.substr(at, end - at);
    if (ascii_istarts_with(line, "Message-ID:")) {
      const std::size_t open = line.find('<');
      const std::size_t close = line.find('>');
      if (open != std::string_view::npos && close != std::string_view::npos && open < close) {
        return line.substr(open + 1, close - open - 1);
      }
    }
    at = end + 2;
  }
  return {};
}

}  // namespace

SinkSession::SinkSession(bool offers_starttls, std::function<void(const Message&)> on_message)
    : offers_starttls_(offers_starttls), on_message_(std::move(on_message)) {}

void SinkSession::secured() {
  unread_.clear();
  offers_starttls_ = false;
}

SinkSession::Next SinkSession::feed(std::string_view octets, std::string& replies) {
  unread_ += octets;
  while (true) {
    if (in_content_) {
      if (!read_content(replies)) return Next::Continue;
      continue;
    }
    const std::size_t end = unread_.find("\r\n");
    if (end == std::string::npos) return unread_.size() > kMaxCommandOctets ? Next::Close : Next::Continue;
    const std::string line = unread_.substr(0, end);
    unread_.erase(0, end + 2);
    const Next next = read_command(line, replies);
    if (next != Next::Continue) return next;
  }
}

SinkSession::Next SinkSession::read_command(std::string_view line, std::string& replies) {
  const std::string verb = ascii_lower(line.substr(0, line.find(' ')));
  if (verb == "ehlo") {
    replies += "250-sink.example\r\n250-PIPELINING\r\n250-SIZE 104857600\r\n250-8BITMIME\r\n";
    replies += offers_starttls_ ? "250-STARTTLS\r\n250 ENHANCEDSTATUSCODES\r\n" : "250 ENHANCEDSTATUSCODES\r\n";
  } else if (verb == "starttls" && offers_starttls_) {
    replies += "220 2.0.0 go ahead\r\n";
    return Next::StartTls;
  } else if (verb == "data") {
    replies += "354 go ahead\r\n";
    in_content_ = true;
    searched_ = 0;
  } else if (verb == "quit") {
    replies += "221 2.0.0 bye\r\n";
    return Next::Close;
  } else if (verb == "mail" || verb == "rcpt" || verb == "rset" || verb == "noop" || verb == "helo") {
    replies += "250 2.0.0 ok\r\n";
  } else {
    replies += "502 5.5.1 unknown\r\n";
  }
  return Next::Continue;
}

/// Whether a message was complete, and has been taken out of `unread_`.
bool SinkSession::read_content(std::string& replies) {
  const std::size_t end = unread_.find(kEndOfContent, searched_);
  if (end == std::string::npos) {
    searched_ = unread_.size() - std::min(unread_.size(), kEndOfContent.size() - 1);
    return false;
  }
  const std::string_view content = std::string_view(unread_).substr(0, end + 2);
  on_message_({.message_id = find_message_id(content), .octets = content.size()});
  unread_.erase(0, end + kEndOfContent.size());
  in_content_ = false;
  replies += "250 2.0.0 kept\r\n";
  return true;
}

}  // namespace waxwing::bench
