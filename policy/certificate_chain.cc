#include "policy/certificate_chain.h"

#include <fmt/format.h>
#include <openssl/bytestring.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>

#ifndef OPENSSL_IS_BORINGSSL
#error "OpenSSL's headers were found before BoringSSL's"
#endif

namespace waxwing {
namespace {

constexpr unsigned kMinRsaBits = 2'048;
constexpr std::size_t kMaxNamesShown = 5;
constexpr std::size_t kMaxNameShownOctets = 100;

// Names in certificates are hostile: what is not plain is shown as "?".
std::string printable(std::string_view text) {
  std::string shown(text.substr(0, kMaxNameShownOctets));
  std::ranges::replace_if(
      shown, [](char c) { return c <= 0x20 || c >= 0x7f; }, '?');
  return shown;
}

std::string dns_names_of(const X509* certificate) {
  const bssl::UniquePtr<GENERAL_NAMES> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::string list;
  std::size_t shown = 0;
  for (std::size_t i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    if (shown++ == kMaxNamesShown) return list + ", ...";
    const auto* data = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
    list +=
        (list.empty() ? "" : ", ") + printable({data, static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName))});
  }
  return list.empty() ? "no DNS name" : list;
}

CertificateVerdict failure_of(const CertificateChain& chain, X509_STORE_CTX* context,
                              std::span<const std::string> names) {
  const int error = X509_STORE_CTX_get_error(context);
  const int depth = X509_STORE_CTX_get_error_depth(context);
  switch (error) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
      return {CertificateResult::HostMismatch, fmt::format("the certificate is for {}, not for {}",
                                                           dns_names_of(chain.leaf.get()), fmt::join(names, " or "))};
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return {CertificateResult::Expired, fmt::format("{} at depth {}", X509_verify_cert_error_string(error), depth)};
    default:
      return {CertificateResult::NotTrusted,
              fmt::format("{} at depth {}", X509_verify_cert_error_string(error), depth)};
  }
}

// What the library accepts and we do not, in a path that is otherwise good; empty when there is nothing.
std::string weakness_of(const STACK_OF(X509) * path) {
  for (std::size_t depth = 0; depth < sk_X509_num(path); ++depth) {
    const X509* certificate = sk_X509_value(path, depth);
    const bssl::UniquePtr<EVP_PKEY> key(X509_get_pubkey(const_cast<X509*>(certificate)));
    if (!key) return fmt::format("a key of unknown kind at depth {}", depth);
    const int bits = EVP_PKEY_bits(key.get());
    if (EVP_PKEY_id(key.get()) == EVP_PKEY_RSA && bits < static_cast<int>(kMinRsaBits)) {
      return fmt::format("an RSA key of {} bits at depth {}, {} are the least", bits, depth, kMinRsaBits);
    }
    // The signature of the anchor proves nothing and is not looked at.
    const int algorithm = X509_get_signature_nid(certificate);
    const bool is_anchor = depth + 1 == sk_X509_num(path);
    if (!is_anchor &&
        (algorithm == NID_sha1WithRSAEncryption || algorithm == NID_sha1WithRSA || algorithm == NID_ecdsa_with_SHA1)) {
      return fmt::format("a SHA-1 signature at depth {}", depth);
    }
  }
  return {};
}

bool prepare(X509_STORE_CTX* context, AnchorKind kind, int purpose, std::span<const std::string> names, WallTime now) {
  X509_VERIFY_PARAM* param = X509_STORE_CTX_get0_param(context);
  unsigned long flags = X509_V_FLAG_TRUSTED_FIRST;
  if (kind == AnchorKind::Any) flags |= X509_V_FLAG_PARTIAL_CHAIN;
  X509_VERIFY_PARAM_set_flags(param, flags);
  X509_VERIFY_PARAM_set_time(param, std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
  // Otherwise a certificate without dNSName would be matched by its common name.
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  return X509_VERIFY_PARAM_set_purpose(param, purpose) == 1 && std::ranges::all_of(names, [&](const std::string& name) {
           return !name.empty() && X509_VERIFY_PARAM_add1_host(param, name.data(), name.size()) == 1;
         });
}

}  // namespace

