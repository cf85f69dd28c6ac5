#include "relay/queue/bounce_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

#include "policy/ascii.h"
#include "policy/utf8.h"

namespace waxwing {
namespace {

constexpr std::size_t kLineOctets = 76;
constexpr std::size_t kMaxLineOctets = 998;  // RFC 5322 §2.1.1

bool is_printable(char c) {
  return c >= 0x20 && c < 0x7f;
}
bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

// Length and value of the code point at the start of valid UTF-8.
struct CodePoint {
  std::uint32_t value;
  std::size_t octets;
};
CodePoint first_code_point(std::string_view text) {
  const auto octet = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  if (octet(0) < 0x80) return {octet(0), 1};
  const std::size_t octets = octet(0) < 0xe0 ? 2 : octet(0) < 0xf0 ? 3 : 4;
  std::uint32_t value = octet(0) & (0xffU >> (octets + 1));
  for (std::size_t i = 1; i < octets; ++i) value = value << 6 | (octet(i) & 0x3f);
  return {value, octets};
}

// QCHAR of RFC 6533 §3.
bool is_qchar(char c) {
  return c > 0x20 && c < 0x7f && c != '+' && c != '=' && c != '\\';
}

// One line in quoted-printable with its CRLF.
std::string quoted_printable_line(std::string_view line) {
  std::string out;
  std::size_t column = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const bool last = i + 1 == line.size();
    const bool literal = (is_printable(c) && c != '=' && c != ' ') || ((c == ' ' || c == '\t') && !last);
    const std::string token =
        literal ? std::string(1, c) : fmt::format("={:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    if (column + token.size() > kLineOctets - 1) {
      out += "=\r\n";
      column = 0;
    }
    out += token;
    column += token.size();
  }
  return out + "\r\n";
}

std::string encoded(std::string_view field, bool quoted_printable) {
  if (!quoted_printable) return std::string(field);
  std::string out;
  while (!field.empty()) {
    const std::size_t end = field.find("\r\n");
    out += quoted_printable_line(field.substr(0, end));
    field.remove_prefix(end == std::string_view::npos ? field.size() : end + 2);
  }
  return out;
}

// Octets of the first field with its continuation lines.
std::size_t field_octets(std::string_view header) {
  std::size_t end = 0;
  do {
    end = header.find("\r\n", end);
    if (end == std::string_view::npos) return header.size();
    end += 2;
  } while (end < header.size() && (header[end] == ' ' || header[end] == '\t'));
  return end;
}

}  // namespace

bool is_7bit_text(std::string_view text) {
  std::size_t line = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "\r\n") {
      line = 0;
      ++i;
    } else if ((!is_printable(text[i]) && text[i] != '\t') || ++line > kMaxLineOctets) {
      return false;
    }
  }
  return true;
}

std::string printable_line(std::string_view text, std::size_t max_octets) {
  std::string line;
  for (const char c : text) {
    const char shown = is_space(c) ? ' ' : is_printable(c) ? c : '?';
    const bool repeats = !is_printable(c) || c == ' ';
    if (repeats && (line.empty() ? shown == ' ' : line.back() == shown)) continue;
    line += shown;
    if (line.size() > max_octets) {
      line.resize(max_octets - 3);
      return line + "...";
    }
  }
  if (line.ends_with(' ')) line.pop_back();
  return line;
}

std::string wrapped(std::string_view text, std::string_view indent) {
  std::string out;
  std::size_t column = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' ', 1), text.size());
    const std::string_view word = text.substr(0, end);
    if (column > 0 && column + word.size() > kLineOctets && word.front() == ' ') {
      out += "\r\n";
      out += indent;
      out += word.substr(1);
      column = indent.size() + word.size() - 1;
    } else {
      out += word;
      column += word.size();
    }
    text.remove_prefix(end);
  }
  return out;
}

std::string typed_address(const MailAddress& address) {
  const std::string text = address.str();
  if (std::ranges::all_of(text, is_printable)) return "rfc822; " + text;
  if (!is_valid_utf8(text)) return "rfc822; " + printable_line(text, text.size());
  std::string out = "utf-8; ";
  for (std::string_view rest = text; !rest.empty();) {
    const CodePoint point = first_code_point(rest);
    if (is_qchar(rest.front())) {
      out += rest.front();
    } else {
      out += fmt::format("\\x{{{:02X}}}", point.value);
    }
    rest.remove_prefix(point.octets);
  }
  return out;
}

bool is_enhanced_status(std::string_view text) {
  if (text.size() < 5 || (text[0] != '2' && text[0] != '4' && text[0] != '5') || text[1] != '.') return false;
  const std::string_view rest = text.substr(2);
  const std::size_t dot = rest.find('.');
  const auto is_number = [](std::string_view number) {
    return !number.empty() && number.size() <= 3 && std::ranges::all_of(number, is_ascii_digit);
  };
  return dot != std::string_view::npos && is_number(rest.substr(0, dot)) && is_number(rest.substr(dot + 1));
}

std::string message_date(WallTime time) {
  constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{std::chrono::floor<Seconds>(time - day)};
  return fmt::format("{}, {} {} {:04} {:02}:{:02}:{:02} +0000", kDays[std::chrono::weekday{day}.c_encoding()],
                     static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

ReturnedHeader returned_header(std::string_view header, std::size_t max_octets) {
  ReturnedHeader returned;
  returned.quoted_printable = !is_7bit_text(header);
  while (!header.empty()) {
    const std::size_t octets = field_octets(header);
    std::string field = encoded(header.substr(0, octets), returned.quoted_printable);
    if (!field.ends_with("\r\n")) field += "\r\n";
    if (returned.text.size() + field.size() <= max_octets) returned.text += field;
    header.remove_prefix(octets);
  }
  return returned;
}

}  // namespace waxwing
