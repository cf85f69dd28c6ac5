#pragma once

#include <optional>
#include <string_view>

#include "policy/result.h"

namespace waxwing {

enum class DmarcPolicy { None, Quarantine, Reject };
enum class DmarcAlignment { Relaxed, Strict };

/// "none", "quarantine", "reject".
[[nodiscard]] std::string_view dmarc_policy_name(DmarcPolicy policy);

/// A DMARC policy record; tags that only concern reports are not kept.
struct DmarcRecord {
  enum class PublicSuffix { Yes, No, Unspecified };  ///< psd=y, n, u
  DmarcPolicy policy = DmarcPolicy::None;  ///< p=; None too where p=, sp= or np= is unusable but rua= asks for reports
  std::optional<DmarcPolicy> subdomain_policy;    ///< sp=
  std::optional<DmarcPolicy> nonexistent_policy;  ///< np=
  DmarcAlignment dkim_alignment = DmarcAlignment::Relaxed;
  DmarcAlignment spf_alignment = DmarcAlignment::Relaxed;
  bool testing = false;  ///< t=y: ask for one level less
  PublicSuffix public_suffix = PublicSuffix::Unspecified;
  bool applies = true;  ///< false: neither a usable policy nor a report address, so that receivers do nothing

  /// Reads one TXT record at `_dmarc.<domain>`. Unknown tags and values fall back to their defaults; of a repeated tag
  /// the first counts.
  /// @errors  Malformed: not a DMARC record (it does not begin with v=DMARC1)
  /// @source  RFC 9989 §4.7, §4.8 and §4.10.1
  [[nodiscard]] static Result<DmarcRecord> parse(std::string_view txt);
};

}  // namespace waxwing
