#pragma once

#include <cstddef>
#include <random>
#include <string>

namespace waxwing::bench {

// Bodies that cost a canonicaliser different amounts of work. Each is the same in every run.

inline std::string repeated(const std::string& text, std::size_t octets) {
  std::string body;
  while (body.size() < octets) body += text;
  body.resize(octets);
  return body;
}

/// An attachment: lines of 76 letters.
inline std::string base64_body(std::size_t octets) {
  return repeated("TWFuIGlzIGRpc3Rpbmd1aXNoZWQsIG5vdCBvbmx5IGJ5IGhpcyByZWFzb24sIGJ1dCBieSB0aGlz\r\n", octets);
}

/// Words of 1 to 10 letters in lines of at most 72 columns.
inline std::string prose_body(std::size_t octets) {
  std::mt19937 random{5'322};  // NOLINT: a fixed seed
  std::string body;
  std::size_t column = 0;
  while (body.size() < octets) {
    const std::size_t letters = 1 + random() % 10;
    const bool fits = column + 1 + letters <= 72;
    body += fits ? " " : "\r\n";
    column = fits ? column + 1 + letters : letters;
    body.append(letters, static_cast<char>('a' + random() % 26));
  }
  body.resize(octets);
  return body;
}

/// Markup in lines of 20 to 90 octets, each indented by 2 to 24 spaces.
inline std::string indented_html_body(std::size_t octets) {
  std::mt19937 random{1'866};  // NOLINT: a fixed seed
  std::string body;
  while (body.size() < octets) {
    body.append(2 + 2 * (random() % 12), ' ');
    body += "<td class=\"c" + std::to_string(random() % 100) + "\">";
    for (std::size_t words = 1 + random() % 10; words > 0; --words) body += "word" + std::string(words > 1 ? " " : "");
    body += "</td>\r\n";
  }
  body.resize(octets);
  return body;
}

/// White space to change after every letter.
inline std::string tab_after_every_letter(std::size_t octets) {
  return repeated("a\tb\t", octets);
}

/// White space to drop after every letter.
inline std::string two_spaces_after_every_letter(std::size_t octets) {
  return repeated("a  b \tc\t ", octets);
}

/// Lines that hold nothing but white space.
inline std::string blank_lines(std::size_t octets) {
  return repeated(" \t\r\n", octets);
}

}  // namespace waxwing::bench
