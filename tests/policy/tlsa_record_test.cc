#include "policy/tlsa_record.h"

#include <catch2/catch.hpp>

using waxwing::TlsaRecord;

namespace {
TlsaRecord record(int usage, int selector, int matching_type, std::size_t octets) {
  return TlsaRecord{static_cast<std::uint8_t>(usage), static_cast<std::uint8_t>(selector),
                    static_cast<std::uint8_t>(matching_type), std::string(octets, '\x0a')};
}
}  // namespace

TEST_CASE("TLSA rdata is split into its fields") {
  const auto parsed = TlsaRecord::from_rdata(std::string("\x03\x01\x01\x0a\xff", 5));
  REQUIRE(parsed);
  CHECK(parsed->str() == "3 1 1 0aff");
}

TEST_CASE("TLSA rdata without association data is malformed") {
  CHECK_FALSE(TlsaRecord::from_rdata(""));
  CHECK_FALSE(TlsaRecord::from_rdata(std::string("\x03\x01\x01", 3)));
}

TEST_CASE("only DANE-EE and DANE-TA with a digest of the right length are usable") {
  CHECK(record(3, 1, 1, 32).usable());
  CHECK(record(2, 0, 2, 64).usable());
  CHECK_FALSE(record(0, 0, 1, 32).usable());
  CHECK_FALSE(record(1, 1, 1, 32).usable());
  CHECK_FALSE(record(4, 1, 1, 32).usable());
  CHECK_FALSE(record(3, 2, 1, 32).usable());
  CHECK_FALSE(record(3, 1, 3, 32).usable());
  CHECK_FALSE(record(3, 1, 1, 31).usable());
  CHECK_FALSE(record(3, 1, 2, 32).usable());
}

TEST_CASE("exact association data must be a certificate or a key") {
  CHECK_FALSE(record(3, 0, 0, 300).usable());
  CHECK_FALSE(record(3, 1, 0, 300).usable());
  // SubjectPublicKeyInfo of an Ed25519 key, RFC 8410 §10.1.
  const std::string key(
      "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00\x19\xbf\x44\x09\x69\x84\xcd\xfe\x85\x41\xba\xc1\x67\xdc\x3b\x96"
      "\xc8\x50\x86\xaa\x30\xb6\xb6\xcb\x0c\x5c\x38\xad\x70\x31\x66\xe1",
      44);
  CHECK(TlsaRecord{3, 1, 0, key}.usable());
  CHECK_FALSE(TlsaRecord{3, 1, 0, key + "x"}.usable());
  CHECK_FALSE(TlsaRecord{3, 0, 0, key}.usable());
}
