#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/ip_address.h"
#include "policy/result.h"
#include "policy/spf_macro.h"

namespace waxwing {

/// One directive of an SPF record.
struct SpfDirective {
  enum class Mechanism { All, Include, A, Mx, Ptr, Ip4, Ip6, Exists };
  char qualifier = '+';  ///< '+', '-', '~' or '?'
  Mechanism mechanism = Mechanism::All;
  std::optional<SpfMacroString> domain;  ///< absent: the current domain
  std::optional<IpAddress> network;      ///< for Ip4 and Ip6; absent for an IPv4-mapped ip6, which no client is in
  unsigned ip4_prefix = 32;
  unsigned ip6_prefix = 128;
  std::string text;  ///< as written, for people; cut off after 100 octets
};

/// An SPF record whose whole syntax has been checked.
struct SpfRecord {
  std::vector<SpfDirective> directives;
  std::optional<SpfMacroString> redirect;
  std::optional<SpfMacroString> explanation;  ///< exp=

  /// Reads a record that is_spf_record() accepts.
  /// @errors  Malformed: any syntax error anywhere, redirect= or exp= twice; the detail names the term
  /// @source  RFC 7208 §4.6.1 and §12
  [[nodiscard]] static Result<SpfRecord> parse(std::string_view txt);
};

/// Whether a TXT record is an SPF record: "v=spf1" and then a space or nothing.
/// @source  RFC 7208 §4.5
[[nodiscard]] bool is_spf_record(std::string_view txt);

}  // namespace waxwing
