#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "relay/config/config.h"
#include "relay/config/mistake.h"

namespace waxwing {

/// What the meaning of a configuration depends on besides its text.
struct ConfigSurroundings {
  std::string file_name;                                    ///< for mistakes
  std::string system_name;                                  ///< the system's host name
  std::function<bool(const std::string&)> file_is_missing;  ///< whether nothing that can be read as a file is at a path
};

/// Reads and checks a configuration.
/// @return  the configuration, or all its mistakes at once. Where the file is not TOML, lines that break its grammar
///          are left out to find further mistakes, as far as they stand alone.
/// @limits  kMaxConfigOctets, kMaxConfigMistakes, kMaxListeners, kMaxRules of each kind
[[nodiscard]] tl::expected<Config, ConfigMistakes> parse_config(std::string_view text,
                                                                const ConfigSurroundings& surroundings);

/// Reads and checks a configuration file of this system, as parse_config().
[[nodiscard]] tl::expected<Config, ConfigMistakes> load_config(const std::string& path);

inline constexpr std::size_t kMaxConfigOctets = 1 << 20;
inline constexpr std::size_t kMaxConfigMistakes = 100;
inline constexpr std::size_t kMaxListeners = 64;
inline constexpr std::size_t kMaxRules = 1'000;
inline constexpr std::size_t kMaxDeclaredAccounts = 10'000;

}  // namespace waxwing
