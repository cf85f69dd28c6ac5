#include "relay/config/egress_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/ascii.h"
#include "relay/config/load_config.h"
#include "relay/config/schema.h"
#include "relay/config/spelling.h"

namespace waxwing {
namespace {

// RFC 5321 §2.3.5: letters, digits and hyphens, fully qualified.
bool is_host_name(std::string_view name) {
  const bool spelled = std::ranges::all_of(name, [](char c) { return is_ascii_alnum(c) || c == '-' || c == '.'; });
  return spelled && name.find('.') != std::string_view::npos;
}

bool is_unspecified(const IpAddress& address) {
  return std::ranges::all_of(address.octets(), [](std::uint8_t octet) { return octet == 0; });
}

class EgressChecks {
 public:
  EgressChecks(const Config& config, const Settings& settings, MistakeList& mistakes)
      : config_(config), settings_(settings), mistakes_(mistakes) {
    for (const EgressSourceConfig& source : config.egress_sources) sources_.insert(source.name);
    for (const EgressPoolConfig& pool : config.egress_pools) pools_.insert(pool.name);
  }

  void run() {
    check_old_addresses();
    if (config_.egress_sources.size() > kMaxEgressSources) {
      mistakes_.add(place("egress.source.0"), fmt::format("there are {} sources", config_.egress_sources.size()),
                    fmt::format("Have at most {}", kMaxEgressSources));
    }
    check_names_differ("source", config_.egress_sources);
    check_names_differ("pool", config_.egress_pools);
    check_names_differ("pause", config_.egress_pauses);
    for (std::size_t i = 0; i < config_.egress_sources.size(); ++i) check_source(i, config_.egress_sources[i]);
    for (std::size_t i = 0; i < config_.egress_pools.size(); ++i) check_pool(i, config_.egress_pools[i]);
    for (std::size_t i = 0; i < config_.egress_rules.size(); ++i)
      check_pool_exists(fmt::format("egress.rule.{}.pool", i), config_.egress_rules[i].pool);
    check_default_pool();
  }

 private:
  [[nodiscard]] bool is_set(const std::string& name) const { return settings_.contains(name); }

  [[nodiscard]] bool is_misread(const std::string& name) const {
    const auto found = settings_.find(name);
    return found != settings_.end() && !found->second.understood;
  }

  [[nodiscard]] Place place(std::string_view name) const {
    const auto found = settings_.find(name);
    return found == settings_.end() ? Place() : found->second.place;
  }

  void check_old_addresses() {
    if (config_.egress_sources.empty()) return;
    for (const auto& [name, addresses] : {std::pair("egress.addresses", &config_.egress_addresses),
                                          std::pair("egress.source_addresses", &config_.source_addresses)}) {
      if (addresses->empty()) continue;
      mistakes_.add(place(name), fmt::format("{} has no meaning where there is an [[egress.source]]", name),
                    "Move what it says to the addresses and public_addresses of a source, and remove it");
    }
  }

  template <class Named>
  void check_names_differ(std::string_view section, const std::vector<Named>& all) {
    std::map<std::string_view, Place> seen;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Place here = place(fmt::format("egress.{}.{}.name", section, i));
      if (all[i].name.empty()) continue;  // a mistake already
      const auto [first, is_new] = seen.emplace(all[i].name, here);
      if (is_new) continue;
      mistakes_.add(here,
                    fmt::format("the {} of line {} is called \"{}\" too", section, first->second.line, all[i].name),
                    fmt::format("Give each {} a name of its own", section));
    }
  }

  void check_source(std::size_t index, const EgressSourceConfig& source) {
    const std::string prefix = fmt::format("egress.source.{}", index);
    check_addresses(prefix, source);
    if (!source.helo_name.empty() && !is_host_name(source.helo_name)) {
      mistakes_.add(place(prefix + ".helo_name"),
                    fmt::format("helo_name of source \"{}\" is \"{}\", which is no name of a host", source.name,
                                source.helo_name),
                    "Write a full name of letters, digits and \"-\", such as \"mail-1.example.org\"");
    }
    const bool has_start = is_set(prefix + ".warm_up_start");
    const bool has_days = is_set(prefix + ".warm_up_per_day");
    if (has_start == has_days) return;
    mistakes_.add(
        place(prefix + (has_start ? ".warm_up_start" : ".warm_up_per_day")),
        fmt::format("source \"{}\" has {} without {}", source.name, has_start ? "warm_up_start" : "warm_up_per_day",
                    has_start ? "warm_up_per_day" : "warm_up_start"),
        fmt::format("Add a line such as {}",
                    has_start ? "warm_up_per_day = [50, 100, 200]" : "warm_up_start = 2026-11-01"));
  }

