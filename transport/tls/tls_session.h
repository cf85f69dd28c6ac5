#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/certificate_verdict.h"
#include "policy/input_buffer.h"
#include "policy/secret.h"

namespace waxwing {

class TlsClientContext;  // transport/tls/tls_client_context.h
class TlsServerContext;  // transport/tls/tls_server_context.h

/// What a completed handshake is made of; for logs, Received fields and reports.
struct TlsSummary {
  std::string version;  ///< "TLSv1.3"
  std::string cipher;   ///< IANA name, "TLS_AES_128_GCM_SHA256"
  bool resumed = false;
};

/// One TLS connection without any I/O: octets of the network in, octets for the network out. Made by a TlsClientContext
/// or a TlsServerContext, which it may outlive. Not thread-safe.
class TlsSession {
 public:
  enum class State {
    Handshaking,
    Established,
    PeerClosed,  ///< the peer sent close_notify: what was decrypted is complete; writing is still possible
    Failed,      ///< see failure(); take_output() may hold the alert that tells the peer
  };

  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  /// Takes octets from the network (any number, also none to begin the handshake as client), advances the handshake and
  /// appends what was decrypted to `plaintext`, and keeps no copy of that. Octets after the end of the session are dropped. An end of the stream
  /// before State::PeerClosed is a truncation; the caller sees it, this class cannot.
  [[nodiscard]] State feed(std::string_view ciphertext, InputBuffer& plaintext);

  /// Encrypts; only after the handshake. What arises waits in take_output(), in records of at most 16 KiB. Does nothing
  /// after close() or a failure.
  void write(std::string_view plaintext);

  /// Queues close_notify; later octets of the peer can still be fed. Does nothing before the handshake is complete.
  void close();

  /// Octets for the network since the last call; empty: none.
  [[nodiscard]] std::string take_output();

  [[nodiscard]] State state() const;

  /// Why it Failed, one sentence for people: alert, protocol error or what the verifier said; else empty.
  [[nodiscard]] const std::string& failure() const;

  /// Whether another session with the same peer, by the same context, is worth trying at once after this one Failed: the
  /// context has learned what the peer needs. The requirement stays the same.
  [[nodiscard]] bool may_be_tried_again() const;

  /// As client: what the verifier decided about the peer; no value before it ran.
  [[nodiscard]] const std::optional<CertificateVerdict>& peer_verdict() const;

  /// As client: what a verifier would have decided where nothing depends on it (TlsRequirement::reference_identifiers
  /// of an opportunistic requirement); no value: nobody asked.
  [[nodiscard]] const std::optional<CertificateVerdict>& peer_observation() const;

  /// What the peer presented, in DER, leaf first, or in the session that this one resumes; hostile. As server: nothing
  /// has judged it, but the peer has the key of the leaf.
  [[nodiscard]] std::vector<std::string> peer_certificates() const;

  /// Once Established.
  [[nodiscard]] TlsSummary summary() const;

  /// Octets that are the same at both ends of this connection and differ from those of any other, or, with
  /// "tls-server-end-point", of any other server; secret but for the latter. Once Established.
  /// @param type  "tls-exporter", "tls-unique", "tls-server-end-point"
  /// @return      no value: another type; or it cannot be told here: the first two need TLS 1.3 or the extended master
  ///              secret, "tls-unique" has no meaning in TLS 1.3, and the third is for servers whose certificate is
  ///              signed over one hash
  /// @source      RFC 9266 §2 and §3, RFC 5929 §3 and §4, RFC 7627 §1
  [[nodiscard]] std::optional<Secret> channel_binding(std::string_view type) const;

 private:
  friend class TlsClientContext;
  friend class TlsServerContext;
  struct Impl;
  explicit TlsSession(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace waxwing
