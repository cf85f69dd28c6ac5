#include <nlohmann/json.hpp>

#include "policy/tls_report_record.h"
#include "tests/conformance/suites.h"

namespace waxwing::conformance {
namespace {

using nlohmann::json;

Verdict check_record(const json& entry, const Document&) {
  const char* member = has(entry, "rfc_valid") ? "rfc_valid" : "upstream_valid";
  if (!has(entry, member)) return not_scored("the case does not say whether the record is valid");
  const bool valid = entry.at(member).get<bool>();
  const auto record = TlsReportRecord::parse(entry.at("txt").get<std::string>());
  if (record.has_value() != valid) {
    return {.expected = valid ? "valid" : "not valid", .got = record ? "valid" : record.error().detail};
  }
  const json expect = entry.value("expect", json());
  if (!record || !expect.is_object() || !has(expect, "rua")) return {.good = true};
  std::vector<std::string> uris;
  for (const TlsReportUri& uri : record->rua) uris.push_back(uri.text);
  return same(listed(texts_at(expect, "rua")), listed(uris));
}

}  // namespace

void run_tlsrpt(const Document& document, SuiteReport& report) {
  run_cases(document, {{{"txt"}, check_record}}, report);
}

}  // namespace waxwing::conformance
