#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "relay/cli/ask_relay.h"

namespace waxwing {

/// Answers every request with the same lines, or with an error, and keeps what it was asked.
class ScriptedRelay {
 public:
  explicit ScriptedRelay(std::vector<nlohmann::json> lines) : lines_(std::move(lines)) {}
  explicit ScriptedRelay(Error error) : error_(std::move(error)) {}

  [[nodiscard]] AskRelay asker() {
    return [this](nlohmann::json request) -> Result<std::vector<nlohmann::json>> {
      requests.push_back(std::move(request));
      if (error_) return tl::unexpected(*error_);
      return lines_;
    };
  }

  std::vector<nlohmann::json> requests;

 private:
  std::vector<nlohmann::json> lines_;
  std::optional<Error> error_;
};

}  // namespace waxwing
