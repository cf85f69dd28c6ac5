#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace waxwing {

enum class OutputFormat { Text, Json };

/// What a command prints: built whole, then written, so that a command that fails prints nothing on standard output.
class Output {
 public:
  explicit Output(OutputFormat format) : format_(format) {}

  /// Whether objects are printed, and no lines.
  [[nodiscard]] bool is_json() const { return format_ == OutputFormat::Json; }

  /// Adds a line for people, made safe for terminals (relay/observe/escape.h); nothing in format Json.
  void add_line(std::string_view line);

  /// Adds one JSON object on one line, in ASCII; nothing in format Text.
  void add_object(const nlohmann::json& object);

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  OutputFormat format_;
  std::string text_;
};

}  // namespace waxwing
