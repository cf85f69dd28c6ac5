#include "relay/cli/egress_commands.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "policy/date_time.h"
#include "relay/cli/json_text.h"
#include "relay/config/egress_rules.h"
#include "relay/egress/egress_source.h"

namespace waxwing {
namespace {

using Json = nlohmann::json;

std::vector<std::string> texts(const std::vector<IpAddress>& addresses) {
  std::vector<std::string> all;
  for (const IpAddress& address : addresses) all.push_back(address.str());
  return all;
}

// null: no warm-up, or none any more.
Json warm_up_json(const EgressSourceConfig& source, WallTime now) {
  const WarmUp warm_up{source.warm_up_start, source.warm_up_per_day};
  const auto allowance = warm_up.allowance(day_of(now));
  if (source.warm_up_per_day.empty() || !allowance) return nullptr;
  return {{"day", day_of(now) - day_of(warm_up.start) + 1},
          {"days", warm_up.per_day.size()},
          {"allowance", *allowance},
          {"start", utc_date_time_text(warm_up.start)}};
}

void print_source(const EgressSourceConfig& source, WallTime now, Output& output) {
  const Json warm_up = warm_up_json(source, now);
  output.add_object({{"kind", "source"},
                     {"name", source.name},
                     {"addresses", texts(source.addresses)},
                     {"public_addresses", texts(public_addresses(source))},
                     {"helo_name", source.helo_name},
                     {"warm_up", warm_up}});
  std::string line =
      fmt::format("source {}  {}  as {}", source.name, fmt::join(texts(source.addresses), ", "), source.helo_name);
  if (source.addresses.empty()) line = fmt::format("source {}  any address  as {}", source.name, source.helo_name);
  if (!source.public_addresses.empty())
    line += fmt::format("  seen as {}", fmt::join(texts(source.public_addresses), ", "));
  if (!warm_up.is_null()) {
    line += fmt::format("  warm-up day {} of {}: {} messages to each provider", json_text(warm_up, "day"),
                        json_text(warm_up, "days"), json_text(warm_up, "allowance"));
  }
  output.add_line(line);
}

void print_pool(const EgressPoolConfig& pool, bool is_default, Output& output) {
  Json members = Json::array();
  std::vector<std::string> words;
  for (const EgressShare& share : pool.sources) {
    members.push_back({{"source", share.source}, {"weight", share.weight}});
    words.push_back(fmt::format("{} (weight {})", share.source, share.weight));
  }
  output.add_object({{"kind", "pool"}, {"name", pool.name}, {"default", is_default}, {"sources", members}});
  output.add_line(fmt::format("pool {}{}  {}", pool.name, is_default ? " (default)" : "", fmt::join(words, ", ")));
}

void print_rule(const EgressRule& rule, Output& output) {
  output.add_object({{"kind", "rule"},
                     {"tenant", rule.tenant.empty() ? Json(nullptr) : Json(rule.tenant)},
                     {"domain", rule.domain.empty() ? Json(nullptr) : Json(rule.domain)},
                     {"pool", rule.pool}});
  std::string line = "rule";
  if (!rule.tenant.empty()) line += "  tenant " + rule.tenant;
  if (!rule.domain.empty()) line += "  domain " + rule.domain;
  output.add_line(line + "  pool " + rule.pool);
}

std::string pause_line(const Json& line) {
  const std::string provider = json_text(line, "provider");
  const std::string rule = json_text(line, "rule");
  return fmt::format("paused {} at {} until {} by {}: {}", json_text(line, "source"),
                     provider.empty() ? "all providers" : provider, json_text(line, "until"),
                     rule.empty() ? "an operator" : "rule " + rule, json_text(line, "reason"));
}

// What the relay counts and who rests; a source may have left the configuration since.
void print_state(const Json& line, const EgressLayout& layout, WallTime now, Output& output) {
  if (json_text(line, "kind") == "pause") {
    output.add_object(line);
    return output.add_line(pause_line(line));
  }
  const auto source = std::ranges::find(layout.sources, json_text(line, "source"), &EgressSourceConfig::name);
  const Json warm_up = source == layout.sources.end() ? Json(nullptr) : warm_up_json(*source, now);
  Json object = line;
  object["allowance"] = warm_up.is_null() ? Json(nullptr) : warm_up["allowance"];
  output.add_object(object);
  output.add_line(fmt::format("used {} at {}: {}{}", json_text(line, "source"), json_text(line, "provider"),
                              json_text(line, "used"),
                              warm_up.is_null() ? "" : " of " + json_text(warm_up, "allowance") + " today"));
}

}  // namespace

Result<void> list_egress(const AskRelay& ask, const Config& config, WallTime now, Output& output) {
  const auto lines = ask({{"command", "egress list"}});
  if (!lines) return tl::unexpected(lines.error());
  const EgressLayout layout = egress_layout(config);
  for (const EgressSourceConfig& source : layout.sources) print_source(source, now, output);
  for (const EgressPoolConfig& pool : layout.pools) print_pool(pool, pool.name == layout.default_pool, output);
  for (const EgressRule& rule : config.egress_rules) print_rule(rule, output);
  for (const Json& line : *lines) print_state(line, layout, now, output);
  return {};
}

Result<void> pause_egress(const AskRelay& ask, const Config& config, const EgressOrder& order, Output& output) {
  std::vector<std::string> names;
  for (const EgressSourceConfig& source : egress_layout(config).sources) names.push_back(source.name);
  if (std::ranges::find(names, order.source) == names.end()) {
    return fail(ErrorKind::NotFound,
                fmt::format("there is no source {}; there is {}", order.source, fmt::join(names, ", ")));
  }
  Json request = {{"command", "egress pause"}, {"source", order.source}, {"reason", order.reason}};
  request["pause_for"] = static_cast<std::uint64_t>(order.pause_for.value_or(Seconds(0)).count());
  if (!order.provider.empty()) request["provider"] = order.provider;
  const auto lines = ask(std::move(request));
  if (!lines) return tl::unexpected(lines.error());
  for (const Json& line : *lines) {
    output.add_object(line);
    output.add_line(pause_line(line));
  }
  return {};
}

Result<void> resume_egress(const AskRelay& ask, const EgressOrder& order, Output& output) {
  Json request = {{"command", "egress resume"}, {"source", order.source}};
  if (!order.provider.empty()) request["provider"] = order.provider;
  if (!order.reason.empty()) request["reason"] = order.reason;
  const auto lines = ask(std::move(request));
  if (!lines) return tl::unexpected(lines.error());
  for (const Json& line : *lines) {
    output.add_object(line);
    const std::string provider = json_text(line, "provider");
    output.add_line(fmt::format("{} sends to {} again; \"waxwing queue retry --all\" has what waits tried now",
                                json_text(line, "source"), provider.empty() ? "all providers" : provider));
  }
  return {};
}

}  // namespace waxwing
