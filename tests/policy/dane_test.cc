#include "policy/dane.h"

#include <openssl/err.h>
#include <openssl/sha.h>

#include <catch2/catch.hpp>

#include "tests/policy/certificate_maker.h"

using namespace waxwing;
using namespace waxwing::testing;

namespace {

std::string sha256(std::string_view octets) {
  std::string digest(32, '\0');
  SHA256(reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size(),
         reinterpret_cast<std::uint8_t*>(digest.data()));
  return digest;
}
std::string sha512(std::string_view octets) {
  std::string digest(64, '\0');
  SHA512(reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size(),
         reinterpret_cast<std::uint8_t*>(digest.data()));
  return digest;
}

CertificateSpec authority(std::string subject) {
  CertificateSpec spec;
  spec.subject = std::move(subject);
  spec.authority = true;
  return spec;
}

CertificateSpec server() {
  CertificateSpec spec;
  spec.dns_names = {"mx.example.org"};
  return spec;
}

CertificateVerdict verify(const std::vector<std::string>& chain, const std::vector<TlsaRecord>& records,
                          std::string name = "mx.example.org", std::int64_t now = kValidTime) {
  const std::vector<std::string> names = {std::move(name)};
  return verify_dane(chain, records, names, WallTime{Seconds{now}});
}

}  // namespace

