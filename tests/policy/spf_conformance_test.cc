#include <catch2/catch.hpp>

#include "policy/ascii.h"
#include "policy/spf.h"
#include "tests/policy/conformance_data.h"
#include "tests/support/scripted_dns.h"

using namespace waxwing;
using waxwing::testing::conformance_data;
using waxwing::testing::ScriptedDns;

namespace {

constexpr RecordType kTypes[] = {RecordType::TXT, RecordType::A, RecordType::AAAA, RecordType::MX, RecordType::PTR};

std::string joined(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  std::string text;
  for (const auto& part : value) text += part.get<std::string>();
  return text;
}

// The suites are UTF-8 where code points stand for octets.
std::string octets_of(const std::string& utf8) {
  std::string octets;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto c = static_cast<unsigned char>(utf8[i]);
    const bool two = (c == 0xc2 || c == 0xc3) && i + 1 < utf8.size();
    octets += two ? static_cast<char>((c & 3) << 6 | (utf8[++i] & 0x3f)) : utf8[i];
  }
  return octets;
}

std::string dns_name(std::string name) {
  if (name.ends_with('.') && name.size() > 1) name.pop_back();
  for (std::size_t space = 0; (space = name.find(' ', space)) != std::string::npos;) name.replace(space, 1, "\\032");
  return ascii_lower(name);
}

void add_record(ScriptedDns& dns, const std::string& name, const std::string& type, const nlohmann::json& value) {
  if (type == "TXT" || type == "SPF") {
    dns.txt(name, octets_of(joined(value)));
  } else if (type == "A" || type == "AAAA") {
    dns.address(name, value.get<std::string>());
  } else if (type == "MX") {
    const auto exchange = value.at(1).get<std::string>();
    dns.mx(name, value.at(0).get<std::uint16_t>(), exchange.empty() ? "." : dns_name(exchange));
  } else if (type == "PTR") {
    dns.ptr(name, dns_name(value.get<std::string>()));
  }
}

// TIMEOUT makes every type of a name fail that is not listed before it; SPF stands for TXT where there is no TXT.
void add_name(ScriptedDns& dns, const std::string& owner, const nlohmann::json& records) {
  const std::string name = dns_name(owner);
  std::set<std::string> listed;
  const bool has_txt = std::any_of(records.begin(), records.end(), [](const auto& r) { return r.at(0) == "TXT"; });
  if (!records.empty()) dns.exists(name);
  for (const auto& record : records) {
    const auto type = record.at(0).template get<std::string>();
    if (type == "TIMEOUT") {
      for (const RecordType other : kTypes) {
        if (!listed.contains(std::string(record_type_name(other)))) dns.fails(name, other);
      }
      continue;
    }
    if (type == "SPF" && has_txt) continue;
    if (type == "TXT" && record.at(1) == "NONE") continue;
    listed.insert(type == "SPF" ? "TXT" : type);
    add_record(dns, name, type, record.at(1));
  }
}

// CNAME chains as a resolver follows them.
void add_alias(ScriptedDns& dns, const nlohmann::json& zone, const std::string& owner) {
  std::string target = owner;
  for (int links = 0; links < 10; ++links) {
    const nlohmann::json* records = nullptr;
    for (const auto& [name, entries] : zone.items()) {
      if (dns_name(name) == dns_name(target)) records = &entries;
    }
    if (!records) return;
    const auto alias = std::find_if(records->begin(), records->end(), [](const auto& r) { return r.at(0) == "CNAME"; });
    if (alias == records->end()) return links > 0 ? add_name(dns, owner, *records) : void();
    target = alias->at(1).template get<std::string>();
  }
  for (const RecordType type : kTypes) dns.fails(dns_name(owner), type);
}

SpfInput input_of(const nlohmann::json& test, const std::string& receiver) {
  SpfInput input;
  input.client = *IpAddress::parse(test.at("host").get<std::string>());
  input.helo = test.at("helo").get<std::string>();
  input.receiver = receiver;
  const auto mail_from = test.at("mailfrom").get<std::string>();
  const auto at = mail_from.rfind('@');
  input.sender_local = at == std::string::npos ? "" : octets_of(mail_from.substr(0, at));
  input.sender_domain =
      at == std::string::npos ? (mail_from.empty() ? input.helo : mail_from) : mail_from.substr(at + 1);
  input.domain = dns_name(input.sender_domain);
  return input;
}

bool is_scored(const nlohmann::json& test) {
  const auto vetted = test.value("vetted", "agree2");
  return !vetted.starts_with("agree0") && !vetted.starts_with("agree1") && vetted != "disputed" &&
         vetted != "impl-defined";
}

void run_suite(const std::string& path, const std::string& receiver) {
  const auto data = conformance_data(path);
  if (!data) return;
  for (const auto& scenario : *data) {
    const auto& zone = scenario.at("zone");
    ScriptedDns dns;
    for (const auto& [name, records] : zone.items()) add_name(dns, name, records);
    for (const auto& [name, records] : zone.items()) add_alias(dns, zone, name);
    for (const auto& test : scenario.at("tests")) {
      const SpfInput input = input_of(test, receiver);
      const SpfVerdict verdict = dns.resolve([&](Answers& answers) { return check_host(input, answers); });
      const std::string result(spf_result_name(verdict.result));
      const auto acceptable = test.at("result").get<std::vector<std::string>>();
      const bool good = std::find(acceptable.begin(), acceptable.end(), result) != acceptable.end();
      INFO(scenario.at("id") << " " << test.at("name") << ": " << verdict.detail << " wanted " << test.at("result"));
      if (!is_scored(test)) {
        if (!good) WARN("not scored (" << test.value("vetted", "") << "), got " << result);
        continue;
      }
      CHECK_THAT(result,
                 Catch::Matchers::Predicate<std::string>([&](const std::string&) { return good; }, "is acceptable"));
      if (!test.contains("explanation") || verdict.result != SpfResult::Fail || !test["explanation"].is_string())
        continue;
      const auto explanation = test["explanation"].get<std::string>();
      CHECK(verdict.explanation == (explanation == "DEFAULT" ? "" : explanation));
    }
  }
}

}  // namespace

TEST_CASE("the RFC 7208 suite of openspf passes", "[conformance]") {
  run_suite("spf/spf-openspf/rfc7208-tests.json", "unknown");
}

TEST_CASE("Stalwart's SPF suite passes", "[conformance]") {
  run_suite("spf/spf-stalwart/stalwart-spf.json", "localdomain.org");
}

TEST_CASE("pyspf's SPF suite passes", "[conformance]") {
  run_suite("spf/spf-pyspf-extra/test.json", "unknown");
}
