#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "policy/dmarc_verdict.h"
#include "tests/conformance/key_dns.h"
#include "tests/conformance/suites.h"
#include "tests/support/scripted_dns.h"

namespace waxwing::conformance {
namespace {

using nlohmann::json;
using waxwing::testing::ScriptedDns;

constexpr int kMaxAliases = 10;

// The records at the end of a CNAME chain, as a resolver follows it; nullptr where it leads nowhere.
const json* records_at(const json& zone, std::string name) {
  for (int links = 0; links < kMaxAliases; ++links) {
    const auto records = zone.find(name);
    if (records == zone.end()) return nullptr;
    const std::vector<std::string> alias = texts_at(*records, "CNAME");
    if (alias.empty()) return &*records;
    name = owner_name(alias.front());
  }
  return nullptr;
}

ScriptedDns dns_of(const json& zone) {
  ScriptedDns dns;
  for (const auto& [owner, ignored] : zone.items()) {
    const std::string name = owner_name(owner);
    const json* records = records_at(zone, owner);
    const std::string error = records ? text_at(*records, "error") : "nxdomain";
    if (error == "nxdomain") continue;
    dns.exists(name);
    if (!error.empty() && error != "nodata") {
      dns.fails(name, RecordType::TXT);
      dns.fails(name, RecordType::A);
    }
    for (const std::string& txt : texts_at(*records, "TXT")) dns.txt(name, txt);
    for (const std::string& address : texts_at(*records, "A")) dns.address(name, address);
  }
  return dns;
}

// Domains of which a method says "pass"; other results count for nothing here.
std::vector<DomainName> passing(const json& entry, const char* member) {
  std::vector<DomainName> domains;
  if (!has(entry, member)) return domains;
  for (const json& identifier : entry.at(member)) {
    if (text_at(identifier, "result") != "pass") continue;
    if (const auto domain = DomainName::parse(text_at(identifier, "domain"))) domains.push_back(*domain);
  }
  return domains;
}

DmarcVerdict evaluate(const json& entry, const PublicSuffixList* list) {
  ScriptedDns dns = dns_of(entry.value("dns", json::object()));
  const DomainName author = DomainName::parse(entry.at("from").get<std::string>()).value();
  AuthenticatedIdentifiers identifiers{.spf = std::nullopt, .dkim = passing(entry, "dkim")};
  if (const auto spf = passing(entry, "spf"); !spf.empty()) identifiers.spf = spf.front();
  return dns.resolve([&](Answers& answers) { return evaluate_dmarc(author, identifiers, answers, list); });
}

std::string name_of(const std::optional<DomainName>& domain) {
  return domain ? domain->str() : "none";
}

// What an expectation calls `member`, as JSON that it can be compared with.
json seen_as(const std::string& member, const DmarcVerdict& seen) {
  if (member == "result") return dmarc_result_name(seen.result);
  if (member == "policy") return dmarc_policy_name(seen.discovery.requested);
  if (member == "policy_domain") return name_of(seen.discovery.record_domain);
  if (member == "org_domain") return name_of(seen.discovery.organizational_domain);
  if (member == "spf_aligned") return seen.spf_aligned;
  if (member == "dkim_aligned") return seen.dkim_aligned;
  if (member == "queries") return seen.discovery.consulted;
  return nullptr;
}

void compare(const json& expect, const DmarcVerdict& seen, std::string_view rules, Verdict& verdict) {
  for (const auto& [member, expected] : expect.items()) {
    const json got = seen_as(member, seen);
    if (got.is_null() || expected.is_null()) continue;
    const bool several = expected.is_array() && !got.is_array();
    if (several ? std::ranges::find(expected, got) != expected.end() : expected == got) continue;
    verdict.good = false;
    verdict.expected += fmt::format("{}{} {}", verdict.expected.empty() ? "" : ", ", member, expected.dump());
    verdict.got += fmt::format("{}{} {} by {}", verdict.got.empty() ? "" : ", ", member, got.dump(), rules);
  }
  if (!verdict.good && !seen.discovery.detail.empty()) verdict.got += fmt::format(" ({})", seen.discovery.detail);
}

// `spec` says whose rules a case is about: "rfc9989" (or nothing), "rfc7489", or "both".
Verdict check_evaluation(const json& entry, const PublicSuffixList& list) {
  const std::string spec = text_at(entry, "spec", "rfc9989");
  json expect = entry.at("expect");
  Verdict verdict{.good = true};
  if (spec != "rfc7489") compare(expect, evaluate(entry, nullptr), "RFC 9989", verdict);
  if (spec == "rfc7489" || spec == "both") {
    if (spec == "both") expect.erase("queries");  // which are those of the tree walk
    compare(expect, evaluate(entry, &list), "RFC 7489", verdict);
  }
  return verdict;
}

std::string name_in(const json& entry, const char* member) {
  const auto domain = DomainName::parse(text_at(entry, member));
  return domain ? domain->str() : "none";
}

Verdict check_suffix(const json& entry, const PublicSuffixList& list) {
  const auto domain = DomainName::parse(text_at(entry, "domain"));
  const auto registrable = domain ? list.registrable_domain(*domain) : std::nullopt;
  return same(name_in(entry, "registrable"), name_of(registrable));
}

// A receiver discards a record for nothing but its version; what a linter says of the rest is not asked here.
Verdict check_record(const json& entry, const Document&) {
  const bool is_record = DmarcRecord::parse(entry.at("txt").get<std::string>()).has_value();
  const auto words = [](bool yes) { return yes ? "a DMARC record" : "no DMARC record"; };
  return same(words(entry.at("rfc9989_is_dmarc_record").get<bool>()), words(is_record));
}

// The list of the suite of public suffixes, which is newer than that of the library; it may be this suite.
PublicSuffixList list_for(const Document& document) {
  for (const char* place : {"public_suffix_list.dat", "../psl/public_suffix_list.dat"}) {
    std::ifstream file(document.folder / place, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (auto list = PublicSuffixList::parse(text)) return std::move(*list);
  }
  return PublicSuffixList::built_in();
}

}  // namespace

void run_dmarc(const Document& document, SuiteReport& report) {
  const PublicSuffixList list = list_for(document);
  run_cases(document,
            {{{"from", "expect"}, [&](const json& entry, const Document&) { return check_evaluation(entry, list); }},
             {{"domain", "registrable"}, [&](const json& entry, const Document&) { return check_suffix(entry, list); }},
             {{"txt", "rfc9989_is_dmarc_record"}, check_record}},
            report);
}

}  // namespace waxwing::conformance
