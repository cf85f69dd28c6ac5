#include "relay/daemon/plan_json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace waxwing {
namespace {

using nlohmann::json;

// Texts of remote servers may hold any octets; what is not UTF-8 is replaced rather than refused.
std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string_view status_name(Answer::Status status) {
  switch (status) {
    case Answer::Status::Secure:
      return "secure";
    case Answer::Status::Insecure:
      return "insecure";
    case Answer::Status::Bogus:
      return "bogus";
    case Answer::Status::Failed:
      return "failed";
  }
  return "failed";
}

struct RecordText {
  std::string operator()(const IpAddress& address) const { return address.str(); }
  std::string operator()(const MxRecord& mx) const { return fmt::format("{} {}", mx.preference, mx.exchange); }
  std::string operator()(const TxtRecord& txt) const { return txt.text; }
  std::string operator()(const PtrRecord& ptr) const { return ptr.name; }
  std::string operator()(const TlsaRdata& tlsa) const {
    const auto record = TlsaRecord::from_rdata(tlsa.octets);
    return record ? record->str() : "malformed: " + record.error().detail;
  }
};

json fact_json(const Question& question, const Answer& answer) {
  json fact = {
      {"name", question.name}, {"type", record_type_name(question.type)}, {"status", status_name(answer.status)}};
  if (!answer.usable()) {
    fact["detail"] = answer.detail;
    return fact;
  }
  if (!answer.name_exists) fact["nxdomain"] = true;
  if (!answer.canonical_name.empty() && answer.canonical_name != question.name)
    fact["canonical_name"] = answer.canonical_name;
  fact["ttl"] = answer.ttl_seconds;
  fact["records"] = json::array();
  for (const RecordData& record : answer.records) fact["records"].push_back(std::visit(RecordText{}, record));
  return fact;
}

json host_json(const PlannedHost& host) {
  const TlsRequirement& requirement = host.requirement;
  json result = {{"mx", host.name},
                 {"preference", host.preference},
                 {"port", host.port},
                 {"addresses", json::array()},
                 {"mx_status", status_name(host.facts.mx_status)},
                 {"address_status", status_name(host.facts.address_status)},
                 {"tlsa", json::array()},
                 {"requirement", tls_method_name(requirement.method)},
                 {"level", tls_level_name(requirement.level)},
                 {"reason", requirement.reason}};
  for (const IpAddress& address : host.addresses) result["addresses"].push_back(address.str());
  if (!host.facts.tlsa) return result;
  result["tlsa_status"] = status_name(host.facts.tlsa->status);
  result["tlsa_base_domain"] = host.facts.tlsa->base_domain;
  for (const TlsaRecord& record : host.facts.tlsa->records)
    result["tlsa"].push_back({{"record", record.str()}, {"usable", record.usable()}});
  return result;
}

json extensions_json(const SmtpExtensions& extensions) {
  json names = json::array();
  const auto add = [&names](bool offered, const char* name) {
    if (offered) names.push_back(name);
  };
  add(extensions.pipelining, "PIPELINING");
  add(extensions.eight_bit_mime, "8BITMIME");
  add(extensions.smtputf8, "SMTPUTF8");
  add(extensions.enhanced_status_codes, "ENHANCEDSTATUSCODES");
  add(extensions.chunking, "CHUNKING");
  add(extensions.requiretls, "REQUIRETLS");
  add(extensions.dsn, "DSN");
  add(extensions.deliverby, "DELIVERBY");
  add(extensions.size, "SIZE");
  return names;
}

json session_json(const ProbedHost& host) {
  json result = {{"ready", !host.failure},
                 {"peer", host.facts.peer},
                 {"local_address", host.facts.local_address},
                 {"level", tls_level_name(host.facts.proven)},
                 {"method", host.facts.tls_method},
                 {"tls", host.facts.tls_summary},
                 {"extensions", extensions_json(host.extensions)}};
  if (host.failure) {
    result["status"] = host.failure->status;
    result["failure"] = host.failure->detail;
  }
  if (host.facts.tls_failure) result["result_type"] = tls_result_type_name(host.facts.tls_failure->type);
  return result;
}

std::string_view outcome_name(DestinationPlan::Outcome outcome) {
  switch (outcome) {
    case DestinationPlan::Outcome::Deliver:
      return "deliver";
    case DestinationPlan::Outcome::Defer:
      return "defer";
    case DestinationPlan::Outcome::Bounce:
      return "bounce";
  }
  return "defer";
}

}  // namespace

json plan_json(const DomainName& domain, const DestinationPlan& plan, const Answers& answers) {
  json result = {{"domain", domain.str()}, {"outcome", outcome_name(plan.outcome)},
                 {"status", plan.status},  {"reason", plan.reason},
                 {"hosts", json::array()}, {"mta_sts", {{"detail", plan.sts_detail}}},
                 {"facts", json::array()}};
  for (const PlannedHost& host : plan.hosts) result["hosts"].push_back(host_json(host));
  if (!plan.route.empty()) result["route"] = plan.route;
  if (!plan.lost_tls.empty()) result["lost"] = plan.lost_tls;
  if (plan.sts.policy) {
    result["mta_sts"]["mode"] = sts_mode_name(plan.sts.policy->mode);
    result["mta_sts"]["mx"] = plan.sts.policy->mx_patterns;
    result["mta_sts"]["max_age"] = plan.sts.policy->max_age_seconds;
  }
  for (const auto& [question, answer] : answers.known()) result["facts"].push_back(fact_json(question, answer));
  // One pass through text makes every octet of DNS fit for JSON, whoever prints it later.
  return json::parse(dump(result));
}

json probe_json(const DomainName& domain, const DestinationPlan& plan, const Answers& answers,
                const std::vector<ProbedHost>& hosts) {
  json result = plan_json(domain, plan, answers);
  for (const ProbedHost& probed : hosts) {
    for (json& host : result["hosts"]) {
      if (host["mx"] == probed.name) host["session"] = json::parse(dump(session_json(probed)));
    }
  }
  return result;
}

}  // namespace waxwing
