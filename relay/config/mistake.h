#pragma once

#include <string>
#include <vector>

namespace waxwing {

/// Something wrong in a configuration file.
struct ConfigMistake {
  std::string file;
  unsigned line = 0;    ///< from 1; 0: the mistake is the file as a whole
  unsigned column = 0;  ///< in characters, from 1
  std::string problem;  ///< what is wrong, naming the option; without a period at its end
  std::string remedy;   ///< what to do about it, in the imperative; ditto

  /// "FILE:LINE:COLUMN: PROBLEM. REMEDY." on one line, safe for terminals.
  [[nodiscard]] std::string str() const;

  friend bool operator==(const ConfigMistake&, const ConfigMistake&) = default;
};

/// At least one, in the order of the file.
using ConfigMistakes = std::vector<ConfigMistake>;

}  // namespace waxwing
