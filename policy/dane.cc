#include "policy/dane.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "policy/certificate_chain.h"

namespace waxwing {
namespace {

constexpr std::uint8_t kUsageTrustAnchor = 2;
constexpr std::uint8_t kUsageEndEntity = 3;
constexpr std::uint8_t kSelectorCertificate = 0;
constexpr std::uint8_t kMatchingExact = 0;
constexpr std::uint8_t kMatchingSha512 = 2;
// Each bare key costs a signature check per certificate; a hostile zone must not buy minutes with one record set.
constexpr std::size_t kMaxBareKeys = 8;

template <auto Hash, std::size_t kOctets>
std::string digest_of(std::string_view octets) {
  std::array<std::uint8_t, kOctets> digest;
  Hash(reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size(), digest.data());
  return {digest.begin(), digest.end()};
}

std::string encode(auto* object, auto* i2d) {
  std::uint8_t* der = nullptr;
  const int length = i2d(object, &der);
  const bssl::UniquePtr<std::uint8_t> owner(der);
  return length > 0 ? std::string(reinterpret_cast<char*>(der), static_cast<std::size_t>(length)) : std::string();
}

// The forms in which TLSA records speak of one certificate.
class Fingerprints {
 public:
  explicit Fingerprints(X509* certificate)
      : forms_{forms_of(encode(certificate, i2d_X509)),
               forms_of(encode(X509_get_X509_PUBKEY(certificate), i2d_X509_PUBKEY))} {}

  [[nodiscard]] bool match(const TlsaRecord& record) const {
    return forms_[record.selector][record.matching_type] == record.association;
  }
  [[nodiscard]] const std::string& public_key() const { return forms_[1][kMatchingExact]; }

 private:
  using Forms = std::array<std::string, 3>;
  static Forms forms_of(std::string der) {
    Forms forms{"", digest_of<SHA256, SHA256_DIGEST_LENGTH>(der), digest_of<SHA512, SHA512_DIGEST_LENGTH>(der)};
    forms[kMatchingExact] = std::move(der);
    return forms;
  }
  std::array<Forms, 2> forms_;  // by selector, then by matching type
};

bool same_subject(const TlsaRecord& a, const TlsaRecord& b) {
  return a.usage == b.usage && a.selector == b.selector;
}

// The records that count: usable, and of digests only the strongest per usage and selector (RFC 7671 §9).
std::vector<const TlsaRecord*> records_that_count(std::span<const TlsaRecord> records) {
  std::vector<const TlsaRecord*> counting;
  for (const TlsaRecord& record : records.first(std::min(records.size(), kMaxTlsaRecords))) {
    if (record.usable()) counting.push_back(&record);
  }
  const std::vector<const TlsaRecord*> usable = counting;
  std::erase_if(counting, [&](const TlsaRecord* weak) {
    return weak->matching_type != kMatchingExact && weak->matching_type != kMatchingSha512 &&
           std::ranges::any_of(usable, [&](const TlsaRecord* other) {
             return other->matching_type == kMatchingSha512 && same_subject(*weak, *other);
           });
  });
  return counting;
}

// Collects the certificates that usage 2 believes.
class AnchorSet {
 public:
  explicit AnchorSet(const CertificateChain& chain) : chain_(chain), leaf_(chain.leaf.get()), store_(X509_STORE_new()) {
    for (const auto& issuer : chain.issuers) issuers_.emplace_back(issuer.get());
  }

  void add_matches(const TlsaRecord& record) {
    for (std::size_t i = 0; i < issuers_.size(); ++i) {
      if (issuers_[i].match(record)) add(chain_.issuers[i].get(), issuers_[i], record);
    }
    if (record.matching_type != kMatchingExact) return;
    if (record.selector == kSelectorCertificate) {
      add_published_certificate(record);
    } else {
      add_signed_by_published_key(record);
    }
  }

  [[nodiscard]] X509_STORE* store() const { return store_.get(); }
  [[nodiscard]] const std::string& matched() const { return matched_; }  // a record that matched; empty: none did

 private:
  // A leaf that is its own anchor would turn usage 2 into a usage 3 whose dates and names are the attacker's to choose.
  void add(X509* certificate, const Fingerprints& fingerprints, const TlsaRecord& record) {
    if (fingerprints.public_key() == leaf_.public_key()) return;
    add_to_store(certificate, record);
  }
  void add_to_store(X509* certificate, const TlsaRecord& record) {
    X509_STORE_add_cert(store_.get(), certificate);
    if (matched_.empty()) matched_ = fmt::format("{} {} {}", record.usage, record.selector, record.matching_type);
  }
  // "2 0 0": the anchor itself stands in DNS and need not be presented (RFC 7671 §5.2.2).
  void add_published_certificate(const TlsaRecord& record) {
    if (const auto certificate = parse_certificate(record.association)) {
      add(certificate.get(), Fingerprints(certificate.get()), record);
    }
  }
  // "2 1 0": whatever the key has signed leads to it, the leaf included (RFC 7671 §5.2.2).
  void add_signed_by_published_key(const TlsaRecord& record) {
    const auto key = parse_public_key(record.association);
    if (!key || record.association == leaf_.public_key() || ++bare_keys_ > kMaxBareKeys) return;
    if (X509_verify(chain_.leaf.get(), key.get()) == 1) add_to_store(chain_.leaf.get(), record);
    for (const auto& issuer : chain_.issuers) {
      if (X509_verify(issuer.get(), key.get()) == 1) add_to_store(issuer.get(), record);
    }
    ERR_clear_error();
  }

  const CertificateChain& chain_;
  Fingerprints leaf_;
  std::vector<Fingerprints> issuers_;
  bssl::UniquePtr<X509_STORE> store_;
  std::string matched_;
  std::size_t bare_keys_ = 0;
};

CertificateVerdict no_match(const CertificateChain& chain, std::size_t records) {
  std::string hex;
  for (const char octet : digest_of<SHA256, SHA256_DIGEST_LENGTH>(Fingerprints(chain.leaf.get()).public_key())) {
    hex += fmt::format("{:02x}", static_cast<std::uint8_t>(octet));
  }
  return {CertificateResult::NotTrusted,
          fmt::format("none of {} usable TLSA records matches; the presented leaf would match 3 1 1 {}", records, hex)};
}

}  // namespace

CertificateVerdict verify_dane(std::span<const std::string> chain_der, std::span<const TlsaRecord> records,
                               std::span<const std::string> reference_identifiers, WallTime now) {
  const CertificateChain chain = parse_certificate_chain(chain_der);
  if (!chain.leaf) return {CertificateResult::Unreadable, "there is no certificate that can be read"};
  const std::vector<const TlsaRecord*> counting = records_that_count(records);
  const Fingerprints leaf(chain.leaf.get());
  AnchorSet anchors(chain);
  for (const TlsaRecord* record : counting) {
    if (record->usage == kUsageEndEntity && leaf.match(*record)) {
      return {CertificateResult::Accepted,
              fmt::format("the certificate matches TLSA record 3 {} {}", record->selector, record->matching_type)};
    }
    if (record->usage == kUsageTrustAnchor) anchors.add_matches(*record);
  }
  if (anchors.matched().empty()) return no_match(chain, counting.size());
  CertificateVerdict verdict =
      verify_certificate_path(chain, anchors.store(), AnchorKind::Any, reference_identifiers, now);
  verdict.detail = fmt::format("TLSA record {} names the trust anchor: {}", anchors.matched(), verdict.detail);
  return verdict;
}

}  // namespace waxwing
