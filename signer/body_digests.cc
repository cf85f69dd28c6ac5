#include "signer/body_digests.h"

#include <algorithm>
#include <cassert>
#include <limits>

#ifndef OPENSSL_IS_BORINGSSL
#error "signer/ is written for BoringSSL; another libcrypto's headers came first in the include path"
#endif

namespace waxwing {

BodyDigests::Pass::Pass(Canonicalization canonicalization) : canonicalizer(canonicalization) {
  SHA256_Init(&context_);
}

void BodyDigests::Pass::put(std::string_view piece) {
  while (!cuts.empty() && cuts.back()->length <= octets + piece.size()) {
    const std::string_view before = piece.substr(0, static_cast<std::size_t>(cuts.back()->length - octets));
    SHA256_Update(&context_, before.data(), before.size());
    octets += before.size();
    piece.remove_prefix(before.size());
    settle(*cuts.back());
    cuts.pop_back();
  }
  SHA256_Update(&context_, piece.data(), piece.size());
  octets += piece.size();
}

void BodyDigests::Pass::settle(Request& request) const {
  SHA256_CTX here = context_;
  request.digest.sha256.resize(SHA256_DIGEST_LENGTH);
  SHA256_Final(reinterpret_cast<std::uint8_t*>(request.digest.sha256.data()), &here);
  request.digest.octets = octets;
}

std::size_t BodyDigests::request(Canonicalization canonicalization, std::optional<std::uint64_t> length) {
  assert(!begun_);
  requests_.push_back({canonicalization, length.value_or(std::numeric_limits<std::uint64_t>::max()), {}});
  return requests_.size() - 1;
}

void BodyDigests::begin() {
  begun_ = true;
  for (Request& request : requests_) {
    auto& pass = passes_.at(static_cast<std::size_t>(request.canonicalization));
    if (!pass) pass = std::make_unique<Pass>(request.canonicalization);
    pass->cuts.push_back(&request);
  }
  for (auto& pass : passes_) {
    if (pass) std::ranges::sort(pass->cuts, std::greater{}, &Request::length);
  }
}

void BodyDigests::update(std::string_view chunk) {
  if (!begun_) begin();
  for (auto& pass : passes_) {
    if (pass) pass->canonicalizer.update(chunk, *pass);
  }
}

void BodyDigests::finish() {
  if (!begun_) begin();
  for (auto& pass : passes_) {
    if (!pass) continue;
    pass->canonicalizer.finish(*pass);
    for (Request* request : pass->cuts) pass->settle(*request);
    pass->cuts.clear();
  }
  for (Request& request : requests_) {
    request.digest.total = passes_.at(static_cast<std::size_t>(request.canonicalization))->octets;
  }
}

}  // namespace waxwing
