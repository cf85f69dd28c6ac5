#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/dmarc.h"
#include "policy/domain_name.h"
#include "policy/lookup.h"

namespace waxwing {

/// @source  RFC 8601 §2.7.5 and its registry
enum class DmarcResult { None, Pass, Fail, TempError, PermError };

/// "none", "pass", "fail", "temperror", "permerror".
[[nodiscard]] std::string_view dmarc_result_name(DmarcResult result);

/// What was authenticated about a message.
struct AuthenticatedIdentifiers {
  std::optional<DomainName> spf;  ///< the domain for which SPF passed
  std::vector<DomainName> dkim;   ///< d= of the signatures that passed
  bool spf_unknown = false;       ///< SPF ended in a temporary error
  bool dkim_unknown = false;      ///< some signature ended in a temporary error
};

struct DmarcVerdict {
  DmarcResult result = DmarcResult::None;
  DmarcDiscovery discovery;
  bool spf_aligned = false;
  bool dkim_aligned = false;
  DmarcPolicy disposition = DmarcPolicy::None;  ///< what the domain asks for: of a Fail its policy, else None
  std::string detail;                           ///< a phrase for people: what passed, or why nothing did
};

/// Judges a message as a receiver does. A failure that a temporary error may have caused is a temporary error.
/// @param list  of public suffixes, as for discover_dmarc()
/// @return  no value: answers.missing() lists what to ask before calling again
/// @source  RFC 9989 §5
[[nodiscard]] std::optional<DmarcVerdict> evaluate_dmarc(const DomainName& author_domain,
                                                         const AuthenticatedIdentifiers& identifiers, Answers& answers,
                                                         const PublicSuffixList* list = nullptr);

}  // namespace waxwing
