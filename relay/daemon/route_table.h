#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "policy/domain_name.h"
#include "policy/ip_address.h"
#include "policy/result.h"
#include "relay/config/config.h"
#include "relay/config/route_choice.h"
#include "transport/delivery/delivery_route.h"

namespace waxwing {

/// The routes of the configuration with their authorities and passwords. Immutable but for the passwords, and so to be
/// used from all threads.
class RouteTable {
 public:
  enum class Logins {
    Load,
    Leave,  ///< for who sends nothing, and may not be allowed to read the passwords
  };

  /// @param config  must outlive the table
  /// @errors  NotFound, Denied, Malformed: a ca_file or password_file; the detail names the route and the file
  [[nodiscard]] static Result<std::unique_ptr<const RouteTable>> create(const Config& config, Logins logins);

  /// By which route mail of a tenant for a domain goes; nullptr: by its MX.
  [[nodiscard]] std::shared_ptr<const DeliveryRoute> find(std::string_view tenant,
                                                          const DomainName& recipient_domain) const;

  /// What such mail shares its connections and its limits with: "route NAME", which is no domain; empty: with its domain.
  [[nodiscard]] std::string destination(std::string_view tenant, std::string_view recipient_domain) const;

  /// The destination of all mail of a route.
  [[nodiscard]] static std::string destination_of(std::string_view route) { return "route " + std::string(route); }

  /// From which addresses receivers see mail of a tenant for some domains; empty: for one of them that is not known.
  /// @param direct  from which they see what goes by no route
  [[nodiscard]] std::vector<IpAddress> egress_addresses(std::string_view tenant,
                                                        const std::vector<std::string>& recipient_domains,
                                                        const std::vector<IpAddress>& direct) const;

  /// Reads all passwords anew. One that cannot be read stays what it was.
  /// @return  what could not be read; the details name route and file
  [[nodiscard]] std::vector<Error> reload_passwords() const;

  /// Routes that log in.
  [[nodiscard]] std::size_t logins() const;

 private:
  explicit RouteTable(const Config& config) : config_(config), choice_(config) {}

  const Config& config_;
  RouteChoice choice_;
  std::vector<std::shared_ptr<const DeliveryRoute>>
      routes_;                                      // as in the configuration; nullptr for those that are direct
  std::vector<std::shared_ptr<LoginSlot>> logins_;  // likewise; nullptr: there is no login
};

}  // namespace waxwing