bssl::UniquePtr<X509> parse_certificate(std::string_view der) {
  const auto* position = reinterpret_cast<const std::uint8_t*>(der.data());
  const auto* const end = position + der.size();
  bssl::UniquePtr<X509> certificate(d2i_X509(nullptr, &position, static_cast<long>(der.size())));
  const bool good = certificate && position == end && bssl::UniquePtr<EVP_PKEY>(X509_get_pubkey(certificate.get()));
  ERR_clear_error();  // leftovers would be taken for failures of the TLS connection on this thread
  return good ? std::move(certificate) : nullptr;
}

bssl::UniquePtr<EVP_PKEY> parse_public_key(std::string_view der) {
  CBS cbs;
  CBS_init(&cbs, reinterpret_cast<const std::uint8_t*>(der.data()), der.size());
  bssl::UniquePtr<EVP_PKEY> key(EVP_parse_public_key(&cbs));
  ERR_clear_error();
  return key && CBS_len(&cbs) == 0 ? std::move(key) : nullptr;
}

CertificateChain parse_certificate_chain(std::span<const std::string> chain_der) {
  CertificateChain chain;
  if (chain_der.empty()) return chain;
  chain.leaf = parse_certificate(chain_der.front());
  for (const std::string& der : chain_der.subspan(1, std::min(chain_der.size(), kMaxChainCertificates) - 1)) {
    if (auto certificate = parse_certificate(der)) chain.issuers.push_back(std::move(certificate));
  }
  return chain;
}

namespace {

CertificateVerdict verify_path(const CertificateChain& chain, X509_STORE* store, AnchorKind kind, int purpose,
                               std::span<const std::string> names, WallTime now) {
  if (!chain.leaf) return {CertificateResult::Unreadable, "there is no certificate that can be read"};
  const bssl::UniquePtr<STACK_OF(X509)> untrusted(sk_X509_new_null());
  for (const auto& issuer : chain.issuers) bssl::PushToStack(untrusted.get(), bssl::UpRef(issuer));
  const bssl::UniquePtr<X509_STORE_CTX> context(X509_STORE_CTX_new());
  CertificateVerdict verdict{CertificateResult::NotTrusted, "the certificate could not be checked"};
  if (X509_STORE_CTX_init(context.get(), store, chain.leaf.get(), untrusted.get()) == 1 &&
      prepare(context.get(), kind, purpose, names, now)) {
    if (X509_verify_cert(context.get()) != 1) {
      verdict = failure_of(chain, context.get(), names);
    } else if (const auto weakness = weakness_of(X509_STORE_CTX_get0_chain(context.get())); !weakness.empty()) {
      verdict = {CertificateResult::Unreadable, weakness};
    } else {
      verdict = {CertificateResult::Accepted,
                 fmt::format("the certificate for {} is valid", dns_names_of(chain.leaf.get()))};
    }
  }
  ERR_clear_error();
  return verdict;
}

}  // namespace

CertificateVerdict verify_certificate_path(const CertificateChain& chain, X509_STORE* store, AnchorKind kind,
                                           std::span<const std::string> names, WallTime now) {
  // Without a name the library would check none.
  if (chain.leaf && names.empty()) return {CertificateResult::HostMismatch, "no name is acceptable"};
  return verify_path(chain, store, kind, X509_PURPOSE_SSL_SERVER, names, now);
}

CertificateVerdict verify_client_path(const CertificateChain& chain, X509_STORE* store, WallTime now) {
  return verify_path(chain, store, AnchorKind::Root, X509_PURPOSE_SSL_CLIENT, {}, now);
}

}  // namespace waxwing
