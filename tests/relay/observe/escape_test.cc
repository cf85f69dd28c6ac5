#include "relay/observe/escape.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "policy/utf8.h"

namespace waxwing {
namespace {

std::string escaped(std::string_view octets, EscapeStyle style, std::size_t max_octets = 1'024) {
  std::string out;
  append_escaped(out, octets, style, max_octets);
  return out;
}

TEST_CASE("text of people stays readable, with quotes and backslashes escaped") {
  CHECK(escaped("grüße, 日本 \"a\\b\"", EscapeStyle::Text) == "grüße, 日本 \\\"a\\\\b\\\"");
  CHECK(escaped("grüße, 日本 \"a\\b\"", EscapeStyle::Json) == "grüße, 日本 \\\"a\\\\b\\\"");
}

TEST_CASE("control characters are escaped in both styles") {
  const std::string_view controls("\0\t\r\n\x1b\x7f", 6);
  CHECK(escaped(controls, EscapeStyle::Text) == "\\x00\\x09\\x0d\\x0a\\x1b\\x7f");
  CHECK(escaped(controls, EscapeStyle::Json) == "\\u0000\\u0009\\u000d\\u000a\\u001b\\u007f");
}

TEST_CASE("C1 controls, line separators and marks of text direction are escaped although they are UTF-8") {
  CHECK(escaped("\u009b\u2028\u2029\u202e\u2066\u061c", EscapeStyle::Text) ==
        "\\xc2\\x9b\\xe2\\x80\\xa8\\xe2\\x80\\xa9\\xe2\\x80\\xae\\xe2\\x81\\xa6\\xd8\\x9c");
  CHECK(escaped("\u009b\u2028\u2029\u202e", EscapeStyle::Json) == "\\u009b\\u2028\\u2029\\u202e");
}

TEST_CASE("octets that are not UTF-8 become \\xHH, one by one") {
  for (const std::string_view invalid : {"\xff", "\xc3", "\xc0\x8a", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x80"}) {
    std::string expected;
    for (const char c : invalid) {
      constexpr std::string_view kDigits = "0123456789abcdef";
      const auto octet = static_cast<unsigned char>(c);
      expected += std::string("\\x") + kDigits[octet / 16] + kDigits[octet % 16];
    }
    CHECK(escaped(invalid, EscapeStyle::Text) == expected);
    const std::string json = "\"" + escaped(invalid, EscapeStyle::Json) + "\"";
    CHECK(nlohmann::json::parse(json).get<std::string>() == expected);
  }
}

TEST_CASE("every octet and every pair of octets gives printable UTF-8, and JSON that can be read") {
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      const std::string octets{static_cast<char>(first), static_cast<char>(second)};
      for (const auto style : {EscapeStyle::Text, EscapeStyle::Json}) {
        const std::string out = escaped(octets, style);
        REQUIRE(is_valid_utf8(out));
        REQUIRE(std::ranges::none_of(out, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; }));
        if (style == EscapeStyle::Json) REQUIRE(nlohmann::json::accept("\"" + out + "\""));
      }
    }
  }
}

TEST_CASE("long values are cut between characters, and the cut is marked") {
  CHECK(escaped(std::string(1'024, 'a'), EscapeStyle::Text) == std::string(1'024, 'a'));
  const std::string cut = escaped(std::string(1'025, 'a'), EscapeStyle::Text);
  CHECK(cut == std::string(1'024 - kCutMark.size(), 'a') + std::string(kCutMark));
  for (std::size_t limit = kCutMark.size(); limit < 40; ++limit) {
    const std::string part = escaped("ü\x1b\xffü\"ü\u2028üüüüüüüüüüüüüüüüü", EscapeStyle::Json, limit);
    CHECK(part.size() <= limit);
    CHECK(part.ends_with(kCutMark));
    CHECK(nlohmann::json::accept("\"" + part + "\""));
  }
}

TEST_CASE("a plain word has no space, quote, backslash, equals sign or anything to escape") {
  CHECK(is_plain_word("<a@b.example>"));
  CHECK(is_plain_word("größe"));
  for (const std::string_view not_plain : {"", "a b", "a\"", "a\\", "a=b", "a\n", "\xff", "\u2028"}) {
    CHECK_FALSE(is_plain_word(not_plain));
  }
}

TEST_CASE("text for a terminal keeps its quotes and loses its escape sequences") {
  CHECK(printable("550 \"no\" \\ \x1b[2Jhere\r\n") == "550 \"no\" \\ \\x1b[2Jhere\\x0d\\x0a");
}

}  // namespace
}  // namespace waxwing
