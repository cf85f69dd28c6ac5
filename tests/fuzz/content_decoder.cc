// Content is decoded the same however it is cut, and ends nowhere but at CRLF.CRLF.

#include "relay/server/content_decoder.h"

#include <cstdint>
#include <string>

#include "tests/fuzz/finding.h"
#include "tests/fuzz/octet_source.h"

using namespace waxwing;
using fuzz::require;

namespace {

struct Decoded {
  std::string content;
  std::size_t consumed = 0;
  std::string flaw;
  bool ended = false;
};

Decoded decode(std::string_view stream, BareLineEnds mode, std::uint8_t chunk_seed, bool whole) {
  ContentDecoder decoder(mode);
  Decoded decoded;
  const auto take = [&](std::string_view chunk) {
    if (!decoder.ended()) decoded.consumed += decoder.decode(chunk, decoded.content);
  };
  if (whole) {
    take(stream);
  } else {
    fuzz::in_chunks(stream, chunk_seed, take);
  }
  decoded.flaw = decoder.flaw();
  decoded.ended = decoder.ended();
  return decoded;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  fuzz::OctetSource source(octets, size);
  const std::uint8_t chunk_seed = source.octet();
  const std::string_view stream = source.rest();
  for (const auto mode : {BareLineEnds::Reject, BareLineEnds::Fix}) {
    const Decoded whole = decode(stream, mode, chunk_seed, true);
    const Decoded pieces = decode(stream, mode, chunk_seed, false);
    require(whole.ended == pieces.ended && whole.consumed == pieces.consumed && whole.flaw == pieces.flaw,
            "chunks do not move the end");
    require(whole.content == pieces.content, "chunks do not change the content");
    const std::string before = "\r\n" + std::string(stream);  // the content begins at the start of a line
    const std::size_t end = before.find("\r\n.\r\n");
    require(whole.ended == (end != std::string::npos), "content ends at CRLF.CRLF");
    if (whole.ended) require(whole.consumed == end + 3, "the first CRLF.CRLF ends the content");
    if (!whole.flaw.empty()) continue;
    for (std::size_t i = 0; i < whole.content.size(); ++i) {
      const char c = whole.content[i];
      if (c == '\n') require(i > 0 && whole.content[i - 1] == '\r', "no LF stands alone");
      if (c == '\r' && i + 1 < whole.content.size()) require(whole.content[i + 1] == '\n', "no CR stands alone");
    }
  }
  return 0;
}
