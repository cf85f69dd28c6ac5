#include "relay/daemon/gzip.h"

#include <zlib.h>

#include <catch2/catch.hpp>

using namespace waxwing;

namespace {

// What another program would make of it.
std::string gunzip(const std::string& compressed, std::size_t octets) {
  z_stream stream{};
  REQUIRE(::inflateInit2(&stream, 15 + 16) == Z_OK);
  std::string plain(octets + 1, '\0');
  std::string input = compressed;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_out = static_cast<uInt>(plain.size());
  CHECK(::inflate(&stream, Z_FINISH) == Z_STREAM_END);
  plain.resize(stream.total_out);
  ::inflateEnd(&stream);
  return plain;
}

}  // namespace

TEST_CASE("what gzip compresses comes back as it was") {
  std::string text = GENERATE(as<std::string>(), "", "{}", "x");
  if (text == "x") {
    for (int i = 0; i < 100'000; ++i) text += static_cast<char>(i * 7 + i / 256);
  }
  const auto compressed = gzip(text);
  REQUIRE(compressed);
  CHECK(compressed->starts_with("\x1f\x8b"));
  CHECK(gunzip(*compressed, text.size()) == text);
}
