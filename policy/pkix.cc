#include "policy/pkix.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "policy/certificate_chain.h"
#include "policy/sha256.h"

namespace waxwing {

Result<TrustAnchors> TrustAnchors::from_pem(std::string_view pem) {
  const bssl::UniquePtr<BIO> input(BIO_new_mem_buf(pem.data(), static_cast<ossl_ssize_t>(pem.size())));
  bssl::UniquePtr<X509_STORE> store(X509_STORE_new());
  std::size_t count = 0;
  while (const bssl::UniquePtr<X509> certificate{PEM_read_bio_X509(input.get(), nullptr, nullptr, nullptr)}) {
    X509_STORE_add_cert(store.get(), certificate.get());  // says no only to a duplicate
    ERR_clear_error();
    ++count;
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end) return fail(ErrorKind::Malformed, "the bundle of trust anchors holds a certificate that cannot be read");
  if (count == 0) return fail(ErrorKind::Malformed, "the bundle of trust anchors holds no certificate");
  return TrustAnchors(std::move(store), sha256(pem));
}

CertificateVerdict verify_pkix(std::span<const std::string> chain_der, const TrustAnchors& anchors,
                               std::span<const std::string> names, WallTime now) {
  return verify_certificate_path(parse_certificate_chain(chain_der), anchors.store(), AnchorKind::Root, names, now);
}

}  // namespace waxwing
