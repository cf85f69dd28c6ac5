#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "policy/pkix.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "policy/tls_requirement.h"
#include "transport/tls/tls_session.h"

namespace waxwing {

/// Makes client sessions: TLS 1.2 with ECDHE and AEAD, and TLS 1.3; one per loop, kept for its life, since it also
/// keeps the sessions for resumption. Those are keyed by peer and requirement, so that what was established under one
/// requirement is never resumed under another, and the peer is verified again at each resumption.
/// @source  RFC 9325 §3 and §4, RFC 7672 §3
class TlsClientContext {
 public:
  /// @param anchors  authorities for Pkix; shared, immutable; nullptr: none, so that nothing satisfies Pkix
  /// @param clock    calendar time, for certificate dates
  /// @errors  Exhausted: out of memory
  [[nodiscard]] static Result<std::unique_ptr<TlsClientContext>> create(std::shared_ptr<const TrustAnchors> anchors,
                                                                        std::function<WallTime()> clock);
  ~TlsClientContext();
  TlsClientContext(const TlsClientContext&) = delete;
  TlsClientContext& operator=(const TlsClientContext&) = delete;

  /// Begins a session that completes only if the peer satisfies `requirement` (which must not be Defer).
  /// @param peer_key  names the peer for resumption, e.g. "mx1.example.net 192.0.2.1:25"
  /// @param alpn      protocol to offer, e.g. "http/1.1", at most 255 octets; empty: none
  [[nodiscard]] std::unique_ptr<TlsSession> start(const TlsRequirement& requirement, std::string_view peer_key,
                                                  std::string_view alpn);

 private:
  struct Impl;
  explicit TlsClientContext(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Peers whose sessions are kept for resumption; beyond that the least recently used is forgotten.
inline constexpr std::size_t kMaxResumablePeers = 1'024;

/// Sessions kept per peer and requirement: a TLS 1.3 server sends one or two tickets, and each serves once.
inline constexpr std::size_t kMaxSessionsPerPeer = 4;

}  // namespace waxwing
