#include "relay/server/content_decoder.h"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace waxwing {
namespace {

struct Decoded {
  std::string content;
  std::string flaw;
  bool ended = false;
  std::size_t consumed = 0;
};

Decoded decode(std::string_view wire, BareLineEnds mode, std::size_t piece = std::string_view::npos) {
  ContentDecoder decoder(mode);
  Decoded result;
  while (!wire.empty() && !decoder.ended()) {
    const std::string_view chunk = wire.substr(0, piece);
    const std::size_t used = decoder.decode(chunk, result.content);
    result.consumed += used;
    wire.remove_prefix(used);
  }
  result.flaw = decoder.flaw();
  result.ended = decoder.ended();
  return result;
}

TEST_CASE("content ends at CRLF.CRLF and loses its dot-stuffing") {
  const Decoded result = decode("a\r\n..b\r\n.c\r\n.\r\nQUIT\r\n", BareLineEnds::Reject);
  CHECK(result.ended);
  CHECK(result.content == "a\r\n.b\r\nc\r\n");
  CHECK(result.flaw.empty());
  CHECK(result.consumed == std::string_view("a\r\n..b\r\n.c\r\n.\r\n").size());
}

TEST_CASE("content may be empty") {
  const Decoded result = decode(".\r\n", BareLineEnds::Reject);
  CHECK(result.ended);
  CHECK(result.content.empty());
}

TEST_CASE("no sequence but CRLF.CRLF ends content, and a strict listener names the flaw") {
  using namespace std::string_view_literals;
  const std::vector<std::string_view> fakes = {"\n.\n"sv,         "\n.\r"sv,   "\r.\n"sv,       "\r.\r"sv,
                                               "\n.\r\n"sv,       "\r.\r\n"sv, "\r\n\0.\r\n"sv, "\r\n.\r\r\n"sv,
                                               "\r\r\n.\r\r\n"sv, "\r\n.\n"sv, "\r\n.\r"sv};
  for (const std::string_view fake : fakes) {
    const std::string wire = "a" + std::string(fake) + "MAIL FROM:<x@example.org>\r\n.\r\n";
    INFO("fake end " << Catch::StringMaker<std::string>::convert(std::string(fake)));
    const Decoded strict = decode(wire, BareLineEnds::Reject);
    CHECK(strict.ended);
    CHECK(strict.consumed == wire.size());
    CHECK_FALSE(strict.flaw.empty());
  }
}

TEST_CASE("a trusted listener mends lone CR and LF, and what comes out holds CRLF only") {
  const Decoded result = decode("a\nb\rc\n.\nd\r\n.\ne\r\n.\r\n", BareLineEnds::Fix);
  CHECK(result.ended);
  CHECK(result.flaw.empty());
  CHECK(result.content == "a\r\nb\r\nc\r\n.\r\nd\r\n.\r\ne\r\n");
}

TEST_CASE("NUL makes content unacceptable on every listener") {
  using namespace std::string_view_literals;
  CHECK_FALSE(decode("a\0b\r\n.\r\n"sv, BareLineEnds::Fix).flaw.empty());
}

TEST_CASE("the cutting of the input does not change the content") {
  using namespace std::string_view_literals;
  const auto wire = GENERATE("..a\r\n.\r.b\n.\r\r\nc\r\n\r\n..\r\nx\ny\rz\r\n.\r\n"sv, "a\r\nbc\0d\r\n.\r\n"sv);
  for (const BareLineEnds mode : {BareLineEnds::Fix, BareLineEnds::Reject}) {
    const Decoded whole = decode(wire, mode);
    for (std::size_t piece = 1; piece < wire.size(); ++piece) {
      const Decoded cut = decode(wire, mode, piece);
      CHECK(cut.content == whole.content);
      CHECK(cut.flaw == whole.flaw);
      CHECK(cut.ended == whole.ended);
    }
  }
}

/// Content of chunks that come in one piece, with its last line closed; "!" and the flaw when there is one.
std::string of_chunks(std::string_view octets, BareLineEnds mode) {
  ContentDecoder decoder(mode, ContentFraming::Chunks);
  std::string content;
  CHECK(decoder.decode(octets, content) == octets.size());
  decoder.finish(content);
  return decoder.flaw().empty() ? content : "!" + std::string(decoder.flaw().substr(0, 7));
}

TEST_CASE("in chunks no dot ends or hides anything, and the last line is closed once") {
  CHECK(of_chunks("a\r\n.\r\n..b\r\n", BareLineEnds::Reject) == "a\r\n.\r\n..b\r\n");
  CHECK(of_chunks("a", BareLineEnds::Reject) == "a\r\n");
  CHECK(of_chunks("", BareLineEnds::Reject).empty());
  CHECK(of_chunks("a\r\n", BareLineEnds::Reject) == "a\r\n");
  CHECK(of_chunks("a\n", BareLineEnds::Fix) == "a\r\n");
  CHECK(of_chunks("a\n.\n", BareLineEnds::Fix) == "a\r\n.\r\n");
  CHECK(of_chunks("a\r", BareLineEnds::Fix) == "a\r\n");
  CHECK(of_chunks("a\r", BareLineEnds::Reject) == "!bare CR");
  CHECK(of_chunks("a\nb", BareLineEnds::Reject) == "!bare LF");
}

}  // namespace
}  // namespace waxwing
