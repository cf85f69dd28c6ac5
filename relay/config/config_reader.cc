#include "relay/config/config_reader.h"

#include <fmt/format.h>

#include <vector>

#include "relay/config/load_config.h"
#include "relay/config/spelling.h"
#include "relay/config/value_reader.h"

namespace waxwing {
namespace {

constexpr std::string_view kListenerSection = "listener";
constexpr std::string_view kPreflightRule = "preflight.rule";
constexpr std::string_view kTlsRule = "tls.rule";
constexpr std::string_view kTlsException = "tls.exception";
constexpr std::string_view kSignerRule = "signer.rule";
constexpr std::string_view kEgressSource = "egress.source";
constexpr std::string_view kEgressPool = "egress.pool";
constexpr std::string_view kEgressRule = "egress.rule";
constexpr std::string_view kEgressPause = "egress.pause";
constexpr std::string_view kAccountSection = "account";
constexpr std::string_view kTenantSection = "tenant";
constexpr std::string_view kRouteSection = "route";

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};

bool is_section(std::string_view name) {
  return !name.empty() && !is_repeated_section(name) && !section_help(name).empty();
}

// The section in which an option of that name is at home; nothing when several have it or none.
const Option* only_option_named(std::string_view name) {
  const Option* only = nullptr;
  for (const Option& option : all_options()) {
    if (option.name != name) continue;
    if (only != nullptr) return nullptr;
    only = &option;
  }
  return only;
}

std::string section_header(std::string_view section) {
  if (section.empty()) return "the top of the file, before the first section";
  return is_repeated_section(section) ? fmt::format("[[{}]]", section) : fmt::format("[{}]", section);
}

std::vector<std::string_view> words_of(std::string_view section) {
  std::vector<std::string_view> words;
  for (const Option& option : all_options()) {
    if (option.section == section) words.push_back(option.name);
    const bool new_section = words.empty() || words.back() != option.section;
    const bool at_top = !option.section.empty() && option.section.find('.') == std::string_view::npos;
    if (section.empty() && at_top && new_section) words.push_back(option.section);
  }
  for (const std::string_view rules :
       {kPreflightRule, kTlsRule, kTlsException, kSignerRule, kEgressSource, kEgressPool, kEgressRule, kEgressPause}) {
    const std::size_t dot = rules.find('.');
    if (rules.substr(0, dot) == section) words.push_back(rules.substr(dot + 1));
  }
  return words;
}

}  // namespace

ReadConfig ConfigReader::read(const toml::table& document) {
  for (const auto& [key, node] : document) {
    if (const Option* option = find_option("", key.str()); option != nullptr) {
      read_option(*option, option->full_name(), node, {});
    } else if (key.str() == kListenerSection) {
      read_listeners(node);
    } else if (key.str() == kAccountSection) {
      read_accounts(node);
    } else if (key.str() == kTenantSection) {
      read_tenants(node);
    } else if (key.str() == kRouteSection) {
      read_routes(node);
    } else if (is_section(key.str())) {
      read_section(key, node);
    } else {
      complain_unknown("", key);
    }
  }
  return std::move(result_);
}

void ConfigReader::read_section(const toml::key& section, const toml::node& node) {
  const toml::table* table = node.as_table();
  if (table == nullptr) {
    return mistakes_.add(place_of(section), fmt::format("{} is a section and cannot have a value", section.str()),
                         fmt::format("Write [{}] on a line of its own", section.str()));
  }
  for (const auto& [key, value] : *table) {
    const Option* option = find_option(section.str(), key.str());
    if (option != nullptr) {
      read_option(*option, option->full_name(), value, {});
    } else if (!read_rules(fmt::format("{}.{}", section.str(), key.str()), value)) {
      complain_unknown(section.str(), key);
    }
  }
}

