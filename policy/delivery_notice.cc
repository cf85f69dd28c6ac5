#include "policy/delivery_notice.h"

#include <fmt/format.h>

#include <algorithm>

#include "policy/ascii.h"
#include "policy/utf8.h"

namespace waxwing {
namespace {

int hex_value(char octet) {
  if (octet >= '0' && octet <= '9') return octet - '0';
  if (octet >= 'A' && octet <= 'F') return octet - 'A' + 10;  // RFC 3461 §4: upper case only
  return -1;
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char octet) { return octet >= ' ' && octet <= '~'; });
}

// QCHAR of RFC 6533 §3.
bool is_qchar(char octet) {
  return octet > ' ' && octet <= '~' && octet != '+' && octet != '=' && octet != '\\';
}

// Octets of "\x{HEX}" at the start of `text`; 0: there is none. @source RFC 6533 §3
std::size_t escape_octets(std::string_view text) {
  constexpr std::size_t kMaxHexDigits = 6;
  if (!text.starts_with("\\x{")) return 0;
  const std::size_t end = text.find('}');
  if (end == std::string_view::npos || end < 4 || end - 3 > kMaxHexDigits) return 0;
  const std::string_view digits = text.substr(3, end - 3);
  std::uint32_t value = 0;
  for (const char digit : digits) {
    if (hex_value(digit) < 0) return 0;
    value = value * 16 + static_cast<std::uint32_t>(hex_value(digit));
  }
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  // A control character would be one again where somebody undoes it.
  const bool control = value < 0x20 || (value >= 0x7f && value < 0xa0);
  return surrogate || control || value > 0x10ffff ? 0 : end + 1;
}

// An address of the type "utf-8" in ASCII. @source RFC 6533 §3
std::optional<std::string> ascii_address(std::string_view text) {
  if (!is_valid_utf8(text)) return std::nullopt;
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    if (const std::size_t octets = escape_octets(text.substr(i)); octets > 0) {
      result += text.substr(i, octets);
      i += octets;
      continue;
    }
    const auto first = static_cast<unsigned char>(text[i]);
    if (first < 0x80) {
      if (!is_qchar(text[i])) return std::nullopt;
      result += text[i++];
      continue;
    }
    const std::size_t octets = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    std::uint32_t value = first & (0xffU >> (octets + 1));
    for (std::size_t k = 1; k < octets; ++k) value = value << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3fU);
    if (value < 0xa0) return std::nullopt;  // C1 control characters
    result += fmt::format("\\x{{{:02X}}}", value);
    i += octets;
  }
  return result;
}

bool is_address_type(std::string_view type) {
  return !type.empty() && std::all_of(type.begin(), type.end(), [](char octet) {
    return is_ascii_alnum(octet) || octet == '-' || octet == '_' || octet == '.';
  });
}

}  // namespace

std::optional<NotifyWish> NotifyWish::parse(std::string_view value) {
  if (ascii_iequal(value, "NEVER")) return NotifyWish();
  NotifyWish wish;
  while (true) {
    const std::size_t comma = value.find(',');
    const std::string_view word = value.substr(0, comma);
    if (ascii_iequal(word, "SUCCESS"))
      wish.success = true;
    else if (ascii_iequal(word, "FAILURE"))
      wish.failure = true;
    else if (ascii_iequal(word, "DELAY"))
      wish.delay = true;
    else
      return std::nullopt;
    if (comma == std::string_view::npos) return wish;
    value.remove_prefix(comma + 1);
  }
}

std::string NotifyWish::str() const {
  std::string words;
  if (success) words += ",SUCCESS";
  if (failure) words += ",FAILURE";
  if (delay) words += ",DELAY";
  return words.empty() ? "NEVER" : words.substr(1);
}

std::string_view returned_content_word(ReturnedContent content) {
  switch (content) {
    case ReturnedContent::Full:
      return "FULL";
    case ReturnedContent::Headers:
      return "HDRS";
    case ReturnedContent::Unsaid:
      break;
  }
  return "";
}

std::optional<std::string> decode_xtext(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char octet = text[i];
    if (octet <= ' ' || octet > '~' || octet == '=') return std::nullopt;
    if (octet == '+') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      octet = static_cast<char>(high * 16 + low);
      i += 2;
    }
    decoded += octet;
  }
  return is_printable(decoded) ? std::optional(std::move(decoded)) : std::nullopt;
}

bool is_envelope_id(std::string_view text) {
  return !text.empty() && text.size() <= kMaxEnvelopeIdOctets && decode_xtext(text).has_value();
}

std::optional<std::string> parse_original_recipient(std::string_view text) {
  const std::size_t semicolon = text.find(';');
  if (text.size() > kMaxOriginalRecipientOctets || semicolon == std::string_view::npos) return std::nullopt;
  const std::string_view type = text.substr(0, semicolon);
  const std::string_view address = text.substr(semicolon + 1);
  if (!is_address_type(type) || address.empty()) return std::nullopt;
  std::string result(text);
  if (ascii_iequal(type, "utf-8")) {
    const auto ascii = ascii_address(address);
    if (!ascii) return std::nullopt;
    result = std::string(type) + ";" + *ascii;
  } else if (!decode_xtext(address)) {
    return std::nullopt;
  }
  return result.size() <= kMaxOriginalRecipientOctets ? std::optional(std::move(result)) : std::nullopt;
}

std::string original_recipient_text(std::string_view original_recipient) {
  const std::size_t semicolon = original_recipient.find(';');
  const std::string_view type = original_recipient.substr(0, semicolon);
  if (semicolon == std::string_view::npos || ascii_iequal(type, "utf-8")) return std::string(original_recipient);
  const auto decoded = decode_xtext(original_recipient.substr(semicolon + 1));
  return std::string(type) + ";" + decoded.value_or("");
}

bool is_original_recipient(std::string_view text) {
  return parse_original_recipient(text) == text;
}

}  // namespace waxwing
