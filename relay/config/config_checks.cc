#include "relay/config/config_checks.h"

#include <fmt/format.h>

#include <map>
#include <string_view>
#include <utility>

#include "relay/config/egress_checks.h"
#include "relay/config/quantity.h"
#include "relay/config/route_checks.h"

namespace waxwing {
namespace {

using Tls = ListenerConfig::Tls;

// sun_path holds 108 octets with the final zero (unix(7)).
constexpr std::size_t kMaxSocketPathOctets = 107;
// Ditto; the name of the socket in it is short.
constexpr std::size_t kMaxRunDirectoryOctets = 94;

class Checks {
 public:
  Checks(const Config& config, const Settings& settings, const ConfigSurroundings& surroundings, MistakeList& mistakes)
      : config_(config), settings_(settings), surroundings_(surroundings), mistakes_(mistakes) {}

  void run() {
    for (std::size_t i = 0; i < config_.listeners.size(); ++i) check_listener(i, config_.listeners[i]);
    check_listeners_differ();
    check_rules_differ("preflight.rule", config_.preflight_rules);
    check_rules_differ("tls.rule", config_.tls_rules);
    check_exceptions_differ();
    check_accounts_differ();
    check_scram();
    check_lifetimes();
    check_resolver();
    check_source_addresses();
    check_rules_differ("egress.rule", config_.egress_rules);
    check_egress_config(config_, settings_, mistakes_);
    check_directories();
    check_publishing();
    check_keys();
    check_routes(config_, settings_, surroundings_, mistakes_);
    check_file("delivery.ca_file", "delivery.ca_file", config_.ca_file,
               "Install the package ca-certificates, or write the path of another file of authorities");
  }

 private:
  [[nodiscard]] bool is_set(std::string_view name) const { return settings_.contains(name); }

  // The value is a mistake already, and judging the default in its place would only mislead.
  [[nodiscard]] bool is_misread(std::string_view name) const {
    const auto found = settings_.find(name);
    return found != settings_.end() && !found->second.understood;
  }

  // Where an option stands; one that is not set has the place of what it belongs to.
  [[nodiscard]] Place place(std::string_view name, std::string_view belongs_to = {}) const {
    for (const std::string_view candidate : {name, belongs_to}) {
      const auto found = settings_.find(candidate);
      if (found != settings_.end()) return found->second.place;
    }
    return {};
  }

  void check_listener(std::size_t index, const ListenerConfig& listener) {
    const std::string prefix = fmt::format("listener.{}", index);
    const std::string address = prefix + ".address";
    const bool is_exposed = is_set(address) && !is_misread(address) && !listener.address.is_loopback();
    if (is_exposed && listener.tls == Tls::None && !is_misread(prefix + ".tls")) {
      mistakes_.add(
          place(prefix + ".tls", prefix),
          fmt::format("listener \"{}\" has no TLS although {} is not a loopback address, so that passwords would "
                      "cross the network in clear text",
                      listener.name, listener.address.str()),
          "Set tls = \"starttls\" or \"implicit\" with a certificate, or listen on 127.0.0.1");
    }
    // Whoever reaches a load balancer reaches what it stands before.
    const bool is_balanced = !listener.proxies.empty();
    if ((is_exposed || is_balanced) && listener.bare_line_ends == ListenerConfig::BareLineEnds::Fix) {
      const std::string because = is_exposed ? fmt::format("{} is not a loopback address", listener.address.str())
                                             : std::string("its proxies bring clients from elsewhere");
      mistakes_.add(
          place(prefix + ".bare_line_ends", prefix),
          fmt::format("listener \"{}\" would fix bare line ends although {}, which lets strangers smuggle messages",
                      listener.name, because),
          "Set bare_line_ends = \"reject\"");
    }
    check_socket(prefix, listener);
    check_protocol(prefix, listener);
    check_purpose(prefix, listener);
    check_listener_files(prefix, listener);
  }

  void check_socket(const std::string& prefix, const ListenerConfig& listener) {
    if (listener.socket.empty() || is_misread(prefix + ".socket")) return;
    if (listener.socket.size() > kMaxSocketPathOctets) {
      mistakes_.add(place(prefix + ".socket"),
                    fmt::format("the socket of listener \"{}\" has too long a path", listener.name),
                    fmt::format("Choose a path of at most {} octets", kMaxSocketPathOctets));
    }
    for (const std::string_view name : {"address", "port", "tls", "proxies", "xclient_peers", "peers"}) {
      const std::string full_name = fmt::format("{}.{}", prefix, name);
      if (!is_set(full_name)) continue;
      mistakes_.add(place(full_name),
                    fmt::format("listener \"{}\" has a socket, where {} has no meaning", listener.name, name),
                    "Remove one of the two lines");
    }
  }

