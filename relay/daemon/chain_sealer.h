#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "policy/domain_name.h"
#include "policy/result.h"
#include "relay/daemon/key_ring.h"
#include "relay/daemon/work_pool.h"
#include "relay/server/received_verdict.h"
#include "transport/dns/resolver.h"
#include "transport/io/event_loop.h"

namespace waxwing {

/// A message that came from elsewhere, or has a chain, as far as sealing is concerned.
struct ChainSealRequest {
  /// Whether Authentication-Results goes in front of the header too.
  enum class Results { InHeader, InChainOnly };
  std::shared_ptr<const MessageVerifier> message;  ///< as it came, after finish()
  ReceivedEnvelope envelope;
  std::string header;     ///< as it is to leave but for what is added here; fields with CRLF, without the empty line
  std::string body_hash;  ///< of BodyHasher, relaxed
  Results results = Results::InHeader;
};

struct ChainSealed {
  std::string header;
  ReceivedVerdict verdict;
  std::string unsealed_because;  ///< why there is no new set of ARC; empty: there is one
};

/// Judges a message as its receiver, writes down what was found, and seals that into its Authenticated Received Chain
/// with the relay's key, so that the next receiver can see what was true before the message was forwarded. Lives on one
/// event loop; the key operations run in a pool.
class ChainSealer {
 public:
  struct Options {
    DomainName hostname;               ///< name of whoever judged, in Authentication-Results and EHLO
    std::optional<DomainName> domain;  ///< whose key seals; no value: nothing is sealed
  };
  /// @errors  Exhausted: too many signatures wait; Malformed: the header cannot be sealed; Unavailable: a key operation
  ///          failed
  using OnSealed = std::function<void(Result<ChainSealed>)>;

  /// All references must outlive the sealer, and the pool must have stopped before it goes.
  ChainSealer(EventLoop& loop, Resolver& resolver, const CurrentKeyRing& keys, WorkPool& pool, Options options);

  /// Seals one message; calls back exactly once, never inside the call. The verdict is given, not enforced.
  void seal(ChainSealRequest request, OnSealed on_sealed);

 private:
  struct Job;
  void judge(const std::shared_ptr<Job>& job);
  [[nodiscard]] std::optional<std::optional<StoredKey>> choose_key(Job& job) const;
  void add_set(const std::shared_ptr<Job>& job, const StoredKey& key, AuthenticationResults results);

  EventLoop& loop_;
  Resolver& resolver_;
  const CurrentKeyRing& keys_;
  WorkPool& pool_;
  Options options_;
};

/// Whether a header has fields of a chain.
[[nodiscard]] bool has_chain(const std::vector<HeaderField>& fields);

}  // namespace waxwing
