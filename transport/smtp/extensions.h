#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "policy/time_point.h"
#include "transport/smtp/reply.h"

namespace waxwing {

/// What a server offers in its reply to EHLO, as far as it matters here. A keyword that is malformed counts as not
/// offered; a size that cannot be read counts as no limit.
/// @source  RFC 5321 §4.1.1.1
struct SmtpExtensions {
  bool starttls = false;                           ///< RFC 3207
  bool pipelining = false;                         ///< RFC 2920
  bool eight_bit_mime = false;                     ///< RFC 6152
  bool smtputf8 = false;                           ///< RFC 6531
  bool enhanced_status_codes = false;              ///< RFC 2034
  bool requiretls = false;                         ///< RFC 8689; counts only when it was offered inside TLS
  bool dsn = false;                                ///< RFC 3461
  bool chunking = false;                           ///< RFC 3030
  bool deliverby = false;                          ///< RFC 2852
  Seconds least_by_time{0};                        ///< that it takes with R
  bool auth_scram_sha_256 = false;                 ///< RFC 4954 with RFC 7677
  bool auth_plain = false;                         ///< with RFC 4616
  bool auth_login = false;                         ///< with the mechanism that RFC 4616 made obsolete
  std::string auth_mechanisms;                     ///< all that are offered, with a space between; for people
  bool size = false;                               ///< RFC 1870
  std::optional<std::uint64_t> size_limit_octets;  ///< no value: none, or unknown
  /// LIMITS (RFC 9422 §4): transactions in one session, recipients in one transaction, and recipient domains in one
  /// session; at least 1. No value: not said.
  std::optional<std::uint32_t> mail_max;
  std::optional<std::uint32_t> rcpt_max;
  std::optional<std::uint32_t> rcpt_domain_max;

  [[nodiscard]] static SmtpExtensions parse(const SmtpReply& ehlo_reply);
};

}  // namespace waxwing
