// The canonical form of a body does not depend on how it is cut, is its own canonical form, and is what the plain rules
// say; the form of a header field is its own too.

#include "signer/canonical.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "signer/header_field.h"
#include "tests/fuzz/finding.h"
#include "tests/fuzz/octet_source.h"

using namespace waxwing;
using fuzz::require;

namespace {

class StringSink : public OctetSink {
 public:
  void put(std::string_view octets) override { text += octets; }
  std::string text;
};

std::string canonical_body(std::string_view body, Canonicalization form, std::uint8_t chunk_seed) {
  BodyCanonicalizer canonicalizer(form);
  StringSink sink;
  fuzz::in_chunks(body, chunk_seed, [&](std::string_view chunk) { canonicalizer.update(chunk, sink); });
  canonicalizer.finish(sink);
  return sink.text;
}

std::string whole_canonical_body(std::string_view body, Canonicalization form) {
  BodyCanonicalizer canonicalizer(form);
  StringSink sink;
  canonicalizer.update(body, sink);
  canonicalizer.finish(sink);
  return sink.text;
}

/// RFC 6376 §3.4.3 and §3.4.4, one step after the other.
std::string reference(std::string body, Canonicalization form) {
  if (form == Canonicalization::Relaxed) {
    std::string reduced;
    for (std::size_t i = 0; i < body.size();) {
      const std::size_t end = std::min(body.find_first_not_of(" \t", i), body.size());
      const bool drops = end == body.size() || body.compare(end, 2, "\r\n") == 0;
      if (end > i && !drops) reduced += ' ';
      if (end < body.size()) reduced += body[end];
      i = end + 1;
    }
    body = reduced;
  }
  while (body.ends_with("\r\n")) body.resize(body.size() - 2);
  if (!body.empty() || form == Canonicalization::Simple) body += "\r\n";
  return body;
}

std::string canonical_field(std::string_view raw, Canonicalization form) {
  std::string out;
  append_canonical_field(raw, form, out);
  return out;
}

void check_fields(std::string_view block) {
  const auto fields = parse_header_block(block);
  if (!fields) return;
  for (const HeaderField& field : *fields) {
    for (const auto form : {Canonicalization::Simple, Canonicalization::Relaxed}) {
      const std::string canonical = canonical_field(field.raw, form);
      require(canonical.find("\r\n") == canonical.size() - 2 || form == Canonicalization::Simple,
              "a relaxed field is one line");
      require(canonical == canonical_field(canonical, form), "the canonical form of a field is its own");
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  fuzz::OctetSource source(octets, size);
  const std::uint8_t chunk_seed = source.octet();
  const std::string_view body = source.rest();
  for (const auto form : {Canonicalization::Simple, Canonicalization::Relaxed}) {
    const std::string whole = whole_canonical_body(body, form);
    require(whole == reference(std::string(body), form), "the form of a body is what the rules say");
    require(whole == canonical_body(body, form, chunk_seed), "the form of a body does not depend on its chunks");
    require(whole == whole_canonical_body(whole, form), "the canonical form of a body is its own");
  }
  check_fields(body);
  return 0;
}
