#include "transport/tls/ticket_keys.h"

#include <openssl/aead.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace waxwing {
namespace {

constexpr std::size_t kNameOctets = 16;
constexpr std::size_t kNonceOctets = 12;
constexpr std::size_t kTagOctets = 16;

// One key seals for half a day: random nonces of 96 bits are safe for far more tickets than that (NIST SP 800-38D §8.3).
const EVP_AEAD* cipher() {
  return EVP_aead_aes_256_gcm();
}

void free_keys(void*, void* keys, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<TicketKeys*>(keys);
}

int context_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_keys);
  return index;
}

TicketKeys* keys_of(SSL* ssl) {
  return static_cast<TicketKeys*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), context_index()));
}

}  // namespace

// What BoringSSL calls; a ticket is the name of its key, a nonce, and the sealed session.
struct TicketMethod {
  static std::size_t max_overhead(SSL*) { return kNameOctets + kNonceOctets + kTagOctets; }

  static int seal(SSL* ssl, std::uint8_t* out, std::size_t* out_size, std::size_t max_out_size,
                  const std::uint8_t* session, std::size_t session_size) {
    if (max_out_size < session_size + max_overhead(ssl)) return 0;
    TicketKeys::Key key = keys_of(ssl)->sealing_key();
    std::uint8_t* nonce = out + kNameOctets;
    std::uint8_t* sealed = nonce + kNonceOctets;
    std::ranges::copy(key.name, out);
    RAND_bytes(nonce, kNonceOctets);
    const bssl::UniquePtr<EVP_AEAD_CTX> aead(
        EVP_AEAD_CTX_new(cipher(), key.secret.data(), key.secret.size(), kTagOctets));
    OPENSSL_cleanse(key.secret.data(), key.secret.size());
    std::size_t sealed_size = 0;
    const bool done = aead != nullptr &&
                      EVP_AEAD_CTX_seal(aead.get(), sealed, &sealed_size, max_out_size - kNameOctets - kNonceOctets,
                                        nonce, kNonceOctets, session, session_size, out, kNameOctets) == 1;
    if (!done) return 0;
    *out_size = kNameOctets + kNonceOctets + sealed_size;
    return 1;
  }

  // A ticket that is not ours, or too old, costs its client a full handshake and nothing else.
  static ssl_ticket_aead_result_t open(SSL* ssl, std::uint8_t* out, std::size_t* out_size, std::size_t max_out_size,
                                       const std::uint8_t* ticket, std::size_t ticket_size) {
    if (ticket_size < max_overhead(ssl)) return ssl_ticket_aead_ignore_ticket;
    std::optional<TicketKeys::Key> key = keys_of(ssl)->find(ticket);
    if (!key) return ssl_ticket_aead_ignore_ticket;
    const bssl::UniquePtr<EVP_AEAD_CTX> aead(
        EVP_AEAD_CTX_new(cipher(), key->secret.data(), key->secret.size(), kTagOctets));
    OPENSSL_cleanse(key->secret.data(), key->secret.size());
    if (aead == nullptr) return ssl_ticket_aead_error;
    const std::uint8_t* nonce = ticket + kNameOctets;
    const std::uint8_t* sealed = nonce + kNonceOctets;
    const std::size_t sealed_size = ticket_size - kNameOctets - kNonceOctets;
    const bool opened = EVP_AEAD_CTX_open(aead.get(), out, out_size, max_out_size, nonce, kNonceOctets, sealed,
                                          sealed_size, ticket, kNameOctets) == 1;
    if (opened) return ssl_ticket_aead_success;
    ERR_clear_error();  // or the handshake would take it for its own failure
    return ssl_ticket_aead_ignore_ticket;
  }
};

TicketKeys::~TicketKeys() {
  for (std::optional<Key>* key : {&current_, &previous_}) {
    if (*key) OPENSSL_cleanse((*key)->secret.data(), (*key)->secret.size());
  }
}

bool TicketKeys::install(SSL_CTX* context, Clock clock) {
  static constexpr SSL_TICKET_AEAD_METHOD kMethod = {TicketMethod::max_overhead, TicketMethod::seal,
                                                     TicketMethod::open};
  std::unique_ptr<TicketKeys> keys(new TicketKeys(std::move(clock)));
  if (SSL_CTX_set_ex_data(context, context_index(), keys.get()) != 1) return false;
  keys.release();  // the context frees them
  SSL_CTX_set_ticket_aead_method(context, &kMethod);
  return true;
}

void TicketKeys::rotate(MonotonicTime now) {
  if (previous_ && now - previous_->made >= kTicketKeyLifetime) {
    OPENSSL_cleanse(previous_->secret.data(), previous_->secret.size());
    previous_.reset();
  }
  if (current_ && now - current_->made < kTicketKeyLifetime / 2) return;
  // The one before last goes even if it were young enough: there is one sealing key in each half of a lifetime.
  if (previous_) OPENSSL_cleanse(previous_->secret.data(), previous_->secret.size());
  previous_ = current_ && now - current_->made < kTicketKeyLifetime ? current_ : std::nullopt;
  current_.emplace();
  RAND_bytes(current_->name.data(), current_->name.size());
  RAND_bytes(current_->secret.data(), current_->secret.size());
  current_->made = now;
}

TicketKeys::Key TicketKeys::sealing_key() {
  const std::lock_guard lock(mutex_);
  rotate(clock_());
  return *current_;
}

std::optional<TicketKeys::Key> TicketKeys::find(const std::uint8_t* name) {
  const std::lock_guard lock(mutex_);
  rotate(clock_());
  for (const std::optional<Key>* key : {&current_, &previous_}) {
    if (*key && std::memcmp((*key)->name.data(), name, kNameOctets) == 0) return **key;
  }
  return std::nullopt;
}

}  // namespace waxwing
