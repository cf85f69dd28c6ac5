// A key record is read or refused, and a key that was read can be published again.

#include "policy/dkim_key_record.h"

#include <cstdint>

#include "tests/fuzz/finding.h"
#include "tests/fuzz/octet_source.h"

using namespace waxwing;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  const auto record = DkimKeyRecord::parse(fuzz::OctetSource(octets, size).rest());
  if (!record) return 0;
  require(record->revoked == record->public_key.empty(), "a record without key is revoked, and no other");
  if (record->revoked) return 0;
  const auto again = DkimKeyRecord::parse(format_dkim_key_record(record->type, record->public_key));
  require(again.has_value() && again->type == record->type && again->public_key == record->public_key,
          "a key that was written reads the same");
  require(again->hashes.empty() && again->services.empty() && !again->testing && !again->same_domain,
          "nothing but the key is written");
  return 0;
}
