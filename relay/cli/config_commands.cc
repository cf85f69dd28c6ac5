#include "relay/cli/config_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "relay/config/egress_rules.h"
#include "relay/config/schema.h"

namespace waxwing {
namespace {

nlohmann::json option_object(const Option& option) {
  nlohmann::json object = {{"name", option.full_name()}, {"help", option.help}, {"allowed", allowed_values(option)}};
  const std::string value = default_value(option);
  if (value.empty()) {
    object["example"] = option.example;
  } else {
    object["default"] = value;
  }
  return object;
}

bool is_meant(const Option& option, std::string_view name) {
  return name.empty() || option.full_name() == name || option.name == name || option.section == name;
}

void add_lines(std::string_view text, Output& output) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    output.add_line(line);
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
}

std::vector<std::string> idle_sources(const Config& config) {
  const EgressLayout layout = egress_layout(config);
  std::vector<std::string> idle;
  for (const EgressSourceConfig& source : layout.sources) {
    const bool is_used = std::ranges::any_of(layout.pools, [&source](const EgressPoolConfig& pool) {
      return std::ranges::find(pool.sources, source.name, &EgressShare::source) != pool.sources.end();
    });
    if (!is_used) idle.push_back(source.name);
  }
  return idle;
}

// Where none of the accounts has keys, nobody expects SCRAM.
std::optional<std::string> account_without_scram(const Config& config) {
  if (std::ranges::all_of(config.accounts, &std::string::empty, &AccountConfig::scram_keys)) return std::nullopt;
  const auto found = std::ranges::find_if(config.accounts, [](const AccountConfig& account) {
    return !account.password_hash.empty() && account.scram_keys.empty();
  });
  return found == config.accounts.end() ? std::nullopt : std::optional(found->name);
}

}  // namespace

std::vector<std::string> config_advice(const Config& config) {
  std::vector<std::string> advice;
  if (config.hostname.find('.') == std::string::npos) {
    advice.push_back(fmt::format(
        "hostname is \"{}\", which has no dot, and many receivers refuse such a name in EHLO; set hostname to the name "
        "to which the address of this relay resolves back",
        config.hostname));
  }
  if (config.egress_addresses.empty()) {
    advice.emplace_back(
        "egress.addresses is empty, so that SPF cannot be foreseen and only domains with a published DKIM key pass "
        "preflight; list the public addresses of this relay");
  }
  for (const std::string& source : idle_sources(config)) {
    advice.push_back(fmt::format(
        "source \"{}\" is in no [[egress.pool]], so that nothing leaves from it; add it to one, or remove it", source));
  }
  if (const auto without = account_without_scram(config)) {
    advice.push_back(
        fmt::format("account \"{}\" has a password_hash and no scram_keys, so that no listener with scram = \"ready\" "
                    "offers SCRAM; "
                    "add scram_keys as \"waxwing account hash\" prints them",
                    *without));
  }
  if (config.allow_non_global_addresses) {
    advice.emplace_back(
        "delivery.allow_non_global_addresses is true, so that MX records of strangers can lead to hosts of your "
        "network; "
        "keep it for tests");
  }
  return advice;
}

void print_config_in_order(const std::string& path, const Config& config, Output& output) {
  const std::vector<std::string> advice = config_advice(config);
  output.add_object({{"file", path}, {"in_order", true}, {"advice", advice}});
  output.add_line(fmt::format("{} is in order", path));
  for (const std::string& sentence : advice) output.add_line(fmt::format("Advice: {}.", sentence));
}

void print_config_mistakes(const std::vector<ConfigMistake>& mistakes, Output& output) {
  for (const ConfigMistake& mistake : mistakes) {
    output.add_object({{"file", mistake.file},
                       {"line", mistake.line},
                       {"column", mistake.column},
                       {"problem", mistake.problem},
                       {"remedy", mistake.remedy}});
  }
}

Result<void> print_option_help(const std::string& name, Output& output) {
  if (!name.empty()) {
    const auto text = explain_option(name);
    if (!text) return tl::unexpected(text.error());
  }
  std::string_view separator;
  for (const Option& option : all_options()) {
    if (!is_meant(option, name)) continue;
    output.add_object(option_object(option));
    add_lines(fmt::format("{}{}", separator, *explain_option(option.full_name())), output);
    separator = "\n";
  }
  return {};
}

}  // namespace waxwing
