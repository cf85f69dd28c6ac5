#pragma once

#include <nlohmann/json_fwd.hpp>

#include "relay/cli/output.h"

namespace waxwing {

/// Prints what explain_address() found out, for people or as the object itself.
void print_explanation(const nlohmann::json& explanation, Output& output);

/// Prints what probe_domain() found out.
void print_probe(const nlohmann::json& probe, Output& output);

}  // namespace waxwing
