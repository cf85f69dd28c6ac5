#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policy/domain_name.h"
#include "policy/mail_address.h"
#include "policy/preflight.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/daemon/key_ring.h"
#include "relay/daemon/work_pool.h"
#include "transport/dns/resolver.h"
#include "transport/io/event_loop.h"

namespace waxwing {

/// A message as far as signing is concerned: its body has passed and left its hash.
struct SealRequest {
  std::string header;     ///< fields with CRLF, without the empty line, at most kMaxHeaderOctets
  std::string body_hash;  ///< of BodyHasher, relaxed
  DomainName author_domain;
  std::optional<MailAddress> reverse_path;     ///< no value: null
  std::string tenant;                          ///< empty: the relay's own message
  std::vector<std::string> recipient_domains;  ///< decide from where it leaves; in any order, also repeatedly
};

/// What became of it. `header` is the signed header; keys whose published record is not theirs have not signed.
struct Sealed {
  std::string header;
  PreflightVerdict preflight;
};

/// Foresees what receivers will make of a message and signs it: preflight with the DNS of the moment, then every proven
/// key. Lives on one event loop; the key operations run in a pool.
class MessageSealer {
 public:
  struct Options {
    DomainName helo;  ///< name the relay says in EHLO
    /// From which addresses receivers see mail of a tenant for some domains; none: that is not known. Called on the loop's
    /// thread.
    std::function<std::vector<IpAddress>(const std::string& tenant, const std::vector<std::string>& domains)> egress;
    Seconds signature_lifetime{0};
  };
  /// @errors  Exhausted: too many signatures wait, or were made; Malformed: the header cannot be signed; Unavailable: a
  ///          key operation failed, or the signer does not answer; Denied: the signer does not sign this
  using OnSealed = std::function<void(Result<Sealed>)>;

  /// All references must outlive the sealer, and the pool must have stopped before it goes.
  MessageSealer(EventLoop& loop, Resolver& resolver, const CurrentKeyRing& keys, WorkPool& pool, Options options);

  /// Seals one message; calls back exactly once, never inside the call. The verdict is given, not enforced: WouldFail
  /// and Unknown are for the caller to act on.
  void seal(SealRequest request, OnSealed on_sealed);

 private:
  struct Job;
  void foresee(const std::shared_ptr<Job>& job);
  void sign(const std::shared_ptr<Job>& job);

  EventLoop& loop_;
  Resolver& resolver_;
  const CurrentKeyRing& keys_;
  WorkPool& pool_;
  Options options_;
};

}  // namespace waxwing
