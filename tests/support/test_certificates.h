#pragma once

#include <string>
#include <vector>

#include "policy/time_point.h"

namespace waxwing::test {

enum class TestKeyKind { P256, P521, Rsa2048, Rsa1024, Ed25519 };

/// What a certificate made for a test says.
struct CertificateSpec {
  std::string common_name;
  std::vector<std::string> dns_names;  ///< subjectAltName; empty: no such extension
  WallTime not_before;
  WallTime not_after;
  bool authority = false;  ///< basicConstraints CA:TRUE
  TestKeyKind key_kind = TestKeyKind::P256;
  std::string key_usage = "digitalSignature";  ///< of a leaf
};

struct TestCertificate {
  std::string common_name;
  std::string der;
  std::string public_key;  ///< SubjectPublicKeyInfo in DER
  std::string pem;
  std::string key_pem;
};

/// Makes a certificate that its own key signed.
[[nodiscard]] TestCertificate make_self_signed(const CertificateSpec& spec);

/// Makes a certificate that the issuer's key signed.
[[nodiscard]] TestCertificate issue(const CertificateSpec& spec, const TestCertificate& issuer);

/// SHA-256 as raw octets, for TLSA association data.
[[nodiscard]] std::string sha256_octets(const std::string& octets);

}  // namespace waxwing::test
