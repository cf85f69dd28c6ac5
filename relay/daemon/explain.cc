#include "relay/daemon/explain.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "relay/config/egress_rules.h"
#include "relay/config/tls_rules.h"
#include "relay/daemon/configured_resolver.h"
#include "relay/daemon/network.h"
#include "relay/daemon/plan_json.h"
#include "relay/daemon/protection_findings.h"
#include "relay/daemon/route_table.h"
#include "relay/observe/event_log.h"
#include "relay/store/queue_reader.h"
#include "transport/io/event_loop.h"
#include "transport/io/timer.h"

namespace waxwing {
namespace {

// Of no message in particular.
TlsDemands demands_of_no_message(const Config& config, std::string_view tenant, const DomainName& domain) {
  return tls_demands(config, tenant, domain, TlsRequest::None,
                     std::chrono::time_point_cast<Milliseconds>(std::chrono::system_clock::now()));
}

// A certificate by a public authority is asked of each host in place of what its domain publishes, as an enforced policy
// would ask for it.
TlsDemands demands_of_probe(const Config& config, const DomainName& domain, ProbedProtection by) {
  if (by == ProbedProtection::Any) return demands_of_no_message(config, {}, domain);
  TlsDemands demands;
  if (by == ProbedProtection::Sts)
    demands.exception = TlsException{TlsLevel::Verified, "a probe of MTA-STS", WallTime()};
  return demands;
}

// In place of the sentence about an exception, of which nobody but demands_of_probe() knows.
void tell_why_certificates_count(nlohmann::json& result) {
  for (nlohmann::json& host : result["hosts"]) {
    if (host["requirement"] == "pkix")
      host["reason"] = "As an enforced policy asks, a public authority must vouch for the name (RFC 8461 §4.2).";
  }
}

void conclude(const std::vector<std::string>& findings, nlohmann::json& result) {
  result["protected"] = findings.empty();
  result["findings"] = findings;
}

// By which route mail goes; nullptr: by the MX of the domain. Passwords are no business of who only looks.
Result<std::shared_ptr<const Route>> route_of(const Config& config, std::string_view tenant, const DomainName& domain) {
  auto table = RouteTable::create(config, RouteTable::Logins::Leave);
  if (!table) return tl::unexpected(table.error());
  const auto route = (*table)->find(tenant, domain);
  return route ? route->plan : nullptr;
}

// From where mail of a tenant leaves, by a route as well as by the MX; null: no sources are configured.
nlohmann::json egress_json(const Config& config, std::string_view tenant, const DomainName& domain) {
  const EgressLayout layout = egress_layout(config);
  if (!layout.is_configured) return nullptr;
  const std::string_view name = egress_pool(layout, config.egress_rules, tenant, domain);
  nlohmann::json result = {{"pool", name}, {"sources", nlohmann::json::array()}};
  for (const EgressPoolConfig& pool : layout.pools) {
    if (pool.name != name) continue;
    for (const EgressShare& share : pool.sources) result["sources"].push_back(share.source);
  }
  return result;
}

// Whether what the running relay keeps about domains counts.
enum class Memory { Kept, None };

// Asks one question of the network with a loop of its own; `ask` is to set the answer and stop the loop.
template <class Ask>
Result<nlohmann::json> ask_network(const Config& config, Milliseconds time_limit, Memory memory, const Ask& ask) {
  auto anchors = load_trust_anchors(config.ca_file);
  if (!anchors) return tl::unexpected(anchors.error());
  EventLoop loop;
  EventLog log(EventLog::Format::Text, Severity::Warning, STDERR_FILENO, [&loop] { return loop.wall_now(); });
  // Without a store yet, or without the right to read it, the policies that the relay keeps are not known: say the
  // rest.
  auto reader = QueueReader::open(config.state_directory);
  auto network =
      Network::create(loop, config, log, *anchors, reader && memory == Memory::Kept ? &*reader : nullptr, nullptr);
  if (!network) return tl::unexpected(network.error());

  std::optional<nlohmann::json> result;
  Timer limit(loop, [&loop] { loop.stop(); });
  limit.start(time_limit);
  ask((*network)->agent(), [&](nlohmann::json answer) {
    result = std::move(answer);
    loop.stop();
  });
  loop.run();
  if (!result) {
    return fail(ErrorKind::Unavailable,
                fmt::format("there was no answer within {} seconds; is the resolver {} up?",
                            std::chrono::duration_cast<Seconds>(time_limit).count(), resolver_name(config)));
  }
  if (!reader && memory == Memory::Kept) (*result)["mta_sts"]["cache"] = "not readable: " + reader.error().detail;
  return std::move(*result);
}

}  // namespace

Result<nlohmann::json> explain_address(const Config& config, const MailAddress& address, const std::string& tenant) {
  const auto route = route_of(config, tenant, address.domain);
  if (!route) return tl::unexpected(route.error());
  auto result = ask_network(config, kExplainTimeLimit, Memory::Kept, [&](DeliveryAgent& agent, const auto& on_answer) {
    agent.plan(address.domain, demands_of_no_message(config, tenant, address.domain), *route,
               [&address, on_answer](const DestinationPlan& plan, const Answers& answers) {
                 on_answer(plan_json(address.domain, plan, answers));
               });
  });
  if (!result) return result;
  (*result)["address"] = address.str();
  (*result)["egress"] = egress_json(config, tenant, address.domain);
  return result;
}

Result<nlohmann::json> probe_domain(const Config& config, const DomainName& domain, ProbedProtection by) {
  auto route = by == ProbedProtection::Any ? route_of(config, {}, domain) : std::shared_ptr<const Route>();
  if (!route) return tl::unexpected(route.error());
  const Memory memory = by == ProbedProtection::Any ? Memory::Kept : Memory::None;
  return ask_network(config, kProbeTimeLimit, memory, [&](DeliveryAgent& agent, const auto& on_answer) {
    agent.probe(domain, demands_of_probe(config, domain, by), *route,
                [&domain, by, on_answer](const DestinationPlan& plan, const Answers& answers,
                                         const std::vector<ProbedHost>& hosts) {
                  nlohmann::json result = probe_json(domain, plan, answers, hosts);
                  if (by == ProbedProtection::Dane) conclude(dane_findings(domain, plan, hosts), result);
                  if (by == ProbedProtection::Sts) {
                    tell_why_certificates_count(result);
                    conclude(sts_findings(domain, plan, hosts), result);
                  }
                  on_answer(std::move(result));
                });
  });
}

}  // namespace waxwing
