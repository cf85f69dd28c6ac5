// An MTA-STS policy is read within its limits or refused, and covers what its own patterns say.
//
// Input: a TXT record, a host name, the policy.

#include "policy/mta_sts.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "policy/ascii.h"
#include "tests/fuzz/finding.h"
#include "tests/fuzz/octet_source.h"

using namespace waxwing;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  fuzz::OctetSource source(octets, size);
  if (const auto id = parse_sts_record(source.line())) {
    require(!id->empty() && id->size() <= 32, "an id has 1 to 32 octets");
    require(std::all_of(id->begin(), id->end(), is_ascii_alnum), "an id is letters and digits");
  }
  const std::string host = ascii_lower(source.line());
  const std::string_view body = source.rest();
  const auto policy = StsPolicy::parse(body);
  if (!policy) return 0;
  require(body.size() <= kMaxStsPolicyOctets, "a policy is not too long");
  require(policy->max_age_seconds <= kMaxStsMaxAgeSeconds, "max_age is in its range");
  require(policy->mx_patterns.size() <= kMaxStsMxPatterns, "patterns are counted");
  require(policy->mode == StsMode::None || !policy->mx_patterns.empty(),
          "a policy that asks for something names hosts");
  for (const std::string& pattern : policy->mx_patterns) {
    if (pattern.starts_with("*.")) {
      require(policy->covers("x" + pattern.substr(1)), "a wildcard covers one label");
    } else {
      require(policy->covers(pattern), "a name covers itself");
    }
  }
  static_cast<void>(policy->covers(host));
  return 0;
}
