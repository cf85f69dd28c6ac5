#pragma once

#include <cstdint>
#include <vector>

#include "relay/egress/egress_source.h"

namespace waxwing {

/// The sources of a pool as one message prefers them: always the same for the same message, and first in as many
/// messages as its weight asks for. A source that joins or leaves the pool changes nothing about the order of the others.
/// @param sources  that the pool means
/// @return         indexes into `sources`, each member once
/// @source         weighted rendezvous hashing: Schindelhauer and Schomaker, "Weighted distributed hash tables", 2005
[[nodiscard]] std::vector<std::size_t> weighted_order(std::uint64_t message, const EgressPool& pool,
                                                      const std::vector<EgressSource>& sources);

}  // namespace waxwing
