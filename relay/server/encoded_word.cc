#include "relay/server/encoded_word.h"

#include <algorithm>
#include <optional>

#include "policy/ascii.h"
#include "policy/base64.h"

namespace waxwing {
namespace {

constexpr std::string_view kBlank = " \t\r\n";
// Longer ones no program writes; it keeps the search for their end short.
constexpr std::size_t kMaxEncodedWordOctets = 4'096;

struct EncodedWord {
  std::string_view charset;  // with its language, if it has one
  char encoding;             // 'q', 'b', or something unknown
  std::string_view text;
  std::size_t length;  // of the whole
};

// The encoded word at the front of `rest`. Longer ones than RFC 2047 allows are read too: programs do.
std::optional<EncodedWord> encoded_word_at(std::string_view rest) {
  rest = rest.substr(0, kMaxEncodedWordOctets);
  if (!rest.starts_with("=?")) return std::nullopt;
  const std::size_t charset_end = rest.find('?', 2);
  if (charset_end == std::string_view::npos || charset_end + 2 >= rest.size() || rest[charset_end + 2] != '?')
    return std::nullopt;
  const std::size_t text = charset_end + 3;
  const std::size_t end = rest.find("?=", text);
  if (end == std::string_view::npos) return std::nullopt;
  EncodedWord word{rest.substr(2, charset_end - 2), ascii_lower(rest[charset_end + 1]), rest.substr(text, end - text),
                   end + 2};
  const bool one_word = rest.substr(0, end).find_first_of(kBlank) == std::string_view::npos;
  return one_word ? std::optional(word) : std::nullopt;
}

int hex_digit(char c) {
  const std::size_t value = std::string_view("0123456789abcdef").find(ascii_lower(c));
  return value == std::string_view::npos ? -1 : static_cast<int>(value);
}

std::string decode_q(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = i + 2 < text.size() && text[i] == '=' ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low >= 0) {
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += text[i] == '_' ? ' ' : text[i];
    }
  }
  return decoded;
}

// What is not quite base64 is decoded as far as it goes, as programs do: other octets are left out.
std::string decode_b(std::string_view text) {
  std::string clean;
  std::copy_if(text.begin(), text.end(), std::back_inserter(clean),
               [](char c) { return is_ascii_alnum(c) || c == '+' || c == '/'; });
  clean.resize(clean.size() - (clean.size() % 4 == 1 ? 1 : 0));
  clean.append((4 - clean.size() % 4) % 4, '=');
  auto decoded = decode_base64(clean);
  return decoded ? std::move(*decoded) : std::string();
}

bool contains_ascii(std::string_view charset) {
  const std::string name = ascii_lower(charset.substr(0, charset.find('*')));
  return !name.starts_with("utf") || name == "utf-8" || name == "utf8";
}

}  // namespace

Result<std::string> decode_encoded_words(std::string_view value) {
  std::string shown;
  std::size_t blank_after_word = std::string::npos;  // where blank begins that stands behind an encoded word
  for (std::size_t at = 0; at < value.size();) {
    const auto word = encoded_word_at(value.substr(at));
    if (!word) {
      if (kBlank.find(value[at]) == std::string_view::npos) blank_after_word = std::string::npos;
      shown += value[at++];
      continue;
    }
    if (!contains_ascii(word->charset))
      return fail(ErrorKind::Malformed, "an encoded word has a character set that cannot be checked; use UTF-8");
    const std::string text = word->encoding == 'b' ? decode_b(word->text) : decode_q(word->text);
    if (std::any_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }))
      return fail(ErrorKind::Malformed, "an encoded word hides a control character");
    if (blank_after_word != std::string::npos) shown.resize(blank_after_word);
    shown += text;
    blank_after_word = shown.size();
    at += word->length;
  }
  return shown;
}

}  // namespace waxwing