  void check_protocol(const std::string& prefix, const ListenerConfig& listener) {
    if (listener.protocol != ListenerConfig::Protocol::Http || is_misread(prefix + ".protocol")) return;
    if (listener.tls == Tls::StartTls) {
      mistakes_.add(place(prefix + ".tls"),
                    fmt::format("listener \"{}\" speaks HTTP, which has no STARTTLS", listener.name),
                    "Set tls = \"implicit\", or \"none\" on a loopback address");
    }
    for (const std::string_view name : {"xclient_peers", "purpose", "socket", "scram"}) {
      const std::string full_name = fmt::format("{}.{}", prefix, name);
      if (!is_set(full_name)) continue;
      mistakes_.add(place(full_name),
                    fmt::format("listener \"{}\" speaks HTTP, where {} has no meaning", listener.name, name),
                    "Remove this line");
    }
  }

  void check_purpose(const std::string& prefix, const ListenerConfig& listener) {
    if (is_misread(prefix + ".purpose")) return;
    const bool forwards = listener.purpose == ListenerConfig::Purpose::Forwarding;
    if (!forwards && !listener.peers.empty()) {
      mistakes_.add(place(prefix + ".peers"),
                    fmt::format("listener \"{}\" has peers although its purpose is not forwarding", listener.name),
                    "Set purpose = \"forwarding\", or remove this line: who submits must log in");
    }
    if (forwards && !is_set("forwarding.domain")) {
      mistakes_.add(place(prefix + ".purpose", prefix),
                    fmt::format("listener \"{}\" forwards, and forwarding.domain is not set", listener.name),
                    "Add a section [forwarding] with domain = \"...\", a domain of this relay");
    }
  }

  void check_listener_files(const std::string& prefix, const ListenerConfig& listener) {
    if (is_misread(prefix + ".tls")) return;
    const std::pair<std::string_view, const std::string*> files[] = {{"certificate_file", &listener.certificate_file},
                                                                     {"key_file", &listener.key_file}};
    for (const auto& [name, path] : files) {
      const std::string full_name = fmt::format("{}.{}", prefix, name);
      if (listener.tls == Tls::None && is_set(full_name)) {
        mistakes_.add(place(full_name), fmt::format("listener \"{}\" has a {} but no TLS", listener.name, name),
                      "Set tls = \"starttls\" or \"implicit\", or remove this line");
      } else if (listener.tls != Tls::None && !is_set(full_name)) {
        mistakes_.add(place(prefix + ".tls", prefix),
                      fmt::format("listener \"{}\" has TLS but no {}", listener.name, name),
                      fmt::format("Add {} = \"/…\" with the path of a PEM file", name));
      } else {
        check_file(full_name, fmt::format("listener.{}", name), *path,
                   "Create it, or write the path of the file that is meant");
      }
    }
    check_client_ca(prefix, listener);
  }

  void check_client_ca(const std::string& prefix, const ListenerConfig& listener) {
    const std::string full_name = prefix + ".client_ca_file";
    if (!is_set(full_name)) return;
    if (listener.tls == Tls::None || listener.protocol == ListenerConfig::Protocol::Http) {
      mistakes_.add(place(full_name),
                    fmt::format("listener \"{}\" has a client_ca_file, and no client logs in with TLS and AUTH there",
                                listener.name),
                    "Remove this line, or set tls = \"starttls\" or \"implicit\"");
      return;
    }
    check_file(full_name, "listener.client_ca_file", listener.client_ca_file,
               "Create it, or write the path of the file that is meant");
  }

  void check_listeners_differ() {
    std::map<std::string, Place> names;
    std::map<std::pair<IpAddress, std::uint16_t>, Place> endpoints;
    for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
      const ListenerConfig& listener = config_.listeners[i];
      const std::string prefix = fmt::format("listener.{}", i);
      if (!listener.name.empty()) {
        const auto [first, is_new] = names.emplace(listener.name, place(prefix + ".name"));
        if (!is_new) {
          mistakes_.add(place(prefix + ".name"),
                        fmt::format("the listener of line {} is called \"{}\" too", first->second.line, listener.name),
                        "Give each listener a name of its own");
        }
      }
      if (is_set(prefix + ".address") && !is_misread(prefix + ".address") && !is_misread(prefix + ".port")) {
        const Place here = place(prefix + ".address");
        const auto [first, is_new] = endpoints.emplace(std::pair(listener.address, listener.port), here);
        if (!is_new) {
          mistakes_.add(here,
                        fmt::format("the listener of line {} has address {} and port {} too", first->second.line,
                                    listener.address.str(), listener.port),
                        "Give each listener another address or port");
        }
      }
    }
  }

