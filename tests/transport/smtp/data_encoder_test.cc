#include "transport/smtp/data_encoder.h"

#include <catch2/catch.hpp>

using namespace waxwing;

namespace {

Result<std::string> encode(std::string_view content, std::size_t piece) {
  DataEncoder encoder;
  std::string out;
  for (std::size_t at = 0; at < content.size(); at += piece) {
    if (const auto done = encoder.append(content.substr(at, piece), out); !done) return tl::unexpected(done.error());
  }
  if (const auto done = encoder.finish(out); !done) return tl::unexpected(done.error());
  return out;
}

}  // namespace

TEST_CASE("content gets its dots doubled and exactly one end, wherever it is cut") {
  struct Row {
    std::string content, wire;
  };
  const auto row = GENERATE(values<Row>({
      {"", ".\r\n"},
      {"a", "a\r\n.\r\n"},
      {"a\r\n", "a\r\n.\r\n"},
      {".", "..\r\n.\r\n"},
      {".\r\n", "..\r\n.\r\n"},
      {"\r\n.\r\n", "\r\n..\r\n.\r\n"},
      {"a\r\n.\r\nMAIL FROM:<x@y.example>\r\n", "a\r\n..\r\nMAIL FROM:<x@y.example>\r\n.\r\n"},
      {"..a\r\n...\r\n", "...a\r\n....\r\n.\r\n"},
      {"a.b\r\nc.\r\n", "a.b\r\nc.\r\n.\r\n"},
      {"\r\n\r\n", "\r\n\r\n.\r\n"},
  }));
  for (std::size_t piece = 1; piece <= row.content.size() + 1; ++piece) {
    CAPTURE(row.content, piece);
    const auto wire = encode(row.content, piece);
    REQUIRE(wire);
    CHECK(*wire == row.wire);
  }
}

TEST_CASE("a CR or LF alone never goes out") {
  const auto content = GENERATE(as<std::string>{}, "a\nb\r\n", "a\rb\r\n", "\n", "\r", "a\r\n\n", "a\r\r\n", "a\n.\r\n",
                                "a\r.\r\n", "\n.\n", "a\r\n.\n", "x\r\ny\r");
  for (std::size_t piece = 1; piece <= content.size() + 1; ++piece) {
    CAPTURE(content, piece);
    const auto wire = encode(content, piece);
    REQUIRE_FALSE(wire);
    CHECK(wire.error().kind == ErrorKind::Malformed);
  }
}
