// Every signature of a message gets a verdict in words that can be printed, whatever chunks the message comes in, and
// only a bounded number of keys is asked for.
//
// Input: how to cut, DNS as zone_lines.h reads it, the message.

#include "signer/dkim_verifier.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "tests/fuzz/chunked_verification.h"
#include "tests/fuzz/finding.h"
#include "tests/fuzz/octet_source.h"
#include "tests/fuzz/zone_lines.h"

using namespace waxwing;
using fuzz::require;

namespace {

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7F; });
}

void check(const DkimVerdict& verdict) {
  require(is_printable(verdict.detail), "a reason is printable");
  require(verdict.result != DkimResult::None, "a signature is never none");
  require(verdict.result == DkimResult::Pass || !verdict.detail.empty(), "whatever is not a pass has a reason");
  if (verdict.result != DkimResult::Pass) return;
  require(verdict.key_bits >= 256, "a pass rests on a key");
  const auto& names = verdict.signature.signed_fields;
  require(std::find(names.begin(), names.end(), "from") != names.end(), "a pass covers From");
  require(verdict.signature.body_hash.size() == 32, "a pass rests on SHA-256");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  fuzz::OctetSource source(octets, size);
  const std::uint8_t chunk_seed = source.octet();
  const auto zone = fuzz::ZoneLines::read(source);
  const std::string_view message = source.rest();
  Answers answers;
  const auto verdicts = fuzz::verify_in_chunks(message, chunk_seed, zone, answers);
  const auto whole = fuzz::verify_whole(message, zone);
  require(verdicts.has_value() == whole.has_value(), "chunks do not decide whether a message can be read");
  if (!verdicts) return 0;
  require(verdicts->dkim.size() == whole->dkim.size(), "chunks do not change the number of signatures");
  for (std::size_t i = 0; i < verdicts->dkim.size(); ++i) {
    check(verdicts->dkim[i]);
    require(verdicts->dkim[i].result == whole->dkim[i].result && verdicts->dkim[i].detail == whole->dkim[i].detail,
            "chunks do not change a verdict");
  }
  require(verdicts->arc.result == whole->arc.result && verdicts->arc.detail == whole->arc.detail,
          "chunks do not change the verdict of a chain");
  require(answers.known().size() <= kMaxSignaturesVerified + 2 * kMaxArcInstance, "keys asked for are bounded");
  return 0;
}
