#include "relay/daemon/file_content.h"

#include <catch2/catch.hpp>

namespace waxwing {
namespace {

std::string convert(std::string_view text, std::size_t chunk) {
  FileContent content;
  std::string out;
  for (; !text.empty(); text.remove_prefix(std::min(chunk, text.size()))) out += content.convert(text.substr(0, chunk));
  out += content.finish();
  return out;
}

// However the file is cut.
void check_converts(std::string_view text, std::string_view expected) {
  for (const std::size_t chunk : {1U, 2U, 3U, 5U, 7U, 1'000U}) {
    CAPTURE(chunk);
    CHECK(convert(text, chunk) == expected);
  }
}

TEST_CASE("a lone LF becomes CRLF, and what has CRLF stays") {
  check_converts("From: a\n\nbody\n", "From: a\r\n\r\nbody\r\n");
  check_converts("From: a\r\n\r\nbody\r\n", "From: a\r\n\r\nbody\r\n");
  check_converts("a\r\n\n\nb", "a\r\n\r\n\r\nb");
  check_converts("\n", "\r\n");
}

TEST_CASE("the line of a mailbox goes, a From field stays") {
  check_converts("From ann@a.example Sat Jan 31 12:00:00 2026\nFrom: ann@a.example\n", "From: ann@a.example\r\n");
  check_converts("From: ann@a.example\n", "From: ann@a.example\r\n");
  check_converts("From ann", "");
  check_converts("Fro", "Fro");
  check_converts("", "");
  check_converts("Subject: x\nFrom here\n", "Subject: x\r\nFrom here\r\n");
}

}  // namespace
}  // namespace waxwing
