#include "keys/signer.h"

#include <utility>

namespace waxwing {

Result<std::vector<std::string>> Signer::sign_together(std::string_view tenant,
                                                       std::span<const SignatureTask> tasks) const {
  std::vector<std::string> signatures;
  for (const SignatureTask& task : tasks) {
    auto signature = task.key->sign_for(tenant, task.header_octets);
    if (!signature) return tl::unexpected(signature.error());
    signatures.push_back(std::move(*signature));
  }
  return signatures;
}

}  // namespace waxwing