// The sections of an array, or nothing after complaining.
const toml::array* ConfigReader::tables_of(const toml::node& node, std::string_view section, std::size_t most) {
  const toml::array* array = node.as_array();
  if (array == nullptr || array->empty() || !array->is_homogeneous<toml::table>()) {
    mistakes_.add(place_of(node), fmt::format("{} is not a list of sections", section),
                  fmt::format("Write [[{0}]], with two brackets on each side, above the options of each {1}", section,
                              section.substr(section.find('.') + 1)));
    return nullptr;
  }
  if (array->size() > most) {
    mistakes_.add(place_of(node), fmt::format("there are {} {}s", array->size(), section.substr(section.find('.') + 1)),
                  fmt::format("Have at most {}", most));
    return nullptr;
  }
  return array;
}

void ConfigReader::read_listeners(const toml::node& node) {
  const toml::array* array = tables_of(node, kListenerSection, kMaxListeners);
  if (array == nullptr) return;
  result_.config.listeners.clear();
  for (const toml::node& element : *array) read_listener(*element.as_table());
}

void ConfigReader::read_listener(const toml::table& table) {
  const std::string prefix = fmt::format("listener.{}", result_.config.listeners.size());
  ListenerConfig& listener = result_.config.listeners.emplace_back();
  read_members(table, kListenerSection, prefix, {.listener = &listener});
  require_member(table, kListenerSection, "name");
  if (!table.contains("socket")) require_member(table, kListenerSection, "address");
}

bool ConfigReader::read_rules(std::string_view section, const toml::node& node) {
  void (ConfigReader::*read_rule)(const toml::table&) = section == kPreflightRule  ? &ConfigReader::read_preflight_rule
                                                        : section == kTlsRule      ? &ConfigReader::read_tls_rule
                                                        : section == kTlsException ? &ConfigReader::read_tls_exception
                                                        : section == kSignerRule   ? &ConfigReader::read_signer_rule
                                                        : section == kEgressSource ? &ConfigReader::read_egress_source
                                                        : section == kEgressPool   ? &ConfigReader::read_egress_pool
                                                        : section == kEgressRule   ? &ConfigReader::read_egress_rule
                                                        : section == kEgressPause  ? &ConfigReader::read_egress_pause
                                                                                   : nullptr;
  if (read_rule == nullptr) return false;
  if (const toml::array* array = tables_of(node, section, kMaxRules); array != nullptr) {
    for (const toml::node& element : *array) (this->*read_rule)(*element.as_table());
  }
  return true;
}

void ConfigReader::read_preflight_rule(const toml::table& table) {
  const std::string prefix = fmt::format("{}.{}", kPreflightRule, result_.config.preflight_rules.size());
  PreflightRule& rule = result_.config.preflight_rules.emplace_back();
  read_members(table, kPreflightRule, prefix, {.preflight_rule = &rule});
  require_member(table, kPreflightRule, "mode");
  require_tenant_or_domain(table, "preflight.mode");
}

void ConfigReader::read_tls_rule(const toml::table& table) {
  const std::string prefix = fmt::format("{}.{}", kTlsRule, result_.config.tls_rules.size());
  TlsRule& rule = result_.config.tls_rules.emplace_back();
  read_members(table, kTlsRule, prefix, {.tls_rule = &rule});
  require_tenant_or_domain(table, "delivery.minimum_tls");
}

void ConfigReader::read_tls_exception(const toml::table& table) {
  const std::string prefix = fmt::format("{}.{}", kTlsException, result_.config.tls_exceptions.size());
  TlsExceptionRule& exception = result_.config.tls_exceptions.emplace_back();
  read_members(table, kTlsException, prefix, {.tls_exception = &exception});
  for (const std::string_view required : {"domain", "reason", "expires"})
    require_member(table, kTlsException, required);
}

void ConfigReader::read_signer_rule(const toml::table& table) {
  const std::string prefix = fmt::format("{}.{}", kSignerRule, result_.config.signer_rules.size());
  SignerRule& rule = result_.config.signer_rules.emplace_back();
  read_members(table, kSignerRule, prefix, {.signer_rule = &rule});
  for (const std::string_view required : {"domain", "tenant"}) require_member(table, kSignerRule, required);
}

