#pragma once

#include <string>

namespace waxwing {

/// Writes the reference configuration, etc/waxwing.toml: every option with its help, its range and its default. Read as
/// a configuration it means the same as an empty file.
[[nodiscard]] std::string render_reference_config();

}  // namespace waxwing
