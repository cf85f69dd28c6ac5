#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "policy/result.h"
#include "policy/time_point.h"
#include "transport/tls/tls_session.h"

namespace waxwing {

/// Makes server sessions with one certificate chain and key: TLS 1.2 with ECDHE and AEAD, and TLS 1.3. Immutable once
/// made; may be shared between threads. Session tickets are sealed with keys that exist only in this object's memory and
/// for a day at most, so none is accepted by another context, and so by no listener with another context, nor after a
/// restart.
/// @source  RFC 9325 §3 and §4
class TlsServerContext {
 public:
  /// @param certificate_pem  leaf first, then intermediates
  /// @param key_pem          unencrypted; ECDSA P-256 or P-384, or RSA of 2048 bits or more
  /// @errors  Malformed: unreadable certificate or key, or a key of another kind; Conflict: the key does not belong to
  ///          the certificate
  /// @param client_ca_pem    authorities whose certificates clients are asked for; empty: none is asked for. Who presents
  ///                         none, or another, comes in all the same: see TlsSession::peer_certificates()
  /// @param clock            for the age of ticket keys; called from any thread
  [[nodiscard]] static Result<std::shared_ptr<const TlsServerContext>> create(
      std::string_view certificate_pem, std::string_view key_pem, std::string_view client_ca_pem = {},
      std::function<MonotonicTime()> clock = steady_time);
  ~TlsServerContext();
  TlsServerContext(const TlsServerContext&) = delete;
  TlsServerContext& operator=(const TlsServerContext&) = delete;

  [[nodiscard]] std::unique_ptr<TlsSession> start() const;

 private:
  [[nodiscard]] static MonotonicTime steady_time();

  struct Impl;
  explicit TlsServerContext(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace waxwing
