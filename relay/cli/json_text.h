#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace waxwing {

// Reading of JSON whose shape may not be relied on: what is missing or of another type is null or empty, never an
// exception.

/// The member of an object, or null.
[[nodiscard]] const nlohmann::json& json_member(const nlohmann::json& object, std::string_view name);

/// The member as people read it: strings bare, other values as JSON writes them, "" for null.
[[nodiscard]] std::string json_text(const nlohmann::json& object, std::string_view name);

/// The elements of an array joined by ", "; `nothing` when there are none.
[[nodiscard]] std::string json_list(const nlohmann::json& list, std::string_view nothing);

}  // namespace waxwing
