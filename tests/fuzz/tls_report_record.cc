// A TLSRPT record is read within its limits or refused; its destinations hold nothing that could harm a log or a
// header, and read the same when they are written again.

#include "policy/tls_report_record.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "tests/fuzz/finding.h"
#include "tests/fuzz/octet_source.h"

using namespace waxwing;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  const std::string_view text = fuzz::OctetSource(octets, size).rest();
  const auto record = TlsReportRecord::parse(text);
  if (!record) return 0;
  require(text.size() <= kMaxTlsReportRecordOctets, "a record is not too long");
  require(!record->rua.empty() && record->rua.size() <= kMaxTlsReportUris, "destinations are counted");
  std::string written;
  for (const TlsReportUri& uri : record->rua) {
    require(std::all_of(uri.text.begin(), uri.text.end(), [](char c) { return c > ' ' && c < 0x7F; }),
            "a URI is printable");
    written += (written.empty() ? "v=TLSRPTv1; rua=" : ",") + uri.text;
  }
  const auto again = TlsReportRecord::parse(written);
  require(again.has_value() && again->rua == record->rua, "destinations that were written read the same");
  return 0;
}
