#include "relay/cli/zone_file.h"

#include <fmt/format.h>

namespace waxwing {
namespace {

constexpr std::size_t kMaxStringOctets = 255;

std::string quote(std::string_view octets) {
  std::string quoted = "\"";
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') quoted += '\\';
    if (octet < 0x20 || octet > 0x7e) {
      quoted += fmt::format("\\{:03}", octet);
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

}  // namespace

std::string format_txt_record(std::string_view name, std::string_view text) {
  std::string line = fmt::format("{}. IN TXT", name);
  do {
    line += ' ' + quote(text.substr(0, kMaxStringOctets));
    text.remove_prefix(std::min(text.size(), kMaxStringOctets));
  } while (!text.empty());
  return line;
}

}  // namespace waxwing
