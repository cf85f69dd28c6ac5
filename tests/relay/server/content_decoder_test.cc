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
  ContentDecoder decoder({mode, LongLines::Pass, ContentFraming::Dot});
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
  ContentDecoder decoder({mode, LongLines::Pass, ContentFraming::Chunks});
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

/// Content with lines broken, whole and octet by octet, which must give the same.
std::string with_broken_lines(std::string_view octets) {
  std::string whole;
  ContentDecoder({BareLineEnds::Fix, LongLines::Fix, ContentFraming::Chunks}).decode(octets, whole);
  ContentDecoder decoder({BareLineEnds::Fix, LongLines::Fix, ContentFraming::Chunks});
  std::string pieces;
  for (const char& octet : octets) decoder.decode({&octet, 1}, pieces);
  CHECK(pieces == whole);
  return whole;
}

std::string xs(std::size_t count) {
  return std::string(count, 'x');
}

TEST_CASE("a long line is broken at its last white space, which stays") {
  CHECK(with_broken_lines(xs(998) + "\r\n") == xs(998) + "\r\n");
  CHECK(with_broken_lines(xs(900) + " " + xs(98) + "\r\n") == xs(900) + "\r\n " + xs(98) + "\r\n");
  CHECK(with_broken_lines(xs(900) + "\t" + xs(97) + "\r\n") == xs(900) + "\t" + xs(97) + "\r\n");
  CHECK(with_broken_lines(xs(900) + "\t" + xs(1'000) + "\r\n") ==
        xs(900) + "\r\n\t" + xs(997) + "\r\n " + xs(3) + "\r\n");
}

TEST_CASE("a long line without white space is broken at the limit, and no character with it") {
  CHECK(with_broken_lines(xs(999) + "\r\n") == xs(998) + "\r\n x\r\n");
  CHECK(with_broken_lines(xs(998 + 997 + 1) + "\n") == xs(998) + "\r\n " + xs(997) + "\r\n x\r\n");
  CHECK(with_broken_lines(xs(997) + "\xc3\xa4\r\n") == xs(997) + "\r\n \xc3\xa4\r\n");
  CHECK(with_broken_lines(xs(996) + "\xc3\xa4y\r\n") == xs(996) + "\xc3\xa4\r\n y\r\n");
  CHECK(with_broken_lines(std::string(1'000, '\x80') + "\r\n").size() > 1'000);
}

TEST_CASE("a long line is refused or passed where the listener says so") {
  for (const auto mode : {LongLines::Reject, LongLines::Pass}) {
    ContentDecoder decoder({BareLineEnds::Reject, mode, ContentFraming::Dot});
    std::string content;
    decoder.decode(xs(998) + "\r\n" + xs(500), content);
    CHECK(decoder.flaw().empty());
    decoder.decode(xs(499) + "\r\n.\r\n", content);
    CHECK(decoder.ended());
    CHECK(decoder.flaw().empty() == (mode == LongLines::Pass));
    CHECK_FALSE(decoder.is_ambiguous());
    CHECK(content == xs(998) + "\r\n" + (mode == LongLines::Pass ? xs(999) + "\r\n" : xs(998)));
  }
}

}  // namespace
}  // namespace waxwing
