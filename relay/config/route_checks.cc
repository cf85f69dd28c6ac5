#include "relay/config/route_checks.h"

#include <fmt/format.h>

#include <map>
#include <string_view>
#include <utility>

#include "relay/config/route_config.h"

namespace waxwing {
namespace {

constexpr std::uint16_t kSubmissionsPort = 465;

// Where the service manager puts credentials, which are there only while the service runs.
constexpr std::string_view kCredentials = "/run/credentials/";

class RouteChecks {
 public:
  RouteChecks(const Config& config, const Settings& settings, const ConfigSurroundings& surroundings,
              MistakeList& mistakes)
      : config_(config), settings_(settings), surroundings_(surroundings), mistakes_(mistakes) {}

  void run() {
    for (std::size_t i = 0; i < config_.routes.size(); ++i) check(fmt::format("route.{}", i), config_.routes[i]);
  }

 private:
  [[nodiscard]] bool is_set(const std::string& name) const { return settings_.contains(name); }

  [[nodiscard]] bool is_misread(const std::string& name) const {
    const auto found = settings_.find(name);
    return found != settings_.end() && !found->second.understood;
  }

  [[nodiscard]] Place place(const std::string& name, const std::string& belongs_to) const {
    for (const std::string& candidate : {name, belongs_to}) {
      const auto found = settings_.find(candidate);
      if (found != settings_.end()) return found->second.place;
    }
    return {};
  }

  void complain(const std::string& prefix, std::string_view option, std::string problem, std::string remedy) {
    mistakes_.add(place(fmt::format("{}.{}", prefix, option), prefix), std::move(problem), std::move(remedy));
  }

  void check(const std::string& prefix, const RouteConfig& route) {
    check_differs(prefix, route);
    if (route.direct) {
      check_direct(prefix, route);
    } else {
      check_hops(prefix, route);
      check_file(prefix, "ca_file", route.ca_file);
      check_login(prefix, route);
    }
  }

  void check_differs(const std::string& prefix, const RouteConfig& route) {
    if (!route.name.empty()) {
      const auto [first, is_new] = names_.emplace(route.name, place(prefix + ".name", prefix));
      if (!is_new) {
        complain(prefix, "name",
                 fmt::format("the route of line {} is called \"{}\" too", first->second.line, route.name),
                 "Give each route a name of its own");
      }
    }
    for (const std::string& domain : route.domains) {
      const auto [first, is_new] = taken_.emplace(std::pair(route.tenant, domain), place(prefix + ".domains", prefix));
      if (is_new || is_misread(prefix + ".domains")) continue;
      complain(prefix, "domains", fmt::format("\"{}\" stands in a route of line {} too", domain, first->second.line),
               "Leave it in one of the two, or give them different tenants");
    }
  }

  void check_direct(const std::string& prefix, const RouteConfig& route) {
    for (const std::string_view name :
         {"next_hops", "mx", "tls", "ca_file", "pins", "user", "password_file", "egress_addresses"}) {
      if (!is_set(fmt::format("{}.{}", prefix, name))) continue;
      complain(prefix, name, fmt::format("route \"{}\" is direct, where {} has no meaning", route.name, name),
               "Remove this line, or direct");
    }
  }

  void check_hops(const std::string& prefix, const RouteConfig& route) {
    if (is_misread(prefix + ".next_hops")) return;
    if (route.next_hops.empty()) {
      return complain(prefix, "next_hops", fmt::format("route \"{}\" leads nowhere", route.name),
                      "Add a line such as next_hops = [\"smtp.example.net:587\"], or direct = true");
    }
    if (route.mx && route.next_hops.size() > 1) {
      complain(prefix, "mx", fmt::format("route \"{}\" goes by MX records and has more than one next hop", route.name),
               "Leave one domain in next_hops, whose MX records name the hosts");
    }
    for (const std::string& text : route.next_hops) {
      const auto hop = parse_next_hop(text);
      if (hop) check_hop(prefix, route, text, *hop);
    }
  }

  void check_hop(const std::string& prefix, const RouteConfig& route, const std::string& text, const NextHopText& hop) {
    if (hop.port == kSubmissionsPort && route.tls == RouteConfig::Tls::StartTls && !is_misread(prefix + ".tls")) {
      complain(prefix, "next_hops",
               fmt::format("{} has the port on which TLS begins at once, and tls is \"starttls\"", text),
               "Add tls = \"implicit\", or write the port of STARTTLS, which is mostly 587");
    }
    if (!hop.address) return;
    if (route.mx) {
      complain(prefix, "next_hops", fmt::format("{} is an address, which has no MX records", text),
               "Write a domain, or remove mx");
    } else if (route.pins.empty() && !is_misread(prefix + ".pins")) {
      complain(prefix, "next_hops", fmt::format("{} is an address, for which no certificate can be checked", text),
               "Write the name of the host, or add pins with the fingerprint of its key");
    }
  }

  void check_login(const std::string& prefix, const RouteConfig& route) {
    if (route.user.empty() != route.password_file.empty() && !is_misread(prefix + ".user") &&
        !is_misread(prefix + ".password_file")) {
      const bool no_user = route.user.empty();
      complain(prefix, no_user ? "password_file" : "user",
               fmt::format("route \"{}\" has a {} and no {}", route.name, no_user ? "password_file" : "user",
                           no_user ? "user" : "password_file"),
               no_user ? "Add a line such as user = \"relay@example.org\""
                       : "Add a line such as password_file = \"/etc/waxwing/smarthost.password\"");
    }
    if (!route.password_file.starts_with(kCredentials)) check_file(prefix, "password_file", route.password_file);
  }

  void check_file(const std::string& prefix, std::string_view option, const std::string& path) {
    if (path.empty() || !surroundings_.file_is_missing(path)) return;
    complain(prefix, option, fmt::format("route.{} is \"{}\", and there is no such file", option, path),
             "Create it, or write the path of the file that is meant");
  }

  const Config& config_;
  const Settings& settings_;
  const ConfigSurroundings& surroundings_;
  MistakeList& mistakes_;
  std::map<std::string, Place> names_;
  std::map<std::pair<std::string, std::string>, Place> taken_;
};

}  // namespace

void check_routes(const Config& config, const Settings& settings, const ConfigSurroundings& surroundings,
                  MistakeList& mistakes) {
  RouteChecks(config, settings, surroundings, mistakes).run();
}

}  // namespace waxwing
