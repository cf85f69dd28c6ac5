#include "tests/bench/load_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace waxwing::bench {

std::string make_data(const LoadMessage& message, std::size_t size_octets) {
  constexpr std::size_t kLineOctets = 76;
  std::string data = fmt::format(
      "From: {}\r\nTo: {}\r\nSubject: Message {}\r\nDate: {}\r\nMessage-ID: <{}>\r\nMIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=us-ascii\r\n\r\n",
      message.from, message.to, message.message_id, message.date, message.message_id);
  std::size_t line = 0;
  while (data.size() < size_octets) {
    const std::string start = fmt::format("{} {} ", message.message_id, line++);
    data += start;
    const std::size_t wanted = std::min(kLineOctets, size_octets - std::min(size_octets, data.size() - start.size()));
    data.append(wanted > start.size() ? wanted - start.size() : 0, 'x');
    data += "\r\n";
  }
  return data + ".\r\n";
}

std::string current_date() {
  const std::time_t now = std::time(nullptr);
  std::tm fields{};
  gmtime_r(&now, &fields);
  std::array<char, 64> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S +0000", &fields);
  return {text.data(), size};
}

}  // namespace waxwing::bench
