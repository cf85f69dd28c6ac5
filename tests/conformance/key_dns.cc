#include "tests/conformance/key_dns.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "policy/ascii.h"
#include "policy/domain_name.h"

namespace waxwing::conformance {
namespace {

using nlohmann::json;

constexpr double kEndOfTime = 1e11;  // seconds since 1970; more does not fit in milliseconds everywhere

void add_zone(const json& zone, testing::ScriptedDns& dns) {
  for (const auto& [owner, records] : zone.items()) {
    const std::string name = owner_name(owner);
    const std::string error = text_at(records, "error");
    if (error == "nxdomain") continue;
    dns.exists(name);
    if (!error.empty() && error != "nodata") dns.fails(name, RecordType::TXT);
    for (const char* member : {"txt", "TXT"}) {
      for (const std::string& text : texts_at(records, member)) dns.txt(name, text);
    }
  }
}

}  // namespace

std::string owner_name(const std::string& text) {
  const auto domain = DomainName::parse(text);
  return domain ? domain->str() : ascii_lower(text);
}

testing::ScriptedDns key_dns(const json& entry, const Document& document) {
  json zone = json::object();
  if (document.json.is_object() && has(document.json, "dns")) zone = document.json.at("dns");
  if (has(entry, "dns")) zone.update(entry.at("dns"));
  testing::ScriptedDns dns;
  add_zone(zone, dns);
  return dns;
}

std::string message_of(const json& entry, const Document& document) {
  const std::string name = entry.at("message").get<std::string>();
  std::ifstream file(document.folder / name, std::ios::binary);
  std::ostringstream octets;
  octets << file.rdbuf();
  // An empty file leaves the stream failed as an unreadable one does.
  if (!file.is_open()) throw std::runtime_error("the message " + name + " cannot be read");
  return std::move(octets).str();
}

WallTime time_at(const json& entry, const char* member) {
  const auto seconds = entry.at(member).get<double>();
  if (!(seconds >= 0 && seconds < kEndOfTime)) throw std::out_of_range(std::string(member) + " is no time");
  return WallTime{Seconds{static_cast<std::int64_t>(seconds)}};
}

WallTime time_of(const json& entry) {
  if (has(entry, "now")) return time_at(entry, "now");
  return std::chrono::time_point_cast<Milliseconds>(std::chrono::system_clock::now());
}

}  // namespace waxwing::conformance
