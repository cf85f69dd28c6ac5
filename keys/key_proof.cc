#include "keys/key_proof.h"

#include <algorithm>
#include <string>
#include <vector>

#include "keys/signing_key.h"
#include "keys/verifying_key.h"
#include "policy/dkim_key_record.h"

namespace waxwing {
namespace {

constexpr std::string_view kSample =
    "from:proof@waxwing.example\r\nsubject:this key and its record belong together\r\n";

bool allows(const std::vector<std::string>& list, std::string_view word) {
  return list.empty() || std::ranges::find(list, word) != list.end();
}

}  // namespace

Result<void> prove_key(const Signer& key, std::string_view record_text) {
  const auto record = DkimKeyRecord::parse(record_text);
  if (!record) return tl::unexpected(record.error());
  if (record->revoked) return fail(ErrorKind::Malformed, "the record says that the key is revoked");
  const bool serves_mail = allows(record->services, "email") || allows(record->services, "*");
  if (!allows(record->hashes, "sha256") || !serves_mail)
    return fail(ErrorKind::Denied, "the record does not allow SHA-256 signatures of mail");
  const auto verifier = VerifyingKey::from_record(*record);
  if (!verifier) return tl::unexpected(verifier.error());
  const auto signature = key.sign_for("", kSample);
  if (!signature) return tl::unexpected(signature.error());
  if (record->type == key.type() && verifier->verifies(kSample, *signature)) return {};
  return fail(ErrorKind::Denied, "a signature of the private half does not verify with the record");
}

}  // namespace waxwing
