// States of keys and lines of audit logs as they lie on disk: what is read is written back the same.

#include <cstddef>
#include <cstdint>
#include <string>

#include "keys/audit_log.h"
#include "keys/rotation_text.h"
#include "tests/fuzz/finding.h"

using namespace waxwing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto file = parse_rotation_file(text))
    fuzz::require(format_rotation_file(*file) == text, "a state is written as it was read");
  const std::size_t end = text.find('\n');
  const std::string line = text.substr(0, end);
  const std::string previous = end == std::string::npos ? "" : text.substr(end + 1);
  if (const auto entry = parse_audit_line(line, previous))
    fuzz::require(format_audit_line(*entry, previous) == line, "an entry is written as it was read");
  return 0;
}