void ConfigReader::read_egress_source(const toml::table& table) {
  const std::string prefix = fmt::format("{}.{}", kEgressSource, result_.config.egress_sources.size());
  EgressSourceConfig& source = result_.config.egress_sources.emplace_back();
  read_members(table, kEgressSource, prefix, {.egress_source = &source});
  for (const std::string_view required : {"name", "addresses"}) require_member(table, kEgressSource, required);
}

void ConfigReader::read_egress_pool(const toml::table& table) {
  const std::string prefix = fmt::format("{}.{}", kEgressPool, result_.config.egress_pools.size());
  EgressPoolConfig& pool = result_.config.egress_pools.emplace_back();
  read_members(table, kEgressPool, prefix, {.egress_pool = &pool});
  for (const std::string_view required : {"name", "sources"}) require_member(table, kEgressPool, required);
}

void ConfigReader::read_egress_rule(const toml::table& table) {
  const std::string prefix = fmt::format("{}.{}", kEgressRule, result_.config.egress_rules.size());
  EgressRule& rule = result_.config.egress_rules.emplace_back();
  read_members(table, kEgressRule, prefix, {.egress_rule = &rule});
  require_member(table, kEgressRule, "pool");
  require_tenant_or_domain(table, "egress.default_pool");
}

void ConfigReader::read_egress_pause(const toml::table& table) {
  const std::string prefix = fmt::format("{}.{}", kEgressPause, result_.config.egress_pauses.size());
  EgressPauseRule& rule = result_.config.egress_pauses.emplace_back();
  read_members(table, kEgressPause, prefix, {.egress_pause = &rule});
  for (const std::string_view required : {"name", "pause_for"}) require_member(table, kEgressPause, required);
  if (table.contains("code") || table.contains("text")) return;
  mistakes_.add(place_of(table), "this pause names neither code nor text, so that every refusal would cause it",
                "Add code = 421, or text = \"*\" and a part of the reply and \"*\", or both");
}

void ConfigReader::require_tenant_or_domain(const toml::table& table, std::string_view instead) {
  if (table.contains("tenant") || table.contains("domain")) return;
  mistakes_.add(place_of(table), "this rule names neither tenant nor domain",
                fmt::format("Add one of them, or set {} instead", instead));
}

void ConfigReader::read_accounts(const toml::node& node) {
  const toml::array* array = tables_of(node, kAccountSection, kMaxDeclaredAccounts);
  if (array == nullptr) return;
  for (const toml::node& element : *array) {
    const toml::table& table = *element.as_table();
    const std::string prefix = fmt::format("account.{}", result_.config.accounts.size());
    AccountConfig& account = result_.config.accounts.emplace_back();
    read_members(table, kAccountSection, prefix, {.account = &account, .limits = &account});
    require_member(table, kAccountSection, "name");
  }
}

void ConfigReader::read_tenants(const toml::node& node) {
  const toml::array* array = tables_of(node, kTenantSection, kMaxDeclaredAccounts);
  if (array == nullptr) return;
  for (const toml::node& element : *array) {
    const toml::table& table = *element.as_table();
    const std::string prefix = fmt::format("tenant.{}", result_.config.tenants.size());
    TenantConfig& tenant = result_.config.tenants.emplace_back();
    read_members(table, kTenantSection, prefix, {.tenant = &tenant, .limits = &tenant});
    require_member(table, kTenantSection, "name");
  }
}

void ConfigReader::read_routes(const toml::node& node) {
  const toml::array* array = tables_of(node, kRouteSection, kMaxRules);
  if (array == nullptr) return;
  for (const toml::node& element : *array) {
    const toml::table& table = *element.as_table();
    const std::string prefix = fmt::format("route.{}", result_.config.routes.size());
    RouteConfig& route = result_.config.routes.emplace_back();
    read_members(table, kRouteSection, prefix, {.route = &route});
    for (const std::string_view required : {"name", "domains"}) require_member(table, kRouteSection, required);
  }
}

