#include "policy/client_certificate.h"

#include <openssl/bytestring.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <optional>

#include "policy/ascii.h"
#include "policy/base64.h"
#include "policy/certificate_chain.h"
#include "policy/domain_name.h"
#include "policy/mail_address.h"
#include "policy/sha256.h"

namespace waxwing {
namespace {

constexpr std::string_view kKeyPrefix = "sha256:";
constexpr std::size_t kDigestOctets = 32;

std::string key_identity(std::string_view digest) {
  return std::string(kKeyPrefix) + encode_base64(digest);
}

std::string key_of(const X509* certificate) {
  std::uint8_t* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  const bssl::UniquePtr<std::uint8_t> owner(der);
  if (size <= 0) return {};
  return key_identity(sha256({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)}));
}

std::optional<std::string> name_identity(const GENERAL_NAME& name) {
  if (name.type != GEN_DNS && name.type != GEN_EMAIL) return std::nullopt;
  const ASN1_STRING* string = name.type == GEN_DNS ? name.d.dNSName : name.d.rfc822Name;
  const std::string_view text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
                              static_cast<std::size_t>(ASN1_STRING_length(string)));
  // A name of one kind must not be read as one of the other.
  if ((name.type == GEN_EMAIL) != (text.find('@') != std::string_view::npos)) return std::nullopt;
  if (ascii_istarts_with(text, kKeyPrefix)) return std::nullopt;  // an authority does not vouch for a key by its name
  auto identity = parse_certificate_identity(text);
  return identity ? std::optional(std::move(*identity)) : std::nullopt;
}

CertificateIdentities identities_of(const X509* certificate) {
  CertificateIdentities identities{key_of(certificate)};
  const bssl::UniquePtr<GENERAL_NAMES> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (std::size_t i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    if (identities.size() == kMaxCertificateIdentities) break;
    if (auto identity = name_identity(*sk_GENERAL_NAME_value(names.get(), i)))
      identities.push_back(std::move(*identity));
  }
  return identities;
}

// The digest that hexadecimal digits, with or without colons between octets, stand for.
std::optional<std::string> read_hexadecimal(std::string_view text) {
  std::string digest;
  unsigned octet = 0;
  std::size_t digits = 0;
  for (const char c : text) {
    if (c == ':' && digits % 2 == 0) continue;
    const char lower = ascii_lower(c);
    const bool letter = lower >= 'a' && lower <= 'f';
    if (!is_ascii_digit(c) && !letter) return std::nullopt;
    octet = octet * 16 + static_cast<unsigned>(letter ? lower - 'a' + 10 : c - '0');
    if (++digits % 2 == 0) digest += static_cast<char>(octet & 0xffU);
  }
  return digits == 2 * kDigestOctets ? std::optional(digest) : std::nullopt;
}

}  // namespace

ClientCertificate verify_client_certificate(std::span<const std::string> chain_der, const TrustAnchors& anchors,
                                            WallTime now) {
  const CertificateChain chain = parse_certificate_chain(chain_der);
  ClientCertificate result{verify_client_path(chain, anchors.store(), now)};
  if (result.verdict.result == CertificateResult::Accepted) result.identities = identities_of(chain.leaf.get());
  ERR_clear_error();
  return result;
}

Result<std::string> parse_certificate_identity(std::string_view text) {
  const auto wrong = [] {
    return fail(ErrorKind::Malformed,
                "a certificate is named by sha256: and the SHA-256 of its public key, an address or a host name");
  };
  if (ascii_istarts_with(text, kKeyPrefix)) {
    const std::string_view value = text.substr(kKeyPrefix.size());
    if (const auto digest = read_hexadecimal(value)) return key_identity(*digest);
    const auto digest = decode_base64(value);
    if (!digest || digest->size() != kDigestOctets) return wrong();
    return key_identity(*digest);
  }
  if (text.find('@') != std::string_view::npos) {
    auto address = MailAddress::parse(text);
    if (!address) return wrong();
    return address->str();
  }
  auto domain = DomainName::parse(text);
  if (!domain) return wrong();
  return domain->str();
}

}  // namespace waxwing
