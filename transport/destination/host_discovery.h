#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "policy/lookup.h"
#include "policy/tls_requirement.h"
#include "transport/destination/mx_selection.h"

namespace waxwing {

/// An MX host with what DNS says about it.
struct DiscoveredHost {
  HostFacts facts;
  std::vector<IpAddress> addresses;  ///< all that were published, at most kMaxAddressesPerHost of each family, shuffled
};

/// Finds addresses and TLSA records of one MX host. TLSA is asked only below secure names: at the end of a secure CNAME
/// chain first, then at the MX name; and at the MX name alone when only the alias itself is secure.
/// @param facts  with the fields about the MX RRset filled in
/// @return       no value: answers.missing() lists what to ask before calling again
/// @source  RFC 7672 §2.2.2
[[nodiscard]] std::optional<DiscoveredHost> discover_host(HostFacts facts, std::uint16_t port, Answers& answers,
                                                          std::mt19937_64& random);

}  // namespace waxwing
