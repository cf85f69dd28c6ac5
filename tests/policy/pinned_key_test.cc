#include "policy/pinned_key.h"

#include <catch2/catch.hpp>

#include "policy/sha256.h"
#include "tests/policy/certificate_maker.h"

using namespace waxwing;
using namespace waxwing::testing;

namespace {

std::string pin_of(const Certificate& certificate) {
  return sha256(certificate.public_key_der());
}

}  // namespace

TEST_CASE("a pinned key is accepted whatever the name, the dates and the issuer of its certificate", "[pin]") {
  const auto leaf = make_certificate({}, make_ec_key());
  const auto other = make_certificate({}, make_ec_key());
  const std::vector<std::string> pins = {pin_of(other), pin_of(leaf)};
  CHECK(verify_pinned_key(std::vector{leaf.der()}, pins).result == CertificateResult::Accepted);
}

TEST_CASE("a pinned key counts at the leaf alone, and says which key would match", "[pin]") {
  CertificateSpec authority;
  authority.authority = true;
  const auto root = make_certificate(authority, make_ec_key());
  const auto leaf = make_certificate({}, make_ec_key(), &root);
  const std::vector<std::string> pins = {pin_of(root)};
  const auto verdict = verify_pinned_key(std::vector{leaf.der(), root.der()}, pins);
  CHECK(verdict.result == CertificateResult::NotTrusted);
  CHECK(verdict.detail.starts_with("none of 1 pinned keys is that of the certificate, whose fingerprint is "));
  CHECK(verify_pinned_key(std::vector{leaf.der()}, {}).result == CertificateResult::NotTrusted);
  CHECK(verify_pinned_key({}, pins).result == CertificateResult::Unreadable);
}
