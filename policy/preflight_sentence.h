#pragma once

#include <string>

#include "policy/dmarc.h"
#include "policy/preflight.h"

namespace waxwing {

/// Owner of a key's record: "s1._domainkey.example.org".
[[nodiscard]] std::string dkim_key_owner(const PreflightKey& key);

/// The domain that SPF looks at: of the reverse-path, or the HELO name for the null reverse-path.
[[nodiscard]] const DomainName& preflight_spf_domain(const PreflightInput& input);

/// Says what a verdict means for people: domain, record, what is wrong and the remedy.
/// @param verdict  all of it but the sentence
/// @return         printable ASCII, at most kMaxSentenceOctets
[[nodiscard]] std::string preflight_sentence(const PreflightInput& input, const DmarcDiscovery& discovery,
                                             const PreflightVerdict& verdict);

}  // namespace waxwing