  template <class Rule>
  void check_rules_differ(std::string_view section, const std::vector<Rule>& rules) {
    std::map<std::pair<std::string, std::string>, Place> seen;
    for (std::size_t i = 0; i < rules.size(); ++i) {
      if (rules[i].tenant.empty() && rules[i].domain.empty()) continue;  // a mistake already
      const Place here = place(fmt::format("{}.{}", section, i));
      const auto [first, is_new] = seen.emplace(std::pair(rules[i].tenant, rules[i].domain), here);
      if (is_new) continue;
      mistakes_.add(here,
                    fmt::format("the {} of line {} is for the same tenant and domain", section, first->second.line),
                    "Remove one of the two");
    }
  }

  void check_exceptions_differ() {
    std::map<std::string_view, Place> seen;
    for (std::size_t i = 0; i < config_.tls_exceptions.size(); ++i) {
      const std::string& domain = config_.tls_exceptions[i].domain;
      if (domain.empty()) continue;  // a mistake already
      const Place here = place(fmt::format("tls.exception.{}", i));
      const auto [first, is_new] = seen.emplace(domain, here);
      if (is_new) continue;
      mistakes_.add(here, fmt::format("the tls.exception of line {} is for the same domain", first->second.line),
                    "Remove one of the two");
    }
  }

  void check_accounts_differ() {
    std::map<std::string, Place> names;
    std::map<std::uint64_t, Place> users;
    for (std::size_t i = 0; i < config_.accounts.size(); ++i) {
      const AccountConfig& account = config_.accounts[i];
      const std::string prefix = fmt::format("account.{}", i);
      const auto [named, new_name] = names.emplace(account.name, place(prefix + ".name", prefix));
      if (!new_name && !account.name.empty()) {
        mistakes_.add(place(prefix + ".name"),
                      fmt::format("the account of line {} has this name too", named->second.line),
                      "Give each account a name of its own");
      }
      if (account.uid == AccountConfig::kNoUid) continue;
      const auto [used, new_user] = users.emplace(account.uid, place(prefix + ".uid"));
      if (!new_user) {
        mistakes_.add(place(prefix + ".uid"), fmt::format("the account of line {} has this uid too", used->second.line),
                      "Give each local user one account");
      }
    }
    std::map<std::string, Place> tenants;
    for (std::size_t i = 0; i < config_.tenants.size(); ++i) {
      const std::string name = fmt::format("tenant.{}.name", i);
      const auto [first, is_new] = tenants.emplace(config_.tenants[i].name, place(name));
      if (is_new || config_.tenants[i].name.empty()) continue;
      mistakes_.add(place(name), fmt::format("the tenant of line {} has this name too", first->second.line),
                    "Give each tenant one section");
    }
  }

  // Where SCRAM is offered in any case, an account without keys is one that most of its clients cannot log in to.
  void check_scram() {
    for (const ListenerConfig& listener : config_.listeners) {
      if (listener.scram != ListenerConfig::Scram::On) continue;
      for (std::size_t i = 0; i < config_.accounts.size(); ++i) {
        const AccountConfig& account = config_.accounts[i];
        const std::string prefix = fmt::format("account.{}", i);
        if (account.password_hash.empty() || !account.scram_keys.empty() || is_misread(prefix + ".scram_keys"))
          continue;
        mistakes_.add(place(prefix + ".password_hash", prefix),
                      fmt::format("account \"{}\" has no scram_keys, and listener \"{}\" always offers SCRAM",
                                  account.name, listener.name),
                      "Add scram_keys as \"waxwing account hash\" prints them, or set scram = \"ready\" there");
      }
      return;
    }
  }

  void check_lifetimes() {
    if (config_.signature_lifetime > config_.lifetime) return;
    if (is_misread("signing.signature_lifetime") || is_misread("queue.lifetime")) return;
    mistakes_.add(
        place("signing.signature_lifetime", "queue.lifetime"),
        fmt::format("signing.signature_lifetime is {}, not longer than queue.lifetime, which is {}, so that the last "
                    "attempts would deliver signatures that have expired",
                    format_duration(config_.signature_lifetime), format_duration(config_.lifetime)),
        "Make it longer, for instance by a week");
  }

