#include "relay/cli/output.h"

#include <nlohmann/json.hpp>

#include "relay/observe/escape.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxLineOctets = 1 << 20;

}  // namespace

void Output::add_line(std::string_view line) {
  if (is_json()) return;
  text_ += printable(line, kMaxLineOctets);
  text_ += '\n';
}

void Output::add_object(const nlohmann::json& object) {
  if (!is_json()) return;
  // In ASCII every control character is escaped, C1 and U+2028 too; octets that are not UTF-8 are replaced.
  text_ += object.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  text_ += '\n';
}

}  // namespace waxwing
