#include "policy/tlsa_record.h"

#include <fmt/format.h>
#include <openssl/bytestring.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

namespace waxwing {
namespace {

constexpr std::size_t kFixedOctets = 3;  // usage, selector, matching type

bool is_certificate(std::string_view der) {
  const auto* position = reinterpret_cast<const std::uint8_t*>(der.data());
  const auto* const end = position + der.size();
  const bssl::UniquePtr<X509> certificate(d2i_X509(nullptr, &position, static_cast<long>(der.size())));
  // An unknown kind of key inside parses, but nothing could be verified with it.
  return certificate && position == end && bssl::UniquePtr<EVP_PKEY>(X509_get_pubkey(certificate.get()));
}

bool is_public_key(std::string_view der) {
  CBS cbs;
  CBS_init(&cbs, reinterpret_cast<const std::uint8_t*>(der.data()), der.size());
  const bssl::UniquePtr<EVP_PKEY> key(EVP_parse_public_key(&cbs));
  return key && CBS_len(&cbs) == 0;
}

}  // namespace

Result<TlsaRecord> TlsaRecord::from_rdata(std::string_view octets) {
  if (octets.size() <= kFixedOctets) {
    return fail(ErrorKind::Malformed, fmt::format("a TLSA record of {} octets has no association data", octets.size()));
  }
  return TlsaRecord{static_cast<std::uint8_t>(octets[0]), static_cast<std::uint8_t>(octets[1]),
                    static_cast<std::uint8_t>(octets[2]), std::string(octets.substr(kFixedOctets))};
}

bool TlsaRecord::usable() const {
  if ((usage != 2 && usage != 3) || selector > 1) return false;
  switch (matching_type) {
    case 0:
      return selector == 0 ? is_certificate(association) : is_public_key(association);
    case 1:
      return association.size() == 32;
    case 2:
      return association.size() == 64;
    default:
      return false;
  }
}

std::string TlsaRecord::str() const {
  std::string text = fmt::format("{} {} {} ", usage, selector, matching_type);
  for (const char octet : association) text += fmt::format("{:02x}", static_cast<std::uint8_t>(octet));
  return text;
}

}  // namespace waxwing
