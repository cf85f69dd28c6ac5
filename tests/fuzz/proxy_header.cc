// A header of the PROXY protocol is read the same however it is cut, and never reaches into what follows.

#include <cstdint>
#include <string>

#include "relay/server/proxy_header.h"
#include "tests/fuzz/finding.h"
#include "tests/fuzz/octet_source.h"

using namespace waxwing;
using fuzz::require;
using State = ProxyHeaderReader::State;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  fuzz::OctetSource source(octets, size);
  const std::uint8_t chunk_seed = source.octet();
  const std::string_view stream = source.rest();
  ProxyHeaderReader whole;
  const State state = whole.on_bytes(stream);
  ProxyHeaderReader pieces;
  State cut = State::More;
  std::size_t fed = 0;
  fuzz::in_chunks(stream, chunk_seed, [&](std::string_view chunk) {
    if (cut != State::More) return;
    cut = pieces.on_bytes(chunk);
    fed += chunk.size();
  });
  if (stream.empty()) return 0;
  require(cut == state, "chunks do not decide what a header is");
  if (state == State::More)
    require(stream.size() < kMaxProxyHeaderOctets, "a header that does not end is not waited for");
  if (state != State::Done) return 0;
  require(whole.client() == pieces.client(), "chunks do not change the client");
  require(whole.rest().size() < stream.size(), "a header has octets");
  require(whole.rest() == stream.substr(stream.size() - whole.rest().size()), "the rest is what came last");
  require(
      pieces.rest() == stream.substr(stream.size() - whole.rest().size(), fed - (stream.size() - whole.rest().size())),
      "nothing of the rest is lost");
  return 0;
}
