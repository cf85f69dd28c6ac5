#include "relay/config/mistake.h"

#include <fmt/format.h>

#include "relay/observe/escape.h"

namespace waxwing {

std::string ConfigMistake::str() const {
  const std::string place = line == 0 ? file : fmt::format("{}:{}:{}", file, line, column);
  return printable(fmt::format("{}: {}. {}.", place, problem, remedy));
}

}  // namespace waxwing
