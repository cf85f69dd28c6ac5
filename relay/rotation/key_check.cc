#include "relay/rotation/key_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "keys/signing_key.h"
#include "keys/verifying_key.h"
#include "policy/dkim_key_record.h"

namespace waxwing {
namespace {

using Seen = RecordSighting::Seen;

void check_strength(const RotatedKey& key, std::vector<KeyFinding>& findings) {
  const auto record = DkimKeyRecord::parse(key.record);
  if (!record || record->type != DkimKeyType::Rsa) return;
  const auto public_key = VerifyingKey::from_record(*record);
  if (!public_key || public_key->size_bits() >= kAdvisedRsaBits) return;
  findings.push_back(
      {key.selector, fmt::format("the RSA key has {} bits, less than the {} that RFC 8301 §3.2 asks for; "
                                 "rotate",
                                 public_key->size_bits(), kAdvisedRsaBits)});
}

void check_record(const KeyGeneration& generation, const RotatedKey& key, const RecordSighting& sighting, WallTime now,
                  std::vector<KeyFinding>& findings) {
  const bool is_needed =
      generation.phase >= KeyPhase::Published && generation.phase <= KeyPhase::Retiring && !generation.withdrawing;
  const bool overdue = now - generation.since > kPublishingPatience;
  if (is_needed && sighting.seen != Seen::Everywhere) {
    findings.push_back({key.selector, fmt::format("the record of the {} key is not in order: {}",
                                                  key_phase_name(generation.phase), sighting.evidence)});
  } else if (generation.phase == KeyPhase::Pending && overdue && sighting.seen != Seen::Everywhere) {
    findings.push_back({key.selector, fmt::format("its record has been waited for more than two days; publish what "
                                                  "\"waxwing keys dns\" prints: {}",
                                                  sighting.evidence)});
  } else if (generation.withdrawing && generation.phase == KeyPhase::Retiring && overdue &&
             sighting.seen != Seen::Nowhere) {
    findings.push_back({key.selector, fmt::format("its record should have been removed more than two days ago: {}",
                                                  sighting.evidence)});
  }
}

void check_succession(const RotationState& state, std::vector<KeyFinding>& findings) {
  const auto in = [&](KeyPhase phase) {
    return std::ranges::find(state.generations, phase, &KeyGeneration::phase) != state.generations.end();
  };
  const bool coming = in(KeyPhase::Pending) || in(KeyPhase::Published);
  if (!in(KeyPhase::Active)) findings.push_back({"", "no key signs; \"waxwing keys plan\" says what is waited for"});
  if (!in(KeyPhase::Ready) && !coming)
    findings.push_back({"", "there is no standby; \"waxwing keys rotate\" makes one"});
}

}  // namespace

std::vector<KeyFinding> check_keys(const RotationState& state,
                                   const std::map<std::string, RecordSighting, std::less<>>& sightings, WallTime now) {
  std::vector<KeyFinding> findings;
  check_succession(state, findings);
  for (const KeyGeneration& generation : state.generations) {
    if (is_final(generation.phase)) continue;
    for (const RotatedKey& key : generation.keys) {
      if (!generation.withdrawing) check_strength(key, findings);
      const auto found = sightings.find(key.selector);
      if (found != sightings.end()) check_record(generation, key, found->second, now, findings);
    }
  }
  return findings;
}

}  // namespace waxwing
