#include "relay/cli/report_commands.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "relay/cli/json_text.h"

namespace waxwing {

using Json = nlohmann::json;

Result<void> list_tls_reports(const AskRelay& ask, Output& output) {
  const auto lines = ask({{"command", "report tls list"}});
  if (!lines) return tl::unexpected(lines.error());
  for (const Json& line : *lines) {
    output.add_object(line);
    output.add_line(fmt::format("{}  {}  {} succeeded, {} failed", json_text(line, "day"), json_text(line, "domain"),
                                json_text(line, "successes"), json_text(line, "failures")));
  }
  return {};
}

Result<void> show_tls_report(const AskRelay& ask, const std::string& domain, const std::string& day,
                             const std::string& organization, const std::string& contact, Output& output) {
  Json request = {{"command", "report tls show"},
                  {"domain", domain},
                  {"organization_name", organization},
                  {"contact_info", contact}};
  if (!day.empty()) request["day"] = day;
  const auto lines = ask(std::move(request));
  if (!lines) return tl::unexpected(lines.error());
  for (const Json& line : *lines) {
    output.add_object(line);
    output.add_line(line.dump(-1, ' ', true, Json::error_handler_t::replace));
  }
  return {};
}

Result<void> send_tls_report(const AskRelay& ask, const std::string& domain, const std::string& day, Output& output) {
  Json request = {{"command", "report tls send"}, {"domain", domain}};
  if (!day.empty()) request["day"] = day;
  const auto lines = ask(std::move(request));
  if (!lines) return tl::unexpected(lines.error());
  for (const Json& line : *lines) {
    output.add_object(line);
    output.add_line(fmt::format("{}  {}  is sent if the domain asks for reports; the log tells", json_text(line, "day"),
                                json_text(line, "domain")));
  }
  return {};
}

}  // namespace waxwing
