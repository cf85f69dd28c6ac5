#pragma once

// Private to transport/tls: what the contexts and the session share.

#include <openssl/ssl.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/certificate_verdict.h"
#include "transport/tls/tls_session.h"

#ifndef OPENSSL_IS_BORINGSSL
#error "transport/tls is written for BoringSSL; the headers found are those of another library"
#endif

namespace waxwing {

/// The certificates that a peer presented (DER, leaf first), at most kMaxChainCertificates.
[[nodiscard]] std::vector<std::string> presented_chain(const SSL* ssl);

struct TlsSession::Impl {
  /// Connects `ssl` with the buffers below; to be called once, at the object's final address.
  /// @return  false: out of memory
  [[nodiscard]] bool attach();

  void advance_handshake();
  void read_records(InputBuffer& plaintext);
  void fail_with(int ssl_error);
  void note_old_certificate();

  /// The object behind an SSL inside BoringSSL's callbacks.
  [[nodiscard]] static Impl& of(const SSL* ssl);

  std::string_view input;  ///< not yet read part of what is being fed; borrowed during feed() only
  std::span<char> record;  ///< where BoringSSL has put the record at hand: its memory, valid until the record is read
  std::string output;
  State state = State::Handshaking;
  bool closed = false;  ///< close_notify has been queued
  std::string failure;
  std::optional<CertificateVerdict> verdict;
  std::optional<CertificateVerdict> observation;

  /// As client: looks at the presented chain (DER, leaf first). Dropped after the handshake, with all that it holds.
  std::function<CertificateVerdict(std::span<const std::string>)> verify;
  /// As client: the same, for reports alone; nullptr: nobody asks.
  std::function<CertificateVerdict(std::span<const std::string>)> observe;
  /// As client: keeps a session for resumption.
  std::function<void(bssl::UniquePtr<SSL_SESSION>)> keep_session;
  /// As client: remembers that this peer's certificate serves for TLS 1.2 alone; nullptr: that is known, or tried.
  std::function<void()> keep_to_tls_1_2;
  bool may_be_tried_again = false;
  /// As server: of its certificate, for channel bindings; see TlsServerContext.
  std::shared_ptr<const std::string> certificate_hash;

  bssl::UniquePtr<SSL> ssl;  ///< last, so that it goes first: its callbacks use the members above
};

}  // namespace waxwing
