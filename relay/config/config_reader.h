#pragma once

#include <toml++/toml.h>
#include <string>
#include <string_view>

#include "relay/config/config.h"
#include "relay/config/mistake_list.h"
#include "relay/config/schema.h"

namespace waxwing {

/// What a configuration file says, as far as it could be understood.
struct ReadConfig {
  Config config;
  Settings settings;
};

/// Reads a TOML document by the table of options.
class ConfigReader {
 public:
  explicit ConfigReader(MistakeList& mistakes) : mistakes_(mistakes) {}

  [[nodiscard]] ReadConfig read(const toml::table& document);

 private:
  void read_section(const toml::key& section, const toml::node& node);
  // What an option of a repeated section is for; nullptr for the others.
  struct Target {
    ListenerConfig* listener = nullptr;
    PreflightRule* preflight_rule = nullptr;
    TlsRule* tls_rule = nullptr;
    TlsExceptionRule* tls_exception = nullptr;
    SignerRule* signer_rule = nullptr;
    AccountConfig* account = nullptr;
    TenantConfig* tenant = nullptr;
    LimitsConfig* limits = nullptr;
    RouteConfig* route = nullptr;
    EgressSourceConfig* egress_source = nullptr;
    EgressPoolConfig* egress_pool = nullptr;
    EgressRule* egress_rule = nullptr;
    EgressPauseRule* egress_pause = nullptr;
  };

  void read_listeners(const toml::node& node);
  void read_listener(const toml::table& table);
  // Whether such a section within a section exists; if so, it is read.
  bool read_rules(std::string_view section, const toml::node& node);
  void read_preflight_rule(const toml::table& table);
  void read_tls_rule(const toml::table& table);
  void read_tls_exception(const toml::table& table);
  void read_signer_rule(const toml::table& table);
  void read_egress_source(const toml::table& table);
  void read_egress_pool(const toml::table& table);
  void read_egress_rule(const toml::table& table);
  void read_egress_pause(const toml::table& table);
  void require_tenant_or_domain(const toml::table& table, std::string_view instead);
  void read_accounts(const toml::node& node);
  void read_tenants(const toml::node& node);
  void read_routes(const toml::node& node);
  [[nodiscard]] const toml::array* tables_of(const toml::node& node, std::string_view section, std::size_t most);
  void read_members(const toml::table& table, std::string_view section, const std::string& prefix,
                    const Target& target);
  void require_member(const toml::table& table, std::string_view section, std::string_view name);
  void read_option(const Option& option, std::string setting_name, const toml::node& node, const Target& target);
  void complain_unknown(std::string_view section, const toml::key& key);

  MistakeList& mistakes_;
  ReadConfig result_;
};

}  // namespace waxwing
