#include "policy/tlsa_record.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "policy/certificate_chain.h"

namespace waxwing {
namespace {

constexpr std::size_t kFixedOctets = 3;  // usage, selector, matching type

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
      return selector == 0 ? parse_certificate(association) != nullptr : parse_public_key(association) != nullptr;
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
