// A DMARC walk asks at most eight names and comes to an end; what it finds lies on the path it took.
//
// Input: author domain, another identifier, DNS as zone_lines.h reads it.

#include "policy/dmarc.h"

#include <cstdint>
#include <string>

#include "policy/dmarc_record.h"
#include "tests/fuzz/finding.h"
#include "tests/fuzz/octet_source.h"
#include "tests/fuzz/zone_lines.h"

using namespace waxwing;
using fuzz::require;

namespace {

constexpr std::size_t kMaxWalk = 8;  // RFC 9989 §4.10

void check_discovery(const DmarcDiscovery& discovery, const DomainName& author) {
  require(discovery.consulted.size() <= 2 * kMaxWalk, "a walk is short");
  if (discovery.temporary_error) return;
  require(discovery.record.has_value() == discovery.record_domain.has_value(), "a record has a place");
  if (discovery.record_domain) require(author.is_within(*discovery.record_domain), "a record stands above the author");
  if (discovery.organizational_domain) {
    require(author.is_within(*discovery.organizational_domain), "an organization stands above the author");
  }
}

void check_alignment(const DomainName& a, const DomainName& b, const fuzz::ZoneLines& zone) {
  const auto aligned = [&](const DomainName& identifier, const DomainName& author, DmarcAlignment mode) {
    return zone.resolve([&](Answers& book) { return dmarc_aligned(identifier, author, mode, book); });
  };
  require(aligned(a, a, DmarcAlignment::Strict) == DmarcAligned::Yes, "a domain is aligned with itself");
  require((aligned(a, b, DmarcAlignment::Strict) == DmarcAligned::Yes) == (a == b), "strict means equal");
  require(aligned(a, b, DmarcAlignment::Relaxed) == aligned(b, a, DmarcAlignment::Relaxed),
          "relaxed alignment is symmetrical");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  fuzz::OctetSource source(octets, size);
  const auto author = DomainName::parse(source.line());
  const auto identifier = DomainName::parse(source.line());
  const auto zone = fuzz::ZoneLines::read(source);
  static_cast<void>(DmarcRecord::parse(source.rest()));
  if (!author) return 0;
  check_discovery(zone.resolve([&](Answers& book) { return discover_dmarc(*author, book); }), *author);
  if (identifier) check_alignment(*author, *identifier, zone);
  return 0;
}
