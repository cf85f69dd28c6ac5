#include "signer/header_field.h"

#include <catch2/catch.hpp>
#include <string>

namespace waxwing {
namespace {

TEST_CASE("a header block is split into its fields with folds and line ends", "[header_field]") {
  const auto fields = parse_header_block("Subject: one\r\n\ttwo\r\n three\r\nX:\r\nFrom:a@b.example\r\n").value();
  REQUIRE(fields.size() == 3);
  CHECK(fields[0].name == "Subject");
  CHECK(fields[0].value == " one\r\n\ttwo\r\n three");
  CHECK(fields[0].raw == "Subject: one\r\n\ttwo\r\n three\r\n");
  CHECK(fields[1].value.empty());
  CHECK(fields[2].value == "a@b.example");
  CHECK(fields[2].is("FROM"));
  CHECK_FALSE(fields[2].is("Fro"));
}

TEST_CASE("a block without fields is empty", "[header_field]") {
  CHECK(parse_header_block("").value().empty());
}

TEST_CASE("white space before the colon and octets over 127 are tolerated", "[header_field]") {
  const auto fields = parse_header_block("Subject \t: \xc3\xa9\xff\r\n").value();
  REQUIRE(fields.size() == 1);
  CHECK(fields[0].name == "Subject");
  CHECK(fields[0].value == " \xc3\xa9\xff");
}

TEST_CASE("a line that holds only white space continues its field", "[header_field]") {
  const auto fields = parse_header_block("A: 1\r\n \r\nB: 2\r\n").value();
  REQUIRE(fields.size() == 2);
  CHECK(fields[0].raw == "A: 1\r\n \r\n");
}

TEST_CASE("what mail programs read differently is refused", "[header_field]") {
  const std::string block =
      GENERATE(as<std::string>(), "A: 1\nB: 2\r\n", "A: 1\rB: 2\r\n", "A: 1\n\r\n", "A: 1\r\r\n", "A: 1\n", "A: 1\r",
               "A: 1", std::string("A: \0\r\n", 6), "no colon\r\n", ": no name\r\n", " continues nothing\r\n",
               "A b: 1\r\n", "From someone@example Mon Jan  1 00:00:00 2026\r\n", "A\xc3\xa9: 1\r\n", "A\x01: 1\r\n",
               "\r\n", "A: 1\r\n\r\nB: 2\r\n");
  CAPTURE(block);
  const auto fields = parse_header_block(block);
  REQUIRE_FALSE(fields);
  CHECK(fields.error().kind == ErrorKind::Malformed);
}

TEST_CASE("a header may have a thousand fields and no more", "[header_field]") {
  std::string block;
  for (std::size_t i = 0; i < kMaxHeaderFields; ++i) block += "A: 1\r\n";
  CHECK(parse_header_block(block).value().size() == kMaxHeaderFields);
  const auto more = parse_header_block(block + "A: 1\r\n");
  REQUIRE_FALSE(more);
  CHECK(more.error().kind == ErrorKind::Exhausted);
}

TEST_CASE("a header may have 256 KiB and no more", "[header_field]") {
  const std::string block = "A: " + std::string(kMaxHeaderOctets - 5, 'x') + "\r\n";
  REQUIRE(block.size() == kMaxHeaderOctets);
  CHECK(parse_header_block(block));
  const auto more = parse_header_block("B" + block);
  REQUIRE_FALSE(more);
  CHECK(more.error().kind == ErrorKind::Exhausted);
}

}  // namespace
}  // namespace waxwing