  void check_resolver() {
    if (is_misread("dns.mode") || is_misread("dns.resolver")) return;
    switch (config_.dns_mode) {
      case DnsMode::Stub:
        return check_resolver_is_local();
      case DnsMode::Tls:
        return check_resolver_proves_itself();
      case DnsMode::Recursing:
        return check_file("dns.trust_anchor_file", "dns.trust_anchor_file", config_.trust_anchor_file,
                          "Install the package dns-root-data, or write the path of another file of trust anchors");
    }
  }

  void check_resolver_proves_itself() {
    constexpr std::uint16_t kPlainPort = 53;
    if (!is_set("dns.tls_name") && config_.resolver_tls_pins.empty() && !is_misread("dns.tls_pins")) {
      mistakes_.add(place("dns.mode"), "dns.mode is \"tls\" and nothing says what the resolver must prove",
                    "Add tls_name = \"...\" with the name in its certificate, or tls_pins with its keys");
    }
    if (config_.resolver_port != kPlainPort) return;
    mistakes_.add(
        place("dns.resolver", "dns.mode"),
        "dns.mode is \"tls\" and dns.resolver has port 53, which is that of DNS without TLS",
        fmt::format("Write resolver = \"{}\"",
                    config_.resolver_address.family() == IpAddress::Family::V4 ? "ADDRESS:853" : "[ADDRESS]:853"));
  }

  void check_resolver_is_local() {
    if (config_.resolver_address.is_loopback()) return;
    mistakes_.add(
        place("dns.resolver"),
        fmt::format("dns.resolver is {}, which is not a loopback address: anybody on the way could forge its word on "
                    "DNSSEC",
                    config_.resolver_address.str()),
        "Run a validating resolver such as unbound on this host, and write \"127.0.0.1\"; or set mode = \"tls\"");
  }

  void check_source_addresses() {
    const auto& addresses = config_.source_addresses;
    if (addresses.size() < 2 || addresses[0].family() != addresses[1].family()) return;
    mistakes_.add(place("egress.source_addresses"), "egress.source_addresses has two addresses of the same family",
                  "Write at most one IPv4 and one IPv6 address");
  }

  void check_directories() {
    if (config_.run_directory.size() <= kMaxRunDirectoryOctets) return;
    mistakes_.add(
        place("run_directory"),
        fmt::format("run_directory is {} octets long, too long for the path of a socket", config_.run_directory.size()),
        fmt::format("Choose a path of at most {} octets", kMaxRunDirectoryOctets));
  }

  void check_publishing() {
    const auto require = [this](std::string_view word, std::string_view option, const std::string& value) {
      if (!value.empty() || is_misread(option)) return;
      mistakes_.add(place("rotation.publish"), fmt::format("rotation.publish is \"{}\" without {}", word, option),
                    fmt::format("Set {}; \"waxwing config explain {}\" tells about it", option, option));
    };
    if (config_.publishing == RecordPublishing::ZoneFile)
      require("zone_file", "rotation.zone_directory", config_.zone_directory);
    if (config_.publishing == RecordPublishing::Update)
      require("update", "rotation.tsig_key_file", config_.tsig_key_file);
    if (config_.publishing == RecordPublishing::Command)
      require("command", "rotation.publish_program", config_.publish_program);
    for (const auto& [option, path] : {std::pair("rotation.tsig_key_file", config_.tsig_key_file),
                                       std::pair("rotation.reload_program", config_.reload_program),
                                       std::pair("rotation.publish_program", config_.publish_program)})
      check_file(option, option, path, "Write the path of a file that exists");
  }

  void check_keys() {
    if (config_.signer_socket.size() > kMaxSocketPathOctets) {
      mistakes_.add(place("signer.socket"),
                    fmt::format("signer.socket is {} octets long, too long for the path of a socket",
                                config_.signer_socket.size()),
                    fmt::format("Choose a path of at most {} octets", kMaxSocketPathOctets));
    }
  }

  void check_file(std::string_view place_name, std::string_view option, const std::string& path, std::string remedy) {
    if (path.empty() || !surroundings_.file_is_missing(path)) return;
    mistakes_.add(place(place_name), fmt::format("{} is \"{}\", and there is no such file", option, path),
                  std::move(remedy));
  }

  const Config& config_;
  const Settings& settings_;
  const ConfigSurroundings& surroundings_;
  MistakeList& mistakes_;
};

}  // namespace

void check_config(const Config& config, const Settings& settings, const ConfigSurroundings& surroundings,
                  MistakeList& mistakes) {
  Checks(config, settings, surroundings, mistakes).run();
}

}  // namespace waxwing