  void check_addresses(const std::string& prefix, const EgressSourceConfig& source) {
    const std::string name = prefix + ".addresses";
    if (!is_set(name) || is_misread(name)) return;
    const std::vector<IpAddress>& addresses = source.addresses;
    if (addresses.empty()) {
      mistakes_.add(place(name), fmt::format("source \"{}\" has no address", source.name),
                    "Write one IPv4 address, one IPv6 address, or both");
    }
    if (addresses.size() == 2 && addresses[0].family() == addresses[1].family()) {
      mistakes_.add(place(name), fmt::format("source \"{}\" has two addresses of the same family", source.name),
                    "Write at most one IPv4 and one IPv6 address, and make another source of the other");
    }
    for (const IpAddress& address : addresses) {
      if (is_unspecified(address)) {
        mistakes_.add(place(name), fmt::format("{} is no address from which mail can leave", address.str()),
                      "Write an address of this host");
      }
      const auto [first, is_new] = address_owners_.emplace(address, std::pair(source.name, place(name)));
      if (is_new || is_unspecified(address)) continue;
      mistakes_.add(place(name),
                    fmt::format("source \"{}\" of line {} has address {} too", first->second.first,
                                first->second.second.line, address.str()),
                    "Give each source addresses of its own");
    }
  }

  void check_pool(std::size_t index, const EgressPoolConfig& pool) {
    const Place here = place(fmt::format("egress.pool.{}.sources", index));
    std::set<std::string_view> seen;
    for (const EgressShare& share : pool.sources) {
      if (!sources_.contains(share.source)) {
        complain_unknown(here, "source", share.source, sources_, fmt::format("pool \"{}\"", pool.name));
      } else if (!seen.insert(share.source).second) {
        mistakes_.add(here, fmt::format("pool \"{}\" has source \"{}\" twice", pool.name, share.source),
                      "Name it once, and give it a weight where it is to get more: {mail-1 = 2, mail-2 = 1}");
      }
    }
  }

  void check_pool_exists(const std::string& name, const std::string& pool) {
    if (pool.empty() || is_misread(name) || pools_.contains(pool)) return;
    complain_unknown(place(name), "pool", pool, pools_, name == "egress.default_pool" ? name : "this rule");
  }

  void check_default_pool() {
    check_pool_exists("egress.default_pool", config_.default_pool);
    if (config_.egress_pools.size() < 2 || is_set("egress.default_pool")) return;
    mistakes_.add(place("egress.pool.1"), "there are several pools, and nothing says which one is for the rest",
                  fmt::format("Add default_pool = \"{}\" to [egress], above the first [[egress.…]]",
                              config_.egress_pools.front().name));
  }

  void complain_unknown(Place here, std::string_view kind, const std::string& name,
                        const std::set<std::string_view>& known, const std::string& who) {
    const std::string_view nearest = nearest_word(name, std::vector<std::string_view>(known.begin(), known.end()));
    mistakes_.add(here, fmt::format("{} names {} \"{}\", and there is no such {}", who, kind, name, kind),
                  nearest.empty() ? fmt::format("Add an [[egress.{}]] of that name, or name another", kind)
                                  : fmt::format("Did you mean \"{}\"?", nearest));
  }

  const Config& config_;
  const Settings& settings_;
  MistakeList& mistakes_;
  std::set<std::string_view> sources_;
  std::set<std::string_view> pools_;
  std::map<IpAddress, std::pair<std::string, Place>> address_owners_;
};

}  // namespace

void check_egress_config(const Config& config, const Settings& settings, MistakeList& mistakes) {
  EgressChecks(config, settings, mistakes).run();
}

}  // namespace waxwing
