#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "keys/signing_key.h"
#include "signer/body_hasher.h"
#include "signer/dkim_signer.h"
#include "signer/service/signing_service.h"

namespace waxwing::test {

inline constexpr WallTime kSigningTime{Seconds(1'800'000'000)};

inline DomainName domain(std::string_view text) {
  return DomainName::parse(text).value();
}

/// A new Ed25519 key under a name.
inline StoredKey stored_key(std::string_view of = "sender.example", std::string selector = "s1") {
  auto key = SigningKey::generate(DkimKeyType::Ed25519).value();
  return {domain(of), std::move(selector), std::make_shared<const SigningKey>(std::move(key)), kSigningTime};
}

/// What a relay would have signed for a message of that author.
inline std::string octets_to_sign(const StoredKey& key, std::string_view author = "ann@sender.example") {
  const std::string header = "From: " + std::string(author) + "\r\nTo: bob@recv.example\r\nSubject: hi\r\n";
  const auto fields = parse_header_block(header).value();
  DkimSigningOptions options;
  options.now = kSigningTime;
  BodyHasher hasher(Canonicalization::Relaxed);
  return prepare_dkim_signature(choose_signed_header(fields, options).value(), hasher.finish(), key.domain,
                                key.selector, key.key->type(), options)
      .octets_to_sign;
}

inline SignRequest sign_request(const StoredKey& key, std::string_view author = "ann@sender.example") {
  return {key.domain, key.selector, "", octets_to_sign(key, author)};
}

}  // namespace waxwing::test
