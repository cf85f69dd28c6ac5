// Requests of HTTP are read the same however they are cut, within the limits, or refused.

#include <algorithm>
#include <cstdint>
#include <string>

#include "relay/server/http_request_reader.h"
#include "tests/fuzz/finding.h"
#include "tests/fuzz/octet_source.h"

using namespace waxwing;
using fuzz::require;
using State = HttpRequestReader::State;

namespace {

constexpr std::uint64_t kMaxBodyOctets = 4'096;

/// All that a reader makes of a stream, in words.
class Reading {
 public:
  void feed(std::string_view octets) {
    reader_.on_bytes(octets);
    while (reader_.state() == State::Headed || reader_.state() == State::Complete) {
      if (reader_.state() == State::Headed) {
        note(reader_.head());
        reader_.read_body(kMaxBodyOctets);
      } else {
        const std::string body = reader_.take_body();
        require(body.size() == reader_.head().body_octets, "a body is as long as it says");
        require(body.size() <= kMaxBodyOctets, "a body is not too long");
        words_ += body + "\n";
        reader_.next();
      }
    }
  }
  [[nodiscard]] std::string words() const {
    return words_ + (reader_.state() == State::Invalid ? std::to_string(reader_.failure_status()) : "");
  }

 private:
  void note(const HttpRequestHead& head) {
    require(head.fields.size() <= kMaxHttpRequestFields && head.target.size() <= kMaxHttpTargetOctets,
            "a head is bounded");
    require(head.field("host") != nullptr && head.field("transfer-encoding") == nullptr, "a head is unambiguous");
    words_ += head.method + " " + head.target + "\n";
    for (const HttpRequestHead::Field& field : head.fields) {
      require(std::ranges::all_of(field.value, [](char c) { return c == '\t' || (c >= ' ' && c <= '~'); }),
              "a value is printable");
      require(std::ranges::count(head.fields, field.name, &HttpRequestHead::Field::name) == 1, "a field stands once");
      words_ += field.name + ":" + field.value + "\n";
    }
  }

  HttpRequestReader reader_;
  std::string words_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  fuzz::OctetSource source(octets, size);
  const std::uint8_t chunk_seed = source.octet();
  const std::string_view stream = source.rest();
  Reading whole;
  whole.feed(stream);
  Reading pieces;
  fuzz::in_chunks(stream, chunk_seed, [&](std::string_view chunk) { pieces.feed(chunk); });
  require(whole.words() == pieces.words(), "chunks do not change requests");
  return 0;
}
