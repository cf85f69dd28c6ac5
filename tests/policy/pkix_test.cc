#include "policy/pkix.h"

#include <catch2/catch.hpp>

#include "tests/policy/certificate_maker.h"

using namespace waxwing;
using namespace waxwing::testing;

namespace {

WallTime at(std::int64_t seconds) {
  return WallTime{Seconds{seconds}};
}

CertificateSpec authority(std::string subject) {
  CertificateSpec spec;
  spec.subject = std::move(subject);
  spec.authority = true;
  return spec;
}

CertificateSpec server(std::vector<std::string> names) {
  CertificateSpec spec;
  spec.dns_names = std::move(names);
  return spec;
}

CertificateResult verify(const Certificate& root, const std::vector<std::string>& chain, std::string name,
                         std::int64_t now = kValidTime) {
  const auto anchors = TrustAnchors::from_pem(root.pem());
  REQUIRE(anchors);
  const std::vector<std::string> names = {std::move(name)};
  const auto verdict = verify_pkix(chain, *anchors, names, at(now));
  INFO(verdict.detail);
  return verdict.result;
}

}  // namespace

TEST_CASE("a chain to a trusted root with the right name is accepted") {
  const auto root = make_certificate(authority("root"), make_ec_key());
  const auto middle = make_certificate(authority("middle"), make_ec_key(), &root);
  const auto leaf = make_certificate(server({"mx.example.org", "*.host.example"}), make_ec_key(), &middle);
  const std::vector<std::string> chain = {leaf.der(), middle.der()};
  CHECK(verify(root, chain, "mx.example.org") == CertificateResult::Accepted);
  CHECK(verify(root, chain, "a.host.example") == CertificateResult::Accepted);
  CHECK(verify(root, chain, "a.b.host.example") == CertificateResult::HostMismatch);
  CHECK(verify(root, chain, "host.example") == CertificateResult::HostMismatch);
  CHECK(verify(root, chain, "other.example") == CertificateResult::HostMismatch);
  CHECK(verify(root, {leaf.der()}, "mx.example.org") == CertificateResult::NotTrusted);
  CHECK(verify(leaf, chain, "mx.example.org") == CertificateResult::NotTrusted);
}

TEST_CASE("dates outside the validity of a certificate are named as such") {
  const auto root = make_certificate(authority("root"), make_ec_key());
  const auto leaf = make_certificate(server({"mx.example.org"}), make_ec_key(), &root);
  CHECK(verify(root, {leaf.der()}, "mx.example.org", 1'700'000'000 - 1) == CertificateResult::Expired);
  CHECK(verify(root, {leaf.der()}, "mx.example.org", 1'800'000'000 + 1) == CertificateResult::Expired);
}

TEST_CASE("the common name of a certificate is never a name") {
  const auto root = make_certificate(authority("root"), make_ec_key());
  CertificateSpec spec;
  spec.subject = "mx.example.org";
  const auto leaf = make_certificate(spec, make_ec_key(), &root);
  CHECK(verify(root, {leaf.der()}, "mx.example.org") == CertificateResult::HostMismatch);
}

TEST_CASE("a wildcard inside a label matches nothing") {
  const auto root = make_certificate(authority("root"), make_ec_key());
  const auto leaf = make_certificate(server({"m*.example.org"}), make_ec_key(), &root);
  CHECK(verify(root, {leaf.der()}, "mx.example.org") == CertificateResult::HostMismatch);
}

TEST_CASE("no acceptable name means no match") {
  const auto root = make_certificate(authority("root"), make_ec_key());
  const auto leaf = make_certificate(server({"mx.example.org"}), make_ec_key(), &root);
  const auto anchors = TrustAnchors::from_pem(root.pem());
  const std::vector<std::string> chain = {leaf.der()};
  CHECK(verify_pkix(chain, *anchors, {}, at(kValidTime)).result == CertificateResult::HostMismatch);
  CHECK(verify(root, chain, "") != CertificateResult::Accepted);
}

TEST_CASE("an intermediate without the right to issue is not trusted") {
  const auto root = make_certificate(authority("root"), make_ec_key());
  const auto middle = make_certificate(server({"middle.example"}), make_ec_key(), &root);
  const auto leaf = make_certificate(server({"mx.example.org"}), make_ec_key(), &middle);
  CHECK(verify(root, {leaf.der(), middle.der()}, "mx.example.org") == CertificateResult::NotTrusted);
}

TEST_CASE("RSA keys below 2048 bits and SHA-1 signatures are refused") {
  const auto root = make_certificate(authority("root"), make_ec_key());
  const auto weak = make_certificate(server({"mx.example.org"}), make_rsa_key(1024), &root);
  CHECK(verify(root, {weak.der()}, "mx.example.org") == CertificateResult::Unreadable);
  const auto strong = make_certificate(server({"mx.example.org"}), make_rsa_key(2048), &root);
  CHECK(verify(root, {strong.der()}, "mx.example.org") == CertificateResult::Accepted);
  CertificateSpec old = server({"mx.example.org"});
  old.digest = EVP_sha1();
  CHECK(verify(root, {make_certificate(old, make_ec_key(), &root).der()}, "mx.example.org") !=
        CertificateResult::Accepted);
}

TEST_CASE("P-521 and Ed25519 certificates are accepted") {
  const auto root = make_certificate(authority("root"), make_ed25519_key());
  const auto middle = make_certificate(authority("middle"), make_ec_key(NID_secp521r1), &root);
  const auto leaf = make_certificate(server({"mx.example.org"}), make_ed25519_key(), &middle);
  CHECK(verify(root, {leaf.der(), middle.der()}, "mx.example.org") == CertificateResult::Accepted);
}

TEST_CASE("a chain that cannot be parsed is unreadable") {
  const auto root = make_certificate(authority("root"), make_ec_key());
  CHECK(verify(root, {}, "mx.example.org") == CertificateResult::Unreadable);
  CHECK(verify(root, {"nonsense"}, "mx.example.org") == CertificateResult::Unreadable);
  CHECK(verify(root, {root.der() + "x"}, "mx.example.org") == CertificateResult::Unreadable);
}

TEST_CASE("a bundle of trust anchors must hold readable certificates") {
  const auto root = make_certificate(authority("root"), make_ec_key());
  CHECK(TrustAnchors::from_pem("# comment\n" + root.pem() + "\n" + root.pem()));
  CHECK_FALSE(TrustAnchors::from_pem(""));
  CHECK_FALSE(TrustAnchors::from_pem("nothing here"));
  std::string broken = root.pem();
  broken[60] = '!';
  CHECK_FALSE(TrustAnchors::from_pem(root.pem() + broken));
}
