#include "signer/body_hasher.h"

#ifndef OPENSSL_IS_BORINGSSL
#error "signer/ is written for BoringSSL; another libcrypto's headers came first in the include path"
#endif

namespace waxwing {

BodyHasher::Sha256Sink::Sha256Sink() {
  SHA256_Init(&context_);
}

void BodyHasher::Sha256Sink::put(std::string_view octets) {
  SHA256_Update(&context_, octets.data(), octets.size());
}

std::string BodyHasher::Sha256Sink::digest() {
  std::string result(SHA256_DIGEST_LENGTH, '\0');
  SHA256_Final(reinterpret_cast<std::uint8_t*>(result.data()), &context_);
  return result;
}

BodyHasher::BodyHasher(Canonicalization canonicalization) : canonicalizer_(canonicalization) {}

void BodyHasher::update(std::string_view chunk) {
  canonicalizer_.update(chunk, sink_);
}

std::string BodyHasher::finish() {
  canonicalizer_.finish(sink_);
  return sink_.digest();
}

}  // namespace waxwing
