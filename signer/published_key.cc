#include "signer/published_key.h"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "keys/signing_key.h"
#include "keys/verifying_key.h"
#include "policy/dkim_key_record.h"

namespace waxwing {
namespace {

PublishedKeyVerdict refused(DkimResult result, std::string detail) {
  return {SignatureFault{result, std::move(detail)}, 0, false};
}

bool allows(const std::vector<std::string>& list, std::string_view word) {
  return list.empty() || std::ranges::find(list, word) != list.end();
}

/// Why a record that could be read does not allow the signature; empty: it does. RFC 6376 §6.1.2, steps 5 to 9.
std::string_view refusal_of(const DkimKeyRecord& record, const DkimSignature& signature) {
  if (record.revoked) return "the key is revoked (p= is empty)";
  if (record.type != signature.key_type) return "the key is of another type than a= says";
  if (!allows(record.hashes, "sha256")) return "the key does not allow sha256 (h=)";
  if (!allows(record.services, "email")) return "the key is not for e-mail (s=)";
  if (record.same_domain && !signature.identity_is_domain) return "the key does not allow subdomains in i= (t=s)";
  return "";
}

PublishedKeyVerdict verify_with_record(std::string_view txt, const DkimSignature& signature,
                                       std::string_view header_octets) {
  const auto record = DkimKeyRecord::parse(txt);
  if (!record) return refused(DkimResult::PermError, record.error().detail);
  if (const auto refusal = refusal_of(*record, signature); !refusal.empty())
    return refused(DkimResult::PermError, std::string(refusal));
  const auto key = VerifyingKey::from_record(*record);
  if (!key) return refused(DkimResult::PermError, key.error().detail);
  PublishedKeyVerdict verdict{std::nullopt, key->size_bits(), record->testing};
  if (record->type == DkimKeyType::Rsa && key->size_bits() < kMinRsaBits) {
    verdict.fault = {DkimResult::Policy, fmt::format("the key has {} bits only (RFC 8301)", key->size_bits())};
  } else if (!key->verifies(header_octets, signature.signature)) {
    verdict.fault = {DkimResult::Fail, "the signature does not fit the header"};
  }
  return verdict;
}

/// How much a fault says about the signature itself rather than about a record beside the right one.
int weight_of(const PublishedKeyVerdict& verdict) {
  if (!verdict.fault) return 3;
  if (verdict.fault->result == DkimResult::Fail) return 2;
  return verdict.fault->result == DkimResult::Policy ? 1 : 0;
}

}  // namespace

Question key_question(const DkimSignature& signature) {
  return {signature.key_owner, RecordType::TXT};
}

PublishedKeyVerdict verify_with_published_key(const Answer& answer, const DkimSignature& signature,
                                              std::string_view header_octets) {
  if (!answer.usable()) return refused(DkimResult::TempError, "the key could not be looked up");
  auto best = refused(DkimResult::PermError, "there is no key at " + signature.key_owner);
  bool first = true;
  const std::size_t count = std::min(answer.records.size(), kMaxKeyRecords);
  for (std::size_t i = 0; i < count; ++i) {
    const auto* txt = std::get_if<TxtRecord>(&answer.records[i]);
    if (!txt) continue;
    auto verdict = verify_with_record(txt->text, signature, header_octets);
    if (first || weight_of(verdict) > weight_of(best)) best = std::move(verdict);
    first = false;
    if (!best.fault) break;
  }
  return best;
}

}  // namespace waxwing
