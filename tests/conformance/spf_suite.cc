#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "policy/ascii.h"
#include "policy/spf.h"
#include "tests/conformance/suites.h"
#include "tests/support/scripted_dns.h"

namespace waxwing::conformance {
namespace {

using nlohmann::json;
using waxwing::testing::ScriptedDns;

constexpr RecordType kTypes[] = {RecordType::TXT, RecordType::A, RecordType::AAAA, RecordType::MX, RecordType::PTR};
constexpr int kMaxAliases = 10;

struct Record {
  std::string type;
  const json* value;
};

// Records are `[TYPE, value]`, as in the JSON of the suites, or `{TYPE: value}`, as in their YAML.
std::vector<Record> records_of(const json& entries) {
  std::vector<Record> records;
  for (const json& entry : entries) {
    if (entry.is_string()) {
      records.push_back({entry.get<std::string>(), nullptr});
    } else if (entry.is_array()) {
      records.push_back({entry.at(0).get<std::string>(), entry.size() > 1 ? &entry.at(1) : nullptr});
    } else {
      for (const auto& [type, value] : entry.items()) records.push_back({type, &value});
    }
  }
  return records;
}

std::string joined(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  std::string text;
  for (const json& part : value) text += part.get<std::string>();
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

void add_record(ScriptedDns& dns, const std::string& name, const std::string& type, const json& value) {
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
void add_name(ScriptedDns& dns, const std::string& owner, const json& entries) {
  const std::string name = dns_name(owner);
  const std::vector<Record> records = records_of(entries);
  const bool has_txt = std::ranges::find(records, "TXT", &Record::type) != records.end();
  std::set<std::string> listed_types;
  if (!records.empty()) dns.exists(name);
  for (const auto& [type, value] : records) {
    if (type == "TIMEOUT" || type == "RCODE") {
      for (const RecordType other : kTypes) {
        if (!listed_types.contains(std::string(record_type_name(other)))) dns.fails(name, other);
      }
      continue;
    }
    if (!value || (type == "SPF" && has_txt) || (type == "TXT" && *value == "NONE")) continue;
    listed_types.insert(type == "SPF" ? "TXT" : type);
    add_record(dns, name, type, *value);
  }
}

// CNAME chains as a resolver follows them.
void add_alias(ScriptedDns& dns, const json& zone, const std::string& owner) {
  std::string target = owner;
  for (int links = 0; links < kMaxAliases; ++links) {
    const json* entries = nullptr;
    for (const auto& [name, records] : zone.items()) {
      if (dns_name(name) == dns_name(target)) entries = &records;
    }
    if (!entries) return;
    const std::vector<Record> records = records_of(*entries);
    const auto alias = std::ranges::find(records, "CNAME", &Record::type);
    if (alias == records.end()) return links > 0 ? add_name(dns, owner, *entries) : void();
    target = alias->value->get<std::string>();
  }
  for (const RecordType type : kTypes) dns.fails(dns_name(owner), type);
}

ScriptedDns dns_of(const json& zone) {
  if (!zone.is_object()) throw std::invalid_argument("its zone is no map of names");
  ScriptedDns dns;
  for (const auto& [name, records] : zone.items()) add_name(dns, name, records);
  for (const auto& [name, records] : zone.items()) add_alias(dns, zone, name);
  return dns;
}

SpfInput input_of(const json& test, const std::string& receiver) {
  SpfInput input;
  input.client = IpAddress::parse(test.at("host").get<std::string>()).value();
  input.helo = text_at(test, "helo");
  input.receiver = receiver;
  const std::string mail_from = text_at(test, "mailfrom");
  const auto at = mail_from.rfind('@');
  input.sender_local = at == std::string::npos ? "" : octets_of(mail_from.substr(0, at));
  input.sender_domain =
      at == std::string::npos ? (mail_from.empty() ? input.helo : mail_from) : mail_from.substr(at + 1);
  input.domain = dns_name(input.sender_domain);
  return input;
}

Verdict check(const json& test, ScriptedDns& dns, const std::string& receiver) {
  const SpfInput input = input_of(test, receiver);
  const SpfVerdict verdict = dns.resolve([&](Answers& answers) { return check_host(input, answers); });
  const std::string result(spf_result_name(verdict.result));
  const std::vector<std::string> acceptable = texts_at(test, "result");
  if (acceptable.empty()) return not_scored("no result is expected");
  if (std::ranges::find(acceptable, result) == acceptable.end()) {
    return {.expected = listed(acceptable), .got = fmt::format("{} ({})", result, verdict.detail)};
  }
  if (verdict.result != SpfResult::Fail || !has(test, "explanation")) return same(result, result);
  const std::string explanation = text_at(test, "explanation");
  return same(explanation == "DEFAULT" ? "" : explanation, verdict.explanation);
}

// The name of the receiving host stands in explanations: `receiver` in a scenario, or the name in a manifest's line
// about the macro; pyspf's runner says "unknown".
std::string receiver_of(const Document& document) {
  std::ifstream manifest(document.folder / "MANIFEST.md");
  for (std::string line; std::getline(manifest, line);) {
    const std::size_t mention = line.find("host name (macro");
    if (mention == std::string::npos) continue;
    for (const char* quote : {"`", "\""}) {
      const std::string name = between(line.substr(mention), quote, quote);
      if (!name.empty()) return name;
    }
  }
  return "unknown";
}

void run_scenario(const Document& document, const json& scenario, std::size_t place, const std::string& receiver,
                  SuiteReport& report) {
  const std::string scenario_id = fmt::format("{} {} ", document.name, id_of(scenario, place));
  const json& zone = scenario.contains("zone") ? scenario.at("zone") : scenario.at("zonedata");
  std::size_t number = 0;
  for (const auto& [key, test] : scenario.at("tests").items()) {
    const std::string id = scenario.at("tests").is_object() ? key : id_of(test, ++number);
    run_case(report, scenario_id + id, test, [&, &checked = test] {
      ScriptedDns dns = dns_of(zone);
      return check(checked, dns, text_at(scenario, "receiver", receiver));
    });
  }
}

bool is_scenario(const json& entry) {
  return entry.is_object() && entry.contains("tests") && (entry.contains("zone") || entry.contains("zonedata"));
}

}  // namespace

void run_spf(const Document& document, SuiteReport& report) {
  const std::string receiver = receiver_of(document);
  if (is_scenario(document.json)) return run_scenario(document, document.json, 1, receiver, report);
  if (!document.json.is_structured()) return;
  const auto run_list = [&](const json& list) {
    std::size_t place = 0;
    for (const json& entry : list) {
      ++place;
      if (is_scenario(entry)) run_scenario(document, entry, place, receiver, report);
    }
  };
  if (document.json.is_array()) return run_list(document.json);
  for (const json& member : document.json) {
    if (member.is_array()) run_list(member);
  }
}

}  // namespace waxwing::conformance
