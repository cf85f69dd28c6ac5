#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policy/dmarc_record.h"
#include "policy/domain_name.h"
#include "policy/lookup.h"
#include "policy/public_suffix.h"

namespace waxwing {

/// What applies to an author domain.
struct DmarcDiscovery {
  bool temporary_error = false;             ///< some lookup failed: nothing below can be relied on
  std::string detail;                       ///< for a temporary error, or why there is no record
  std::optional<DmarcRecord> record;        ///< record that applies
  std::optional<DomainName> record_domain;  ///< where it was found, without `_dmarc.`
  std::optional<DomainName> organizational_domain;
  DmarcPolicy requested = DmarcPolicy::None;  ///< policy after sp=, np= and t= have been applied
  std::string requested_by;            ///< the tags that say so, e.g. "sp=reject" or "p=reject; t=y"; empty: no record
  std::vector<std::string> consulted;  ///< names of the tree walk whose answers were used, in its order
};

/// Finds the record of an author domain: by the tree walk, or where receivers are said to follow RFC 7489, at the
/// domain and then at its organizational domain, without np= and t=.
/// @param list  of public suffixes, for the rules of RFC 7489; nullptr: those of RFC 9989
/// @return  no value: answers.missing() lists what to ask before calling again; all names of the walk are asked for at
///          once, although a record with psd= may end the walk before the last
/// @limits  at most 8 lookups per walk
/// @source  RFC 9989 §4.10, RFC 7489 §6.6.3
[[nodiscard]] std::optional<DmarcDiscovery> discover_dmarc(const DomainName& author_domain, Answers& answers,
                                                           const PublicSuffixList* list = nullptr);

/// Whether an authenticated identifier is aligned with the author domain.
enum class DmarcAligned {
  Yes,
  No,
  TemporaryError,  ///< an organizational domain could not be found because a lookup failed
};

/// Compares an authenticated identifier with the author domain.
/// @param list  of public suffixes, as for discover_dmarc()
/// @return  no value: answers.missing() lists what to ask (relaxed alignment needs both organizational domains)
/// @source  RFC 9989 §4.10.2 and §5.1, RFC 7489 §3.1 and §3.2
[[nodiscard]] std::optional<DmarcAligned> dmarc_aligned(const DomainName& identifier, const DomainName& author_domain,
                                                        DmarcAlignment mode, Answers& answers,
                                                        const PublicSuffixList* list = nullptr);

}  // namespace waxwing
