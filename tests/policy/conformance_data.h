#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace waxwing::testing {

/// Reads a file of the conformance data, whose folder the environment variable WAXWING_CONFORMANCE names; without the
/// variable the test says that it was skipped.
inline std::optional<nlohmann::json> conformance_data(const std::string& path) {
  const char* folder = std::getenv("WAXWING_CONFORMANCE");
  if (!folder) {
    WARN("skipped: WAXWING_CONFORMANCE does not name a folder with " << path);
    return std::nullopt;
  }
  std::ifstream file(std::string(folder) + "/" + path);
  REQUIRE(file);
  return nlohmann::json::parse(file);
}

}  // namespace waxwing::testing
