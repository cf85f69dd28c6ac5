// TLSA rdata of any length is read or refused, and what is usable has the length of its digest.

#include <cstdint>
#include <string>

#include "policy/tlsa_record.h"
#include "tests/fuzz/finding.h"
#include "tests/fuzz/octet_source.h"

using namespace waxwing;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  const std::string_view rdata = fuzz::OctetSource(octets, size).rest();
  const auto record = TlsaRecord::from_rdata(rdata);
  require(record.has_value() == (rdata.size() >= 4), "rdata has three fields and some data");
  if (!record) return 0;
  require(record->association == rdata.substr(3), "data is what follows the fields");
  require(!record->str().empty(), "a record can be printed");
  if (!record->usable()) return 0;
  require(record->usage == 2 || record->usage == 3, "SMTP uses DANE-TA and DANE-EE");
  require(record->matching_type != 1 || record->association.size() == 32, "SHA-256 has 32 octets");
  require(record->matching_type != 2 || record->association.size() == 64, "SHA-512 has 64 octets");
  return 0;
}