TEST_CASE("DANE-EE looks at neither names nor dates nor issuers") {
  const auto leaf = make_certificate(server(), make_ec_key());
  for (const TlsaRecord& record :
       {TlsaRecord{3, 0, 0, leaf.der()}, TlsaRecord{3, 1, 0, leaf.public_key_der()},
        TlsaRecord{3, 0, 1, sha256(leaf.der())}, TlsaRecord{3, 1, 1, sha256(leaf.public_key_der())},
        TlsaRecord{3, 0, 2, sha512(leaf.der())}, TlsaRecord{3, 1, 2, sha512(leaf.public_key_der())}}) {
    CHECK(verify({leaf.der()}, {record}, "other.example", 1'900'000'000).result == CertificateResult::Accepted);
  }
}

TEST_CASE("DANE-EE does not match a certificate above the leaf") {
  const auto root = make_certificate(authority("root"), make_ec_key());
  const auto leaf = make_certificate(server(), make_ec_key(), &root);
  const auto verdict = verify({leaf.der(), root.der()}, {TlsaRecord{3, 1, 1, sha256(root.public_key_der())}});
  CHECK(verdict.result == CertificateResult::NotTrusted);
  CHECK(verdict.detail.find("would match 3 1 1 ") != std::string::npos);
}

TEST_CASE("DANE-TA accepts a path to the matched certificate and checks names and dates") {
  const auto root = make_certificate(authority("root"), make_ec_key());
  const auto middle = make_certificate(authority("middle"), make_ec_key(), &root);
  const auto leaf = make_certificate(server(), make_ec_key(), &middle);
  const std::vector<std::string> chain = {leaf.der(), middle.der(), root.der()};
  for (const Certificate* anchor : {&root, &middle}) {
    const std::vector<TlsaRecord> records = {TlsaRecord{2, 1, 1, sha256(anchor->public_key_der())}};
    CHECK(verify(chain, records).result == CertificateResult::Accepted);
    CHECK(verify(chain, records, "other.example").result == CertificateResult::HostMismatch);
    CHECK(verify(chain, records, "mx.example.org", 1'900'000'000).result == CertificateResult::Expired);
  }
}

TEST_CASE("DANE-TA is not satisfied by presenting an anchor that did not issue the leaf") {
  const auto root = make_certificate(authority("root"), make_ec_key());
  const auto foreign = make_certificate(authority("root"), make_ec_key());
  const auto leaf = make_certificate(server(), make_ec_key(), &foreign);
  CHECK(verify({leaf.der(), root.der()}, {TlsaRecord{2, 0, 1, sha256(root.der())}}).result ==
        CertificateResult::NotTrusted);
}

TEST_CASE("DANE-TA takes an anchor from DNS that was not presented") {
  const auto root = make_certificate(authority("root"), make_ec_key());
  const auto leaf = make_certificate(server(), make_ec_key(), &root);
  CHECK(verify({leaf.der()}, {TlsaRecord{2, 0, 0, root.der()}}).result == CertificateResult::Accepted);
  CHECK(verify({leaf.der()}, {TlsaRecord{2, 1, 0, root.public_key_der()}}).result == CertificateResult::Accepted);
  CHECK(verify({leaf.der()}, {TlsaRecord{2, 1, 0, root.public_key_der()}}, "other.example").result ==
        CertificateResult::HostMismatch);
  CHECK(verify({leaf.der()}, {TlsaRecord{2, 1, 1, sha256(root.public_key_der())}}).result ==
        CertificateResult::NotTrusted);
}

TEST_CASE("the leaf's own key is refused as a trust anchor") {
  const auto leaf = make_certificate(server(), make_ec_key());
  const std::vector<std::string> chain = {leaf.der(), leaf.der()};
  for (const TlsaRecord& record :
       {TlsaRecord{2, 0, 0, leaf.der()}, TlsaRecord{2, 1, 0, leaf.public_key_der()},
        TlsaRecord{2, 0, 1, sha256(leaf.der())}, TlsaRecord{2, 1, 1, sha256(leaf.public_key_der())}}) {
    CHECK(verify(chain, {record}).result == CertificateResult::NotTrusted);
  }
}

TEST_CASE("a SHA-256 record is ignored beside a SHA-512 record of the same usage and selector") {
  const auto leaf = make_certificate(server(), make_ec_key());
  const TlsaRecord right{3, 1, 1, sha256(leaf.public_key_der())};
  const TlsaRecord wrong{3, 1, 2, sha512("other")};
  CHECK(verify({leaf.der()}, {right, wrong}).result == CertificateResult::NotTrusted);
  CHECK(verify({leaf.der()}, {right, TlsaRecord{3, 0, 2, sha512("other")}}).result == CertificateResult::Accepted);
  CHECK(verify({leaf.der()}, {TlsaRecord{3, 1, 0, leaf.public_key_der()}, wrong}).result ==
        CertificateResult::Accepted);
  // A SHA-512 record that is not usable does not count as one.
  CHECK(verify({leaf.der()}, {right, TlsaRecord{3, 1, 2, "short"}}).result == CertificateResult::Accepted);
}

TEST_CASE("a weak RSA key may match DANE-EE but not be verified under DANE-TA") {
  const auto root = make_certificate(authority("root"), make_ec_key());
  const auto leaf = make_certificate(server(), make_rsa_key(1024), &root);
  CHECK(verify({leaf.der(), root.der()}, {TlsaRecord{2, 1, 1, sha256(root.public_key_der())}}).result ==
        CertificateResult::Unreadable);
  CHECK(verify({leaf.der()}, {TlsaRecord{3, 1, 1, sha256(leaf.public_key_der())}}).result ==
        CertificateResult::Accepted);
}

TEST_CASE("records beyond the limit are not looked at") {
  const auto leaf = make_certificate(server(), make_ec_key());
  std::vector<TlsaRecord> records(kMaxTlsaRecords, TlsaRecord{3, 1, 1, std::string(32, 'x')});
  records.push_back(TlsaRecord{3, 1, 1, sha256(leaf.public_key_der())});
  CHECK(verify({leaf.der()}, records).result == CertificateResult::NotTrusted);
}

TEST_CASE("no chain that a server can present leaves errors behind or is accepted by accident") {
  const auto leaf = make_certificate(server(), make_ec_key());
  const std::vector<TlsaRecord> records = {TlsaRecord{3, 1, 1, std::string(32, 'x')},
                                           TlsaRecord{1, 1, 1, sha256(leaf.public_key_der())}};
  CHECK(verify({}, records).result == CertificateResult::Unreadable);
  CHECK(verify({"x", leaf.der()}, records).result == CertificateResult::Unreadable);
  CHECK(verify({leaf.der(), "x"}, records).result == CertificateResult::NotTrusted);
  CHECK(verify({leaf.der()}, {}).result == CertificateResult::NotTrusted);
  CHECK(ERR_peek_error() == 0);
}
