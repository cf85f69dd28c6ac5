// The chain of a message gets a verdict; a set that is added to it says what the verdict was, and validates again.
//
// Input: how to cut, DNS as zone_lines.h reads it, the message.

#include "signer/arc_chain.h"

#include <cstdint>
#include <memory>
#include <string>

#include "keys/key_store.h"
#include "signer/arc_sealer.h"
#include "signer/body_hasher.h"
#include "tests/fuzz/chunked_verification.h"
#include "tests/fuzz/finding.h"
#include "tests/fuzz/octet_source.h"
#include "tests/fuzz/zone_lines.h"

using namespace waxwing;
using fuzz::require;

namespace {

// The key of RFC 8463 §A.2, published: seeds may use it, and this target seals with it.
constexpr std::string_view kKey =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";
constexpr std::string_view kSealerRecord =
    "seal._domainkey.sealer.example TXT v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n\n";

StoredKey sealing_key() {
  return {DomainName::parse("sealer.example").value(),
          "seal",
          std::make_shared<const SigningKey>(SigningKey::from_pem(kKey).value()),
          {}};
}

Result<std::string> seal(std::string_view message, const ArcVerdict& chain) {
  static const StoredKey kStoredKey = sealing_key();
  MessageReader reader;
  BodyHasher hasher(Canonicalization::Relaxed);
  hasher.update(reader.read(message).value());
  require(reader.finish().has_value(), "a message that was verified can be read again");
  ArcSealingOptions options;
  options.now = fuzz::kVerificationTime;
  return seal_message(reader.fields(), hasher.finish(), chain, merge_results(reader.fields(), "sealer.example"),
                      kStoredKey, options);
}

void check_verdict(const ArcVerdict& verdict) {
  require(verdict.instances <= kMaxArcInstance, "instances are bounded");
  require((verdict.result == ArcResult::Fail) == !verdict.detail.empty(), "a failure has a reason, and nothing else");
  require(verdict.result != ArcResult::Pass || verdict.instances > 0, "a pass has a chain");
  require(verdict.result != ArcResult::None || verdict.instances == 0, "no chain is no instance");
  require(!verdict.closed || verdict.result == ArcResult::Fail, "a closed chain has failed");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  fuzz::OctetSource source(octets, size);
  const std::uint8_t chunk_seed = source.octet();
  const auto zone = fuzz::ZoneLines::read(source);
  const std::string message(source.rest());
  Answers answers;
  const auto verdicts = fuzz::verify_in_chunks(message, chunk_seed, zone, answers);
  if (!verdicts) return 0;
  check_verdict(verdicts->arc);
  const auto fields = seal(message, verdicts->arc);
  if (!fields || fields->empty()) return 0;

  fuzz::OctetSource sealer(reinterpret_cast<const std::uint8_t*>(kSealerRecord.data()), kSealerRecord.size());
  auto extended = fuzz::ZoneLines::read(sealer);
  extended.add(zone);
  if (!extended.answer({"seal._domainkey.sealer.example", RecordType::TXT}).usable()) return 0;  // "* FAIL"
  const auto sealed = fuzz::verify_whole(*fields + message, extended);
  if (!sealed) return 0;  // over the limits of a header now
  check_verdict(sealed->arc);
  if (verdicts->arc.result == ArcResult::Fail) {
    require(sealed->arc.result == ArcResult::Fail, "a failed chain stays failed");
  } else {
    require(sealed->arc.result == ArcResult::Pass, "what was sealed validates");
    require(sealed->arc.instances == verdicts->arc.instances + 1, "a set was added");
  }
  return 0;
}
