#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "policy/result.h"

namespace waxwing {

/// Takes the members of a request one by one and notes the first that is wrong, so that a command can read all it wants
/// and then ask once. A member that nobody took is an error too: a misspelt filter must not widen what a command
/// concerns.
class AdminRequest {
 public:
  /// @param request  kept by reference
  explicit AdminRequest(const nlohmann::json& request);

  /// A string of at most kMaxMemberOctets without control characters; empty when it is missing.
  [[nodiscard]] std::string text(const char* name);
  /// An array of such strings; empty when it is missing.
  [[nodiscard]] std::vector<std::string> texts(const char* name, std::size_t most);
  /// A whole number; no value when it is missing.
  [[nodiscard]] std::optional<std::uint64_t> number(const char* name);
  /// false when it is missing.
  [[nodiscard]] bool flag(const char* name);

  /// Notes that a member is wrong for a reason that only the command knows.
  void refuse(std::string why);

  /// @errors  Malformed: what was wrong first
  [[nodiscard]] Result<void> finish();

 private:
  [[nodiscard]] const nlohmann::json* take(const char* name);
  [[nodiscard]] std::string checked_text(const char* name, const nlohmann::json& value);

  const nlohmann::json& request_;
  std::set<std::string> taken_;
  std::optional<std::string> wrong_;
};

inline constexpr std::size_t kMaxMemberOctets = 1'024;

}  // namespace waxwing
