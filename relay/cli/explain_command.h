#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "relay/cli/output.h"

namespace waxwing {

/// Prints what explain_address() found out, for people or as the object itself.
void print_explanation(const nlohmann::json& explanation, Output& output);

/// Prints what probe_domain() found out, with its findings first, if it was about one protection.
/// @param protection  "DANE", "MTA-STS"; empty: none in particular
void print_probe(const nlohmann::json& probe, std::string_view protection, Output& output);

}  // namespace waxwing
