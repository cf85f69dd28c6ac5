#include "signer/body_hasher.h"

#include <catch2/catch.hpp>
#include <string>

#include "policy/base64.h"

namespace waxwing {
namespace {

std::string hash(std::string_view body, Canonicalization form, std::size_t chunk_octets = 1'000'000) {
  BodyHasher hasher(form);
  for (std::size_t at = 0; at < body.size(); at += chunk_octets) hasher.update(body.substr(at, chunk_octets));
  return encode_base64(hasher.finish());
}

TEST_CASE("an empty body has the hashes that the RFC gives", "[body_hasher]") {  // RFC 6376 §3.4.3 and §3.4.4
  CHECK(hash("", Canonicalization::Simple) == "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=");
  CHECK(hash("", Canonicalization::Relaxed) == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

TEST_CASE("the body of RFC 8463 has the hash that the RFC gives", "[body_hasher]") {  // RFC 8463 §A.3
  const std::string body = "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
  for (std::size_t octets = 1; octets <= body.size(); ++octets) {
    CHECK(hash(body, Canonicalization::Relaxed, octets) == "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
  }
}

}  // namespace
}  // namespace waxwing