void ConfigReader::read_members(const toml::table& table, std::string_view section, const std::string& prefix,
                                const Target& target) {
  result_.settings[prefix] = {place_of(table)};
  for (const auto& [key, value] : table) {
    const Option* option = find_option(section, key.str());
    if (option == nullptr) {
      complain_unknown(section, key);
    } else {
      read_option(*option, fmt::format("{}.{}", prefix, option->name), value, target);
    }
  }
}

void ConfigReader::require_member(const toml::table& table, std::string_view section, std::string_view name) {
  if (table.contains(name)) return;
  mistakes_.add(place_of(table), fmt::format("this {} has no {}", section.substr(section.find('.') + 1), name),
                fmt::format("Add a line such as {} = {}", name, find_option(section, name)->example));
}

void ConfigReader::read_option(const Option& option, std::string setting_name, const toml::node& node,
                               const Target& target) {
  const std::size_t mistakes_before = mistakes_.size();
  ValueReader reader(option, mistakes_);
  Config& config = result_.config;
  std::visit(
      Overloaded{
          [&]<class Value>(Value Config::*field) { reader.read(node, config.*field); },
          [&]<class Value>(Value ListenerConfig::*field) { reader.read(node, target.listener->*field); },
          [&]<class Value>(Value PreflightRule::*field) { reader.read(node, target.preflight_rule->*field); },
          [&]<class Value>(Value TlsRule::*field) { reader.read(node, target.tls_rule->*field); },
          [&]<class Value>(Value TlsExceptionRule::*field) { reader.read(node, target.tls_exception->*field); },
          [&]<class Value>(Value SignerRule::*field) { reader.read(node, target.signer_rule->*field); },
          [&]<class Value>(Value AccountConfig::*field) { reader.read(node, target.account->*field); },
          [&]<class Value>(Value TenantConfig::*field) { reader.read(node, target.tenant->*field); },
          [&]<class Value>(Value LimitsConfig::*field) { reader.read(node, target.limits->*field); },
          [&]<class Value>(Value RouteConfig::*field) { reader.read(node, target.route->*field); },
          [&]<class Value>(Value EgressSourceConfig::*field) { reader.read(node, target.egress_source->*field); },
          [&]<class Value>(Value EgressPoolConfig::*field) { reader.read(node, target.egress_pool->*field); },
          [&]<class Value>(Value EgressRule::*field) { reader.read(node, target.egress_rule->*field); },
          [&]<class Value>(Value EgressPauseRule::*field) { reader.read(node, target.egress_pause->*field); },
          [&](const EndpointField& field) { reader.read_endpoint(node, config.*field.address, config.*field.port); }},
      option.field);
  result_.settings[std::move(setting_name)] = {place_of(node), mistakes_.size() == mistakes_before};
}

void ConfigReader::complain_unknown(std::string_view section, const toml::key& key) {
  std::string name(key.str());
  std::string problem = section.empty() ? fmt::format("there is no option or section \"{}\"", name)
                                        : fmt::format("{} has no option \"{}\"", section_header(section), name);
  if (const Option* elsewhere = only_option_named(name); elsewhere != nullptr) {
    return mistakes_.add(place_of(key), std::move(problem),
                         fmt::format("Move it to {}", section_header(elsewhere->section)));
  }
  const std::vector<std::string_view> words = words_of(section);
  const std::string_view nearest = nearest_word(name, words);
  mistakes_.add(place_of(key), std::move(problem),
                nearest.empty() ? "Remove it; \"waxwing config explain\" lists all options"
                                : fmt::format("Did you mean \"{}\"? Otherwise remove it", nearest));
}

}  // namespace waxwing
