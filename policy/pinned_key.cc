#include "policy/pinned_key.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "policy/base64.h"
#include "policy/certificate_chain.h"
#include "policy/sha256.h"

namespace waxwing {
namespace {

std::string fingerprint_of_key(X509* certificate) {
  std::uint8_t* der = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  const bssl::UniquePtr<std::uint8_t> owner(der);
  if (length <= 0) return {};
  return sha256({reinterpret_cast<const char*>(der), static_cast<std::size_t>(length)});
}

}  // namespace

CertificateVerdict verify_pinned_key(std::span<const std::string> chain_der, std::span<const std::string> pins) {
  const CertificateChain chain = parse_certificate_chain(chain_der);
  if (!chain.leaf) return {CertificateResult::Unreadable, "there is no certificate that can be read"};
  const std::string shown = fingerprint_of_key(chain.leaf.get());
  if (!shown.empty() && std::ranges::find(pins, shown) != pins.end())
    return {CertificateResult::Accepted, "the key of the certificate is one that is pinned"};
  return {CertificateResult::NotTrusted,
          fmt::format("none of {} pinned keys is that of the certificate, whose fingerprint is {}", pins.size(),
                      encode_base64(shown))};
}

}  // namespace waxwing
