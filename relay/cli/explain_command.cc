#include "relay/cli/explain_command.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "relay/cli/json_text.h"

namespace waxwing {
namespace {

using json = nlohmann::json;

// "lost" is the reason itself where mail waits for what was lost.
void print_reasons(const json& plan, Output& output) {
  const std::string reason = json_text(plan, "reason");
  const std::string lost = json_text(plan, "lost");
  for (const std::string& sentence : {reason, lost == reason ? std::string() : lost}) {
    if (!sentence.empty()) output.add_line("  " + sentence);
  }
}

void print_route(const json& plan, Output& output) {
  const std::string route = json_text(plan, "route");
  if (!route.empty()) output.add_line(fmt::format("Route: {}, in place of the MX records of the domain", route));
}

void print_egress(const json& egress, Output& output) {
  const std::string pool = json_text(egress, "pool");
  if (!pool.empty())
    output.add_line(
        fmt::format("Egress: pool {}, sources {}", pool, json_list(json_member(egress, "sources"), "none")));
}

void print_sts(const json& sts, Output& output) {
  const std::string mode = json_text(sts, "mode");
  output.add_line(mode.empty() ? fmt::format("MTA-STS: {}", json_text(sts, "detail"))
                               : fmt::format("MTA-STS: mode {}, mx {}, max_age {} s; {}", mode,
                                             json_list(json_member(sts, "mx"), "none"), json_text(sts, "max_age"),
                                             json_text(sts, "detail")));
  if (const std::string cache = json_text(sts, "cache"); !cache.empty())
    output.add_line(fmt::format("  Cache: {}", cache));
}

void print_tlsa(const json& host, Output& output) {
  const std::string status = json_text(host, "tlsa_status");
  if (status.empty()) return output.add_line("  TLSA: not looked up, because the addresses are not secure");
  const json& records = json_member(host, "tlsa");
  output.add_line(fmt::format("  TLSA: {} at {}{}", status, json_text(host, "tlsa_base_domain"),
                              records.empty() ? ", no records" : ""));
  for (const json& record : records) {
    const bool usable = json_member(record, "usable") == json(true);
    output.add_line(fmt::format("    {} ({})", json_text(record, "record"), usable ? "usable" : "not usable"));
  }
}

void print_host(const json& host, Output& output) {
  output.add_line(fmt::format("Host {}, preference {}", json_text(host, "mx"), json_text(host, "preference")));
  const std::string port = json_text(host, "port");
  if (!port.empty() && port != "25") output.add_line(fmt::format("  Port: {}", port));
  output.add_line(fmt::format("  MX: {}", json_text(host, "mx_status")));
  output.add_line(fmt::format("  Addresses: {}, {}", json_list(json_member(host, "addresses"), "none"),
                              json_text(host, "address_status")));
  print_tlsa(host, output);
  output.add_line(fmt::format("  Requirement: {}, level {}", json_text(host, "requirement"), json_text(host, "level")));
  output.add_line(fmt::format("    {}", json_text(host, "reason")));
}

void print_session(const json& session, Output& output) {
  if (json_member(session, "ready") == json(true)) {
    output.add_line(fmt::format("  Session with {}: {}, level {} by {}; offers {}", json_text(session, "peer"),
                                json_text(session, "tls"), json_text(session, "level"), json_text(session, "method"),
                                json_list(json_member(session, "extensions"), "no extension")));
    return;
  }
  const std::string type = json_text(session, "result_type");
  output.add_line(fmt::format("  Session with {} failed: {} ({}{})", json_text(session, "peer"),
                              json_text(session, "failure"), json_text(session, "status"),
                              type.empty() ? "" : ", " + type));
}

void print_findings(const json& probe, std::string_view protection, Output& output) {
  const bool holds = json_member(probe, "protected") == json(true);
  output.add_line(fmt::format("{} {} mail to {}{}", protection, holds ? "protects" : "does not protect",
                              json_text(probe, "domain"), holds ? "" : ":"));
  for (const json& finding : json_member(probe, "findings")) {
    if (finding.is_string()) output.add_line("  " + finding.get<std::string>());
  }
}

void print_fact(const json& fact, Output& output) {
  std::string line =
      fmt::format("  {} {}: {}", json_text(fact, "name"), json_text(fact, "type"), json_text(fact, "status"));
  if (const std::string detail = json_text(fact, "detail"); !detail.empty()) line += fmt::format(", {}", detail);
  if (const std::string target = json_text(fact, "canonical_name"); !target.empty())
    line += fmt::format(", is {}", target);
  if (json_member(fact, "nxdomain") == json(true)) line += ", no such name";
  if (json_member(fact, "records").is_array()) {
    line += fmt::format(", {}, TTL {}", json_list(json_member(fact, "records"), "no records"), json_text(fact, "ttl"));
  }
  output.add_line(line);
}

}  // namespace

void print_explanation(const json& explanation, Output& output) {
  output.add_object(explanation);
  const std::string status = json_text(explanation, "status");
  output.add_line(fmt::format("{}: {}{}", json_text(explanation, "address"), json_text(explanation, "outcome"),
                              status.empty() ? "" : " (" + status + ")"));
  print_route(explanation, output);
  print_egress(json_member(explanation, "egress"), output);
  print_reasons(explanation, output);
  print_sts(json_member(explanation, "mta_sts"), output);
  for (const json& host : json_member(explanation, "hosts")) print_host(host, output);
  output.add_line("DNS answers:");
  for (const json& fact : json_member(explanation, "facts")) print_fact(fact, output);
}

void print_probe(const json& probe, std::string_view protection, Output& output) {
  output.add_object(probe);
  if (!protection.empty()) print_findings(probe, protection, output);
  const std::string status = json_text(probe, "status");
  output.add_line(fmt::format("{}: {}{}", json_text(probe, "domain"), json_text(probe, "outcome"),
                              status.empty() ? "" : " (" + status + ")"));
  print_route(probe, output);
  print_reasons(probe, output);
  print_sts(json_member(probe, "mta_sts"), output);
  for (const json& host : json_member(probe, "hosts")) {
    print_host(host, output);
    const json& session = json_member(host, "session");
    if (session.is_object()) print_session(session, output);
  }
}

}  // namespace waxwing
