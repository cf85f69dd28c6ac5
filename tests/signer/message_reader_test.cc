#include "signer/message_reader.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

namespace waxwing {
namespace {

struct Parts {
  std::string header;
  std::string body;
  std::size_t fields;
  friend bool operator==(const Parts&, const Parts&) = default;
};

Result<Parts> split(std::string_view message, std::size_t chunk_octets) {
  MessageReader reader;
  std::string body;
  for (std::size_t at = 0; at < message.size(); at += chunk_octets) {
    auto part = reader.read(message.substr(at, chunk_octets));
    if (!part) return tl::unexpected(part.error());
    body += *part;
  }
  if (auto finished = reader.finish(); !finished) return tl::unexpected(finished.error());
  return Parts{std::string(reader.header_block()), body, reader.fields().size()};
}

TEST_CASE("a message is split at its first empty line however it is cut", "[message_reader]") {
  const std::string message = "From: a@b.example\r\nSubject: x\r\n y\r\n\r\nline\r\n\r\n\r\nlast\r\n";
  const Parts expected{"From: a@b.example\r\nSubject: x\r\n y\r\n", "line\r\n\r\n\r\nlast\r\n", 2};
  for (std::size_t octets = 1; octets <= message.size(); ++octets) {
    CAPTURE(octets);
    CHECK(split(message, octets).value() == expected);
  }
}

TEST_CASE("every pair of cuts gives the same parts", "[message_reader]") {
  const std::string message = "A: 1\r\n\r\n\r\nx\r\n";
  for (std::size_t first = 0; first <= message.size(); ++first) {
    for (std::size_t second = first; second <= message.size(); ++second) {
      MessageReader reader;
      std::string body(reader.read(message.substr(0, first)).value());
      const std::string middle = message.substr(first, second - first);
      body += reader.read(middle).value();
      const std::string rest = message.substr(second);
      body += reader.read(rest).value();
      REQUIRE(reader.finish());
      CHECK(body == "\r\nx\r\n");
      CHECK(reader.header_block() == "A: 1\r\n");
    }
  }
}

TEST_CASE("a message may lack its body, its header or both", "[message_reader]") {
  for (const std::size_t octets : {1U, 2U, 3U, 100U}) {
    CHECK(split("A: 1\r\n\r\n", octets).value() == Parts{"A: 1\r\n", "", 1});
    CHECK(split("A: 1\r\n", octets).value() == Parts{"A: 1\r\n", "", 1});
    CHECK(split("\r\nbody\r\n", octets).value() == Parts{"", "body\r\n", 0});
    CHECK(split("\r\n", octets).value() == Parts{"", "", 0});
    CHECK(split("", octets).value() == Parts{"", "", 0});
  }
}

TEST_CASE("an empty line made of lone line feeds does not end the header", "[message_reader]") {
  const auto parts = split("From: a@b.example\n\nFrom: c@d.example\r\n\r\nbody\r\n", 7);
  REQUIRE_FALSE(parts);
  CHECK(parts.error().kind == ErrorKind::Malformed);
}

TEST_CASE("a body of any octets is handed on unchanged", "[message_reader]") {
  std::string body;
  for (int i = 0; i < 4096; ++i) body += static_cast<char>(i * 7);
  CHECK(split("A: 1\r\n\r\n" + body, 64).value().body == body);
}

TEST_CASE("a header that never ends is refused as soon as it is too large", "[message_reader]") {
  MessageReader reader;
  const std::string chunk(4'096, 'x');
  std::size_t taken = 0;
  while (taken < 2 * kMaxHeaderOctets) {
    if (auto part = reader.read(chunk); !part) {
      CHECK(part.error().kind == ErrorKind::Exhausted);
      break;
    }
    taken += chunk.size();
  }
  CHECK(taken >= kMaxHeaderOctets - chunk.size());
  CHECK(taken <= kMaxHeaderOctets);
}

TEST_CASE("a header of exactly 256 KiB is taken, and one octet more is not", "[message_reader]") {
  const std::size_t octets = GENERATE(1'000U, 262'143U, 262'144U, 262'145U, 262'146U, 1'000'000U);
  const std::string header = "A: " + std::string(kMaxHeaderOctets - 5, 'x') + "\r\n";
  CHECK(split(header + "\r\nbody\r\n", octets).value().body == "body\r\n");
  CHECK(split(header, octets));
  const auto more = split("B" + header + "\r\nbody\r\n", octets);
  REQUIRE_FALSE(more);
  CHECK(more.error().kind == ErrorKind::Exhausted);
}

TEST_CASE("a chunk that holds a whole large message is not copied into the header", "[message_reader]") {
  const std::string message = "A: 1\r\n\r\n" + std::string(4'000'000, 'b');
  MessageReader reader;
  const std::string_view body = reader.read(message).value();
  CHECK(body.data() == message.data() + 8);
  CHECK(body.size() == 4'000'000);
}

}  // namespace
}  // namespace waxwing
