#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policy/dkim_key_record.h"
#include "policy/domain_name.h"
#include "policy/ip_address.h"
#include "policy/lookup.h"
#include "policy/mail_address.h"
#include "policy/spf.h"

namespace waxwing {

/// A key that would sign, with the public half that its published record must show.
struct PreflightKey {
  DomainName domain;
  std::string selector;
  DkimKeyType type;
  std::string public_key;  ///< as DkimKeyRecord::public_key
  /// The record as format_dkim_key_record() writes it: one that is published just so need not be read. Empty: each is.
  std::string usual_record = {};
};

/// What a message would present to its receivers.
struct PreflightInput {
  DomainName author_domain;                 ///< of the From header field
  std::optional<MailAddress> reverse_path;  ///< no value: the null reverse-path, SPF then looks at `helo`
  DomainName helo;                          ///< name that the relay says in EHLO
  std::vector<IpAddress> egress;            ///< addresses that receivers will see; empty: SPF cannot be foreseen
  std::vector<PreflightKey> keys;           ///< keys that may sign for this author domain
};

/// What receivers will make of it.
struct PreflightVerdict {
  enum class Outcome {
    Pass,       ///< DMARC passes from every egress address, or the domain asks nobody to enforce anything
    WouldFail,  ///< a receiver that obeys the published policy would quarantine or reject it
    Unknown,    ///< DNS did not answer: neither pass nor fail can be foreseen
  };
  struct KeyState {
    std::string selector;
    bool proven = false;   ///< published record carries exactly this key and allows it; only then may it sign
    bool aligned = false;  ///< its domain is aligned with the author domain
    bool unknown = false;  ///< a lookup failed that might have made it proven and aligned
    std::string detail;    ///< what is wrong, and the whole record to publish; empty when proven
  };
  struct SpfState {
    IpAddress egress;
    SpfVerdict verdict;
    bool aligned = false;
    bool unknown = false;  ///< a lookup failed that might have made it an aligned pass
  };
  Outcome outcome = Outcome::Unknown;
  std::string sentence;  ///< names the domain, the record and the remedy; one line of printable ASCII, at most
                         ///< kMaxSentenceOctets
  std::string dmarc_record_domain;  ///< where the DMARC record was found; empty: none
  std::string dmarc_policy;         ///< "none", "quarantine", "reject"; empty: no record
  std::vector<KeyState> keys;       ///< in the order of PreflightInput::keys
  std::vector<SpfState> spf;        ///< in the order of PreflightInput::egress
};

inline constexpr std::size_t kMaxSentenceOctets = 400;

/// Foresees SPF, DKIM and DMARC of a message before it is accepted.
/// A key whose record is missing or different is not proven and must not sign; DMARC passes when an aligned key is
/// proven or SPF passes aligned from every egress address.
/// @return  no value: answers.missing() lists what to ask before calling again
/// @source  RFC 9989 §5 (DMARC), RFC 7208 §4 (SPF), RFC 6376 §3.6.2 (key lookup)
[[nodiscard]] std::optional<PreflightVerdict> preflight(const PreflightInput& input, Answers& answers);

}  // namespace waxwing
