#include "relay/cli/quota_commands.h"

#include <fmt/format.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "relay/cli/json_text.h"

namespace waxwing {
namespace {

using Json = nlohmann::json;

std::string limits_text(const Json& line) {
  std::string text;
  const Json& limits = json_member(line, "limits");
  if (limits.is_object()) {
    for (const auto& [name, limit] : limits.items()) text += fmt::format("  {} {}", name, json_text(limits, name));
  }
  if (text.empty()) return "  no limits";
  return text + fmt::format("  over_limit {}", json_text(line, "over_limit"));
}

std::string held_text(const Json& line) {
  const std::string reason = json_text(line, "held");
  return reason.empty() ? std::string() : fmt::format("  held: {}", reason);
}

std::string tenant_line(const Json& line) {
  return json_text(line, "name") + limits_text(line) + held_text(line);
}

Result<void> print_lines(const AskRelay& ask, Json request, Output& output,
                         const std::function<std::string(const Json&)>& text) {
  const auto lines = ask(std::move(request));
  if (!lines) return tl::unexpected(lines.error());
  for (const Json& line : *lines) {
    output.add_object(line);
    output.add_line(text(line));
  }
  return {};
}

}  // namespace

Result<void> show_quota(const AskRelay& ask, const std::string& owner, const std::string& name, Output& output) {
  return print_lines(ask, {{"command", owner + " show"}, {"name", name}}, output, [&](const Json& line) {
    const Json& used = json_member(line, "last_day");
    std::string text = json_text(line, "name");
    if (owner == "account") {
      text += fmt::format("  tenant {}  senders {}", json_text(line, "tenant"),
                          json_list(json_member(line, "allowed_senders"), "any"));
      if (const std::string uid = json_text(line, "uid"); !uid.empty()) text += "  uid " + uid;
    }
    text += limits_text(line) + held_text(line);
    return text +
           fmt::format("\n  last 24 hours: {} messages, {} recipients ({} new), {} octets; {} delivered, {} bounced",
                       json_text(used, "messages"), json_text(used, "recipients"), json_text(used, "new_recipients"),
                       json_text(used, "octets"), json_text(used, "delivered"), json_text(used, "bounced"));
  });
}

Result<void> change_limits(const AskRelay& ask, const std::string& owner, const std::string& name,
                           const LimitChange& change, Output& output) {
  Json request = {{"command", owner + " limit"}, {"name", name}};
  for (const auto& [limit, value] : change.limits) request[limit] = value;
  if (!change.over_limit.empty()) request["over_limit"] = change.over_limit;
  return print_lines(ask, std::move(request), output, tenant_line);
}

Result<void> hold_owner(const AskRelay& ask, const std::string& owner, const std::string& name,
                        const std::string& reason, Output& output) {
  return print_lines(ask, {{"command", owner + " hold"}, {"name", name}, {"reason", reason}}, output,
                     [](const Json& line) { return json_text(line, "name") + ": its mail is held from now on"; });
}

Result<void> release_owner(const AskRelay& ask, const std::string& owner, const std::string& name, Output& output) {
  return print_lines(ask, {{"command", owner + " release"}, {"name", name}}, output, [](const Json& line) {
    return json_text(line, "name") +
           ": its mail goes out from now on; \"waxwing queue release --account NAME\" lets go what was held";
  });
}

Result<void> add_tenant(const AskRelay& ask, const std::string& name, Output& output) {
  return print_lines(ask, {{"command", "tenant add"}, {"name", name}}, output,
                     [](const Json& line) { return json_text(line, "name") + " is a tenant now"; });
}

Result<void> list_tenants(const AskRelay& ask, Output& output) {
  return print_lines(ask, {{"command", "tenant list"}}, output, tenant_line);
}

}  // namespace waxwing
