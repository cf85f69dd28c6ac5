#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "policy/domain_name.h"
#include "policy/mail_address.h"
#include "policy/result.h"
#include "policy/secret.h"
#include "policy/time_point.h"

namespace waxwing {

/// The Sender Rewriting Scheme: gives mail that is forwarded an envelope sender in a domain of ours, so that SPF looks
/// at us, and leads bounces back to the sender it had. Each address carries a day and an authentication code, so that
/// nobody can have mail sent on through us. Immutable; may be shared between threads.
///
///   SRS0=code=day=host=local@domain     for mail from local@host
///   SRS1=code=host=…@domain             for mail from SRS0…@host, whatever that forwarder put behind "SRS0"; and
///                                       for mail from SRS1=code=host=…@other, so that addresses do not grow
///
/// Code and day are letters and digits whose case does not matter, since programs on the way may change it.
class SenderRewriter {
 public:
  /// @param secrets  the first makes codes, all are believed; at least one
  SenderRewriter(DomainName domain, std::vector<Secret> secrets);

  /// The sender under which to forward. An address of our domain stays as it is.
  /// @errors  Exhausted: the local part would be longer than 64 octets (RFC 5321 §4.5.3.1.1)
  [[nodiscard]] Result<MailAddress> rewrite(const MailAddress& sender, WallTime now) const;

  /// Where a bounce to an address of ours goes: the sender that rewrite() was given, or for SRS1 the address of the
  /// first forwarder.
  /// @errors  NotFound: no address of this scheme in our domain; Denied: the code is not ours, or the address is older
  ///          than kSrsLifetimeDays; Malformed: what it leads to is no address
  [[nodiscard]] Result<MailAddress> restore(const MailAddress& recipient, WallTime now) const;

  [[nodiscard]] const DomainName& domain() const { return domain_; }

 private:
  [[nodiscard]] bool is_ours(std::string_view code, std::string_view content) const;
  [[nodiscard]] Result<MailAddress> shortcut(std::string_view content) const;
  [[nodiscard]] Result<MailAddress> restore_first(std::string_view text, WallTime now) const;
  [[nodiscard]] Result<MailAddress> restore_second(std::string_view text) const;

  DomainName domain_;
  std::vector<Secret> secrets_;
};

/// Bounces come within the lifetime of a queue, which is at most 30 days here and a few days elsewhere.
inline constexpr unsigned kSrsLifetimeDays = 35;

}  // namespace waxwing
