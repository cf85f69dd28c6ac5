#include "transport/tls/tls_session.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/mem.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <climits>
#include <cstring>
#include <span>
#include <utility>

#include "policy/certificate_chain.h"
#include "transport/tls/tls_failure_text.h"
#include "transport/tls/tls_session_impl.h"

namespace waxwing {
namespace {

// BoringSSL's memory BIOs never shrink and its BIO pairs hold two 17 KiB buffers; this one reads straight from the
// octets being fed and appends to the output string, so an idle session holds no buffer at all.

template <class Session>
int read_input(BIO* bio, char* destination, int capacity) {
  auto& session = *static_cast<Session*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (session.input.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t count = std::min(session.input.size(), static_cast<std::size_t>(capacity));
  std::memcpy(destination, session.input.data(), count);
  session.input.remove_prefix(count);
  const bool continues = destination == session.record.data() + session.record.size();
  session.record =
      continues ? std::span(session.record.data(), session.record.size() + count) : std::span(destination, count);
  return static_cast<int>(count);
}

int append_output(BIO* bio, const char* octets, int count) {
  static_cast<std::string*>(BIO_get_data(bio))->append(octets, static_cast<std::size_t>(count));
  return count;
}

long control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

bssl::UniquePtr<BIO_METHOD> make_method(int (*read)(BIO*, char*, int), int (*write)(BIO*, const char*, int)) {
  bssl::UniquePtr<BIO_METHOD> method(BIO_meth_new(BIO_TYPE_SOURCE_SINK, "waxwing session"));
  if (method == nullptr) return nullptr;
  BIO_meth_set_ctrl(method.get(), control);
  if (read != nullptr) BIO_meth_set_read(method.get(), read);
  if (write != nullptr) BIO_meth_set_write(method.get(), write);
  return method;
}

bssl::UniquePtr<BIO> make_bio(const BIO_METHOD* method, void* data) {
  bssl::UniquePtr<BIO> bio(method == nullptr ? nullptr : BIO_new(method));
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio.get(), data);
  BIO_set_init(bio.get(), 1);
  return bio;
}

// RFC 9266 §2. TLS 1.2 tells a context of no octets from none, and everybody gives none.
std::optional<Secret> exported_binding(SSL* ssl) {
  constexpr std::string_view kLabel = "EXPORTER-Channel-Binding";
  constexpr std::size_t kOctets = 32;
  Secret octets = Secret::zeros(kOctets);
  const bool exported = SSL_export_keying_material(ssl, reinterpret_cast<std::uint8_t*>(octets.writable()),
                                                   octets.size(), kLabel.data(), kLabel.size(), nullptr, 0, 0) == 1;
  ERR_clear_error();
  return exported ? std::optional(std::move(octets)) : std::nullopt;
}

// RFC 5929 §3.
std::optional<Secret> unique_binding(const SSL* ssl) {
  constexpr std::size_t kMaxOctets = 64;
  Secret octets = Secret::zeros(kMaxOctets);
  std::size_t size = 0;
  if (SSL_get_tls_unique(ssl, reinterpret_cast<std::uint8_t*>(octets.writable()), &size, octets.size()) != 1)
    return std::nullopt;
  return Secret(octets.reveal().substr(0, size));
}

}  // namespace

std::vector<std::string> presented_chain(const SSL* ssl) {
  std::vector<std::string> chain;
  const STACK_OF(CRYPTO_BUFFER)* certificates = SSL_get0_peer_certificates(ssl);
  const std::size_t count = certificates == nullptr ? 0 : sk_CRYPTO_BUFFER_num(certificates);
  for (std::size_t i = 0; i < count && i < kMaxChainCertificates; ++i) {
    const CRYPTO_BUFFER* certificate = sk_CRYPTO_BUFFER_value(certificates, i);
    chain.emplace_back(reinterpret_cast<const char*>(CRYPTO_BUFFER_data(certificate)), CRYPTO_BUFFER_len(certificate));
  }
  return chain;
}

bool TlsSession::Impl::attach() {
  // Constant after the first use; BIO_METHOD has no constant initialisation.
  static const bssl::UniquePtr<BIO_METHOD> input_method = make_method(read_input<Impl>, nullptr);
  static const bssl::UniquePtr<BIO_METHOD> output_method = make_method(nullptr, append_output);
  bssl::UniquePtr<BIO> reader = make_bio(input_method.get(), this);
  bssl::UniquePtr<BIO> writer = make_bio(output_method.get(), &output);
  if (ssl == nullptr || reader == nullptr || writer == nullptr || SSL_set_app_data(ssl.get(), this) != 1) return false;
  SSL_set_bio(ssl.get(), reader.release(), writer.release());
  SSL_set_shed_handshake_config(ssl.get(), 1);
  return true;
}

TlsSession::Impl& TlsSession::Impl::of(const SSL* ssl) {
  return *static_cast<Impl*>(SSL_get_app_data(ssl));
}

void TlsSession::Impl::advance_handshake() {
  const int result = SSL_do_handshake(ssl.get());
  if (result == 1) {
    state = State::Established;
    verify = nullptr;
    keep_to_tls_1_2 = nullptr;
    return;
  }
  const int error = SSL_get_error(ssl.get(), result);
  if (error != SSL_ERROR_WANT_READ) fail_with(error);
}

// BoringSSL decrypts a record where it has read it, and gives that memory back without wiping it: it holds such records for
// public. So each is looked at, overwritten, and only then read, which overwrites our own copy too.
void TlsSession::Impl::read_records(InputBuffer& plaintext) {
  // Not cleared first, as all automatic variables else are: 16 KiB at each call would be the dearest part of it.
  __attribute__((uninitialized)) std::array<char, SSL3_RT_MAX_PLAIN_LENGTH> octets;
  while (true) {
    const int count = SSL_peek(ssl.get(), octets.data(), static_cast<int>(octets.size()));
    if (count > 0) {
      plaintext.append({octets.data(), static_cast<std::size_t>(count)});
      OPENSSL_cleanse(record.data(), record.size());
      [[maybe_unused]] const int read = SSL_read(ssl.get(), octets.data(), count);
      assert(read == count && octets.front() == 0 && octets[static_cast<std::size_t>(count) - 1] == 0);
      record = {};
      continue;
    }
    const int error = SSL_get_error(ssl.get(), count);
    if (error == SSL_ERROR_ZERO_RETURN) {
      state = State::PeerClosed;
    } else if (error != SSL_ERROR_WANT_READ) {
      fail_with(error);
    }
    return;
  }
}

// TLS 1.3 has RSA certificates sign, so BoringSSL insists there on the keyUsage digitalSignature, which old certificates
// for key encipherment lack. With TLS 1.2 that is not asked for.
void TlsSession::Impl::note_old_certificate() {
  const std::uint32_t error = ERR_peek_error();
  const bool lacks_usage = ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_KEY_USAGE_BIT_INCORRECT;
  if (!lacks_usage || keep_to_tls_1_2 == nullptr) return;
  keep_to_tls_1_2();
  may_be_tried_again = true;
}

void TlsSession::Impl::fail_with(int ssl_error) {
  note_old_certificate();
  const std::string text = tls_failure_text(ssl_error, state == State::Handshaking);
  if (verdict && verdict->result != CertificateResult::Accepted) {
    failure = fmt::format("the peer's certificate was not accepted: {}", verdict->detail);
  } else {
    failure = text;
  }
  state = State::Failed;
  verify = nullptr;
  keep_session = nullptr;
  keep_to_tls_1_2 = nullptr;
}

TlsSession::TlsSession(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

TlsSession::~TlsSession() = default;

TlsSession::State TlsSession::feed(std::string_view ciphertext, InputBuffer& plaintext) {
  impl_->input = ciphertext;
  ERR_clear_error();
  if (impl_->state == State::Handshaking) impl_->advance_handshake();
  if (impl_->state == State::Established) impl_->read_records(plaintext);
  impl_->input = {};
  return impl_->state;
}

void TlsSession::write(std::string_view plaintext) {
  assert(impl_->state != State::Handshaking);
  if (impl_->closed) return;
  ERR_clear_error();
  while (!plaintext.empty() && impl_->state != State::Failed) {
    const int count = static_cast<int>(std::min<std::size_t>(plaintext.size(), INT_MAX));
    const int written = SSL_write(impl_->ssl.get(), plaintext.data(), count);
    if (written <= 0) {
      impl_->fail_with(SSL_get_error(impl_->ssl.get(), written));
    } else {
      plaintext.remove_prefix(static_cast<std::size_t>(written));
    }
  }
}

void TlsSession::close() {
  if (impl_->closed || impl_->state == State::Handshaking || impl_->state == State::Failed) return;
  impl_->closed = true;
  ERR_clear_error();
  // Both results of a queued alert (0: the peer's is still missing, 1: it was here before) are fine.
  SSL_shutdown(impl_->ssl.get());
}

std::string TlsSession::take_output() {
  return std::exchange(impl_->output, {});
}

TlsSession::State TlsSession::state() const {
  return impl_->state;
}

const std::string& TlsSession::failure() const {
  return impl_->failure;
}

bool TlsSession::may_be_tried_again() const {
  return impl_->may_be_tried_again;
}

const std::optional<CertificateVerdict>& TlsSession::peer_verdict() const {
  return impl_->verdict;
}

const std::optional<CertificateVerdict>& TlsSession::peer_observation() const {
  return impl_->observation;
}

std::vector<std::string> TlsSession::peer_certificates() const {
  return presented_chain(impl_->ssl.get());
}

TlsSummary TlsSession::summary() const {
  const SSL* ssl = impl_->ssl.get();
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl);
  return {.version = SSL_get_version(ssl),
          .cipher = cipher == nullptr ? "" : SSL_CIPHER_standard_name(cipher),
          .resumed = SSL_session_reused(ssl) == 1};
}

// Without the extended master secret, whoever sits between can make two connections alike (RFC 7627 §1).
std::optional<Secret> TlsSession::channel_binding(std::string_view type) const {
  SSL* ssl = impl_->ssl.get();
  if (type == "tls-server-end-point" && impl_->certificate_hash && !impl_->certificate_hash->empty())
    return Secret(*impl_->certificate_hash);
  if (SSL_get_extms_support(ssl) != 1) return std::nullopt;
  if (type == "tls-exporter") return exported_binding(ssl);
  if (type == "tls-unique") return unique_binding(ssl);
  return std::nullopt;
}

}  // namespace waxwing
