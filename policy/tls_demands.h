#pragma once

#include <compare>
#include <optional>
#include <string>

#include "policy/time_point.h"
#include "policy/tls_level.h"

namespace waxwing {

/// What the operator gives up for one recipient domain: what the domain publishes does not stand in the way of mail, and
/// neither does a rule of the relay.
struct TlsException {
  TlsLevel level = TlsLevel::Encrypted;  ///< what is still asked for: Encrypted or Verified
  std::string reason;                    ///< the operator's own words
  WallTime expires;

  friend auto operator<=>(const TlsException&, const TlsException&) = default;
};

/// What is asked of the hosts of a domain besides what the domain publishes.
struct TlsDemands {
  /// Least level that global, tenant and domain rules allow: Verified asks for a certificate where nothing else does, a
  /// host that cannot reach it is not used, Plaintext gives up TLS where nobody published a policy.
  TlsLevel minimum = TlsLevel::Encrypted;
  TlsRequest request = TlsRequest::None;    ///< of the message itself
  std::optional<TlsException> exception{};  ///< that has not expired; a message with REQUIRETLS does not know it

  /// Whether what the domain publishes does not count, so that reports to it have nothing to say.
  [[nodiscard]] bool sets_policy_aside() const {
    return request == TlsRequest::Optional || (exception && request != TlsRequest::Required);
  }

  friend auto operator<=>(const TlsDemands&, const TlsDemands&) = default;
};

}  // namespace waxwing
