#include "relay/daemon/route_table.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "keys/private_file.h"
#include "policy/base64.h"
#include "relay/daemon/network.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxPasswordOctets = 255;  // as RFC 4616 §2 lets servers limit it
constexpr std::size_t kMaxPasswordFileOctets = 4'096;
constexpr std::size_t kMaxAuthoritiesOctets = 8U << 20;
constexpr std::uint16_t kSubmissionsPort = 465;  // RFC 8314 §3.3

// The first line of the file.
Result<std::shared_ptr<const SmtpLogin>> load_login(const RouteConfig& config) {
  const auto file = read_private_file(config.password_file, ::geteuid(), kMaxPasswordFileOctets);
  if (!file) {
    return fail(file.error().kind,
                fmt::format("the password of route '{}' cannot be read: {}", config.name, file.error().detail));
  }
  std::string_view line = file->reveal();
  line = line.substr(0, line.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  const bool fits = !line.empty() && line.size() <= kMaxPasswordOctets && line.find('\0') == std::string_view::npos;
  if (!fits || config.user.size() > kMaxPasswordOctets) {
    return fail(
        ErrorKind::Malformed,
        fmt::format("the first line of '{}' is no password of route '{}': user and password have 1 to {} octets",
                    config.password_file, config.name, kMaxPasswordOctets));
  }
  return std::make_shared<const SmtpLogin>(SmtpLogin{config.user, Secret(line)});
}

Result<std::shared_ptr<const TrustAnchors>> load_authorities(const RouteConfig& config) {
  if (config.ca_file.empty() || !config.pins.empty()) return std::shared_ptr<const TrustAnchors>();
  const auto pem = read_file(config.ca_file, kMaxAuthoritiesOctets);
  if (!pem) return fail(pem.error().kind, fmt::format("ca_file of route '{}': {}", config.name, pem.error().detail));
  auto anchors = TrustAnchors::from_pem(*pem);
  if (!anchors) {
    return fail(anchors.error().kind,
                fmt::format("ca_file of route '{}': {}: {}", config.name, config.ca_file, anchors.error().detail));
  }
  return std::make_shared<const TrustAnchors>(std::move(*anchors));
}

// What load_config() has checked cannot fail here.
Route plan_of(const RouteConfig& config, std::uint16_t smtp_port) {
  Route route;
  route.tls.route = config.name;
  route.tls.by_mx = config.mx;
  route.tls.logs_in = !config.user.empty();
  for (const std::string& pin : config.pins) route.tls.pins.push_back(decode_base64(pin).value());
  const bool implicit = config.tls == RouteConfig::Tls::Implicit;
  route.tls_start = implicit ? Route::TlsStart::Implicit : Route::TlsStart::StartTls;
  for (const std::string& text : config.next_hops) {
    NextHopText hop = parse_next_hop(text).value();
    const std::uint16_t port = hop.port.value_or(implicit ? kSubmissionsPort : smtp_port);
    if (config.mx) {
      route.mx_domain = DomainName::parse(hop.name).value();
      route.mx_port = port;
    } else {
      route.hops.push_back({std::move(hop.name), hop.address, port});
    }
  }
  return route;
}

}  // namespace

Result<std::unique_ptr<const RouteTable>> RouteTable::create(const Config& config, Logins logins) {
  std::unique_ptr<RouteTable> table(new RouteTable(config));
  for (const RouteConfig& its_config : config.routes) {
    table->routes_.emplace_back();
    table->logins_.emplace_back();
    if (its_config.direct) continue;
    Route plan = plan_of(its_config, config.smtp_port);
    auto authorities = load_authorities(its_config);
    if (!authorities) return tl::unexpected(authorities.error());
    plan.tls.authorities = std::move(*authorities);
    DeliveryRoute route{std::make_shared<const Route>(std::move(plan)), {}};
    if (route.plan->tls.logs_in && logins == Logins::Load) {
      auto login = load_login(its_config);
      if (!login) return tl::unexpected(login.error());
      const auto slot = table->logins_.back() = std::make_shared<LoginSlot>();
      slot->set(std::move(*login));
      route.login = slot;
    }
    table->routes_.back() = std::make_shared<const DeliveryRoute>(std::move(route));
  }
  return table;
}

std::shared_ptr<const DeliveryRoute> RouteTable::find(std::string_view tenant,
                                                      const DomainName& recipient_domain) const {
  const auto index = choice_.find(tenant, recipient_domain);
  return index ? routes_[*index] : nullptr;
}

std::string RouteTable::destination(std::string_view tenant, std::string_view recipient_domain) const {
  if (routes_.empty()) return {};
  const auto domain = DomainName::parse(recipient_domain);
  const auto route = domain ? find(tenant, *domain) : nullptr;
  return route ? destination_of(route->plan->tls.route) : std::string();
}

std::vector<IpAddress> RouteTable::egress_addresses(std::string_view tenant,
                                                    const std::vector<std::string>& recipient_domains,
                                                    const std::vector<IpAddress>& direct) const {
  if (routes_.empty()) return direct;
  std::vector<IpAddress> addresses;
  for (const std::string& name : recipient_domains) {
    const auto domain = DomainName::parse(name);
    const auto index = domain ? choice_.find(tenant, *domain) : std::nullopt;
    const auto& these = index ? config_.routes[*index].egress_addresses : direct;
    if (these.empty()) return {};
    addresses.insert(addresses.end(), these.begin(), these.end());
  }
  std::ranges::sort(addresses);
  const auto repeated = std::ranges::unique(addresses);
  addresses.erase(repeated.begin(), repeated.end());
  return addresses;
}

std::vector<Error> RouteTable::reload_passwords() const {
  std::vector<Error> errors;
  for (std::size_t i = 0; i < logins_.size(); ++i) {
    if (!logins_[i]) continue;
    auto login = load_login(config_.routes[i]);
    if (login)
      logins_[i]->set(std::move(*login));
    else
      errors.push_back(std::move(login.error()));
  }
  return errors;
}

std::size_t RouteTable::logins() const {
  return static_cast<std::size_t>(std::ranges::count_if(logins_, [](const auto& slot) { return slot != nullptr; }));
}

}  // namespace waxwing
