#include "signer/body_digests.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "signer/body_hasher.h"

namespace waxwing {
namespace {

std::string hash_of(std::string_view body, Canonicalization form) {
  BodyHasher hasher(form);
  hasher.update(body);
  return hasher.finish();
}

TEST_CASE("both canonical forms come out as if hashed alone", "[body_digests]") {
  const std::string body = GENERATE(as<std::string>(), "", "\r\n", "a  b \r\n\r\n", "x", "line\r\n \t\r\n");
  BodyDigests digests;
  const auto relaxed = digests.request(Canonicalization::Relaxed, std::nullopt);
  const auto simple = digests.request(Canonicalization::Simple, std::nullopt);
  for (const char c : body) digests.update({&c, 1});
  digests.finish();
  CHECK(digests.digest(relaxed).sha256 == hash_of(body, Canonicalization::Relaxed));
  CHECK(digests.digest(simple).sha256 == hash_of(body, Canonicalization::Simple));
}

TEST_CASE("hashes of the first octets fall off on the way, in any order of asking", "[body_digests]") {
  std::mt19937 random(20261126);
  std::string body;
  for (int i = 0; i < 3'000; ++i) body += static_cast<char>('a' + static_cast<int>(random() % 26));
  body += "\r\n";
  BodyDigests digests;
  const std::size_t lengths[] = {3'002, 0, 17, 3'001, 17, 2'999, 1};
  for (const std::size_t length : lengths) (void)digests.request(Canonicalization::Simple, length);
  for (std::size_t at = 0; at < body.size(); at += 100) digests.update(std::string_view(body).substr(at, 100));
  digests.finish();
  for (std::size_t i = 0; i < std::size(lengths); ++i) {
    // A prefix without a line end has one more in canonical form, so it is hashed as raw octets here.
    std::string expected(SHA256_DIGEST_LENGTH, '\0');
    SHA256(reinterpret_cast<const std::uint8_t*>(body.data()), lengths[i],
           reinterpret_cast<std::uint8_t*>(expected.data()));
    CHECK(digests.digest(i).sha256 == expected);
    CHECK(digests.digest(i).octets == lengths[i]);
    CHECK(digests.digest(i).total == body.size());
  }
}

TEST_CASE("a length beyond the body covers all of it and says so", "[body_digests]") {
  BodyDigests digests;
  const auto hash = digests.request(Canonicalization::Simple, 1'000);
  digests.update("abc\r\n");
  digests.finish();
  CHECK(digests.digest(hash).octets == 5);
  CHECK(digests.digest(hash).sha256 == hash_of("abc\r\n", Canonicalization::Simple));
}

}  // namespace
}  // namespace waxwing
