// An HTTP response is read the same however it is cut, within the limits, or refused.

#include <cstdint>
#include <string>

#include "tests/fuzz/finding.h"
#include "tests/fuzz/octet_source.h"
#include "transport/http/http_response_reader.h"

using namespace waxwing;
using fuzz::require;

namespace {

constexpr std::size_t kMaxBodyOctets = 4'096;

Result<HttpResponse> ended(HttpResponseReader& reader) {
  reader.end_of_stream();
  require(reader.state() == HttpResponseReader::State::Done, "the end of the stream ends the reading");
  return reader.take_result();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  fuzz::OctetSource source(octets, size);
  const std::uint8_t chunk_seed = source.octet();
  const std::string_view stream = source.rest();
  HttpResponseReader whole(kMaxBodyOctets);
  whole.feed(stream);
  HttpResponseReader pieces(kMaxBodyOctets);
  fuzz::in_chunks(stream, chunk_seed, [&](std::string_view chunk) { pieces.feed(chunk); });
  const auto response = ended(whole);
  const auto same = ended(pieces);
  require(response.has_value() == same.has_value(), "chunks do not decide whether a response can be read");
  if (!response) {
    require(response.error().kind == same.error().kind, "chunks do not decide what is wrong");
    return 0;
  }
  require(response->status == same->status && response->media_type == same->media_type && response->body == same->body,
          "chunks do not change a response");
  require(response->status >= 200 && response->status <= 599, "a status is in its range");
  require(response->body.size() <= kMaxBodyOctets, "a body is not too long");
  return 0;
}
