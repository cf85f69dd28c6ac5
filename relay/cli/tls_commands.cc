#include "relay/cli/tls_commands.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "relay/cli/json_text.h"

namespace waxwing {

using Json = nlohmann::json;

Result<void> list_proven_tls(const AskRelay& ask, Output& output) {
  const auto lines = ask({{"command", "tls list"}});
  if (!lines) return tl::unexpected(lines.error());
  for (const Json& line : *lines) {
    output.add_object(line);
    output.add_line(fmt::format("{}  {}  since {}, last {}", json_text(line, "domain"), json_text(line, "method"),
                                json_text(line, "first_proven"), json_text(line, "last_proven")));
  }
  return {};
}

Result<void> forget_proven_tls(const AskRelay& ask, const std::string& domain, Output& output) {
  const auto lines = ask({{"command", "tls forget"}, {"domain", domain}});
  if (!lines) return tl::unexpected(lines.error());
  for (const Json& line : *lines) {
    output.add_object(line);
    output.add_line(fmt::format("{} is forgotten; \"waxwing queue retry --domain {}\" sends what waits",
                                json_text(line, "domain"), json_text(line, "domain")));
  }
  return {};
}

}  // namespace waxwing
