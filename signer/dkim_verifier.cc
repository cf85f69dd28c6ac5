#include "signer/dkim_verifier.h"

#include <fmt/format.h>

#include "policy/tag_list.h"
#include "signer/published_key.h"

namespace waxwing {
namespace {

void settle(DkimVerdict& verdict, SignatureFault fault) {
  verdict.result = fault.result;
  verdict.detail = std::move(fault.detail);
}

/// Signatures that may be verified once their keys are known; the others have their verdict already.
constexpr DkimResult kOpen = DkimResult::None;

std::string note_of_pass(const DkimSignature& signature, const BodyDigests::Digest& digest) {
  if (digest.octets == digest.total) return "";
  return fmt::format("only {} of {} octets of the body are signed (l={})", digest.octets, digest.total,
                     *signature.body_length);
}

}  // namespace

std::optional<SignatureFault> check_body(const DkimSignature& signature, const BodyDigests::Digest& digest) {
  if (signature.body_length && digest.octets < *signature.body_length) {
    return SignatureFault{DkimResult::PermError, fmt::format("l={} is more than the {} octets of the body",
                                                             *signature.body_length, digest.total)};
  }
  if (digest.sha256 != signature.body_hash) return SignatureFault{DkimResult::Fail, "the body was changed"};
  return std::nullopt;
}

std::string signed_header_octets(const FieldIndex& fields, const HeaderField& field, const DkimSignature& signature) {
  std::string octets;
  for (const HeaderField* chosen : fields.select(signature.signed_fields)) {
    append_canonical_field(chosen->raw, signature.header_canonicalization, octets);
  }
  append_unsigned_field(field, signature, signature.header_canonicalization, octets);
  return octets;
}

DkimVerifier::DkimVerifier(std::span<const HeaderField> header, BodyDigests& digests)
    : fields_(header), digests_(digests) {
  for (const HeaderField& field : header) {
    if (!field.is("DKIM-Signature")) continue;
    if (candidates_.size() >= kMaxSignaturesRead) {
      candidates_.push_back({&field, {}, SignatureFault{DkimResult::Neutral, "there are too many signatures"}});
      continue;
    }
    Candidate candidate = read(field);
    if (!candidate.fault) {
      candidate.digest = digests_.request(candidate.signature.body_canonicalization, candidate.signature.body_length);
    }
    candidates_.push_back(std::move(candidate));
  }
}

DkimVerifier::Candidate DkimVerifier::read(const HeaderField& field) {
  Candidate candidate{&field, {}, std::nullopt};
  const auto tags = TagList::parse(field.value);
  if (!tags) {
    candidate.fault = {DkimResult::PermError, "the signature is not a tag list: " + tags.error().detail};
  } else {
    candidate.fault = read_dkim_signature(*tags, SignatureField::Dkim, candidate.signature);
  }
  return candidate;
}

std::vector<DkimVerdict> DkimVerifier::judge_without_keys(WallTime now) const {
  std::vector<DkimVerdict> verdicts;
  std::size_t open = 0;
  for (const Candidate& candidate : candidates_) {
    DkimVerdict& verdict = verdicts.emplace_back();
    verdict.signature = candidate.signature;
    auto fault = candidate.fault;
    if (!fault) fault = check_expiry(candidate.signature, now);
    if (!fault) fault = check_body(candidate.signature, digests_.digest(candidate.digest));
    if (!fault && open == kMaxSignaturesVerified)
      fault = SignatureFault{DkimResult::Neutral, "there are too many signatures"};
    if (fault) {
      settle(verdict, std::move(*fault));
    } else {
      verdict.result = kOpen;
      ++open;
    }
  }
  return verdicts;
}

void DkimVerifier::judge_with_key(const Answer& answer, const Candidate& candidate, DkimVerdict& verdict) const {
  const std::string octets = signed_header_octets(fields_, *candidate.field, candidate.signature);
  auto key = verify_with_published_key(answer, candidate.signature, octets);
  verdict.key_bits = key.key_bits;
  verdict.testing = key.testing;
  if (key.fault) return settle(verdict, std::move(*key.fault));
  verdict.result = DkimResult::Pass;
  verdict.detail = note_of_pass(candidate.signature, digests_.digest(candidate.digest));
}

std::optional<std::vector<DkimVerdict>> DkimVerifier::verify(Answers& answers, WallTime now) const {
  auto verdicts = judge_without_keys(now);
  std::vector<const Answer*> keys(verdicts.size(), nullptr);
  bool complete = true;
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    if (verdicts[i].result != kOpen) continue;
    keys[i] = answers.find(key_question(candidates_[i].signature));
    complete = complete && keys[i] != nullptr;
  }
  if (!complete) return std::nullopt;
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    if (keys[i] != nullptr) judge_with_key(*keys[i], candidates_[i], verdicts[i]);
  }
  return verdicts;
}

}  // namespace waxwing
