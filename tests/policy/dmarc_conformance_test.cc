#include <catch2/catch.hpp>

#include "policy/dmarc.h"
#include "tests/policy/conformance_data.h"
#include "tests/support/scripted_dns.h"

using namespace waxwing;
using waxwing::testing::conformance_data;
using waxwing::testing::ScriptedDns;

namespace {

ScriptedDns dns_of(const nlohmann::json& zone) {
  ScriptedDns dns;
  for (const auto& [name, records] : zone.items()) {
    dns.exists(name);
    if (records.contains("error")) dns.fails(name, RecordType::TXT);
    if (!records.contains("TXT")) continue;
    for (const auto& txt : records["TXT"]) dns.txt(name, txt.get<std::string>());
  }
  return dns;
}

bool any_aligned(const nlohmann::json& identifiers, const DomainName& author, DmarcAlignment mode, ScriptedDns& dns) {
  return std::any_of(identifiers.begin(), identifiers.end(), [&](const nlohmann::json& identifier) {
    if (identifier.at("result") != "pass") return false;
    const DomainName domain = *DomainName::parse(identifier.at("domain").get<std::string>());
    return dns.resolve([&](Answers& answers) { return dmarc_aligned(domain, author, mode, answers); }) ==
           DmarcAligned::Yes;
  });
}

void check_case(const nlohmann::json& entry) {
  ScriptedDns dns = dns_of(entry.at("dns"));
  const DomainName author = *DomainName::parse(entry.at("from").get<std::string>());
  const auto& expect = entry.at("expect");
  const DmarcDiscovery found = dns.resolve([&](Answers& answers) { return discover_dmarc(author, answers); });
  if (expect.contains("queries")) CHECK(found.consulted == expect["queries"].get<std::vector<std::string>>());
  if (expect.contains("org_domain")) {
    REQUIRE(found.organizational_domain);
    CHECK(found.organizational_domain->str() == expect["org_domain"].get<std::string>());
  }
  if (expect.contains("policy_domain")) {
    REQUIRE(found.record_domain);
    CHECK(found.record_domain->str() == expect["policy_domain"].get<std::string>());
  }
  if (expect.contains("policy")) CHECK(dmarc_policy_name(found.requested) == expect["policy"].get<std::string>());
  const DmarcRecord record = found.record.value_or(DmarcRecord{});
  const bool dkim = any_aligned(entry.at("dkim"), author, record.dkim_alignment, dns);
  const bool spf = any_aligned(entry.at("spf"), author, record.spf_alignment, dns);
  if (expect.contains("dkim_aligned")) CHECK(dkim == expect["dkim_aligned"].get<bool>());
  if (expect.contains("spf_aligned")) CHECK(spf == expect["spf_aligned"].get<bool>());
  if (!expect.contains("result")) return;
  const std::string result = found.temporary_error ? "temperror"
                             : !found.record       ? "none"
                             : dkim || spf         ? "pass"
                                                   : "fail";
  CHECK(result == expect["result"].get<std::string>());
}

}  // namespace

TEST_CASE("the worked examples of RFC 9989 come out as written", "[conformance]") {
  const auto data = conformance_data("dmarc/dmarc-rfc9989/cases.json");
  if (!data) return;
  for (const auto& entry : data->at("cases")) {
    INFO(entry.at("id"));
    check_case(entry);
  }
}

TEST_CASE("published DMARC records are told from other records", "[conformance]") {
  const auto data = conformance_data("dmarc/dmarc-records/records.json");
  if (!data) return;
  for (const auto& entry : *data) {
    INFO(entry.at("id"));
    CHECK(DmarcRecord::parse(entry.at("txt").get<std::string>()).has_value() ==
          entry.at("rfc9989_is_dmarc_record").get<bool>());
  }
}
