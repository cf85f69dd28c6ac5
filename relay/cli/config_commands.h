#pragma once

#include <string>
#include <vector>

#include "policy/result.h"
#include "relay/cli/output.h"
#include "relay/config/config.h"
#include "relay/config/mistake.h"

namespace waxwing {

/// What is in order but will probably not be what the operator wants, in sentences with a remedy.
[[nodiscard]] std::vector<std::string> config_advice(const Config& config);

/// Prints that a configuration is in order, with advice.
void print_config_in_order(const std::string& path, const Config& config, Output& output);

/// Prints mistakes as objects with file, line, column, problem and remedy; nothing as text, which goes to standard
/// error.
void print_config_mistakes(const std::vector<ConfigMistake>& mistakes, Output& output);

/// Prints what options mean.
/// @param name  as explain_option(); empty: all
/// @errors  NotFound
[[nodiscard]] Result<void> print_option_help(const std::string& name, Output& output);

}  // namespace waxwing
