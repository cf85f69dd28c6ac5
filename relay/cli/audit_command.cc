#include "relay/cli/audit_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "relay/admin/audit_commands.h"
#include "relay/cli/json_text.h"

namespace waxwing {
namespace {

using Json = nlohmann::json;

// "id 0…, older_than 3600": what selected the messages.
std::string filter_text(const Json& filter) {
  if (filter.is_string()) return filter.get<std::string>();
  std::string text;
  for (const auto& [name, value] : filter.items()) {
    if (!text.empty()) text += ", ";
    text += name;
    if (value != Json(true)) text += " " + json_text(filter, name);
  }
  return text;
}

void print_entry(const Json& entry, Output& output) {
  output.add_line(fmt::format("{}  {} (uid {})  {}: {}", json_text(entry, "time"), json_text(entry, "operator"),
                              json_text(entry, "uid"), json_text(entry, "command"),
                              filter_text(json_member(entry, "filter"))));
  output.add_line(
      fmt::format("    messages {}, recipients {}", json_text(entry, "messages"), json_text(entry, "recipients")));
  if (const std::string reason = json_text(entry, "reason"); !reason.empty()) output.add_line("    " + reason);
}

}  // namespace

Result<void> list_audit(const AskRelay& ask, std::size_t limit, Output& output) {
  std::uint64_t before = 0;
  std::size_t printed = 0;
  while (printed < limit) {
    const auto lines =
        ask({{"command", "audit list"}, {"before", before}, {"limit", std::min(limit - printed, kMaxAuditPortion)}});
    if (!lines) return tl::unexpected(lines.error());
    for (const Json& entry : *lines) {
      output.add_object(entry);
      print_entry(entry, output);
      const Json& number = json_member(entry, "entry");
      before = number.is_number_unsigned() ? number.get<std::uint64_t>() : 0;
    }
    printed += lines->size();
    if (lines->empty() || before == 0) break;
  }
  if (printed == 0) output.add_line("Nothing was done.");
  return {};
}

}  // namespace waxwing
