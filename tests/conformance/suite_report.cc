#include "tests/conformance/suite_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace waxwing::conformance {
namespace {

using State = CaseResult::State;

// Keeps a case on one line, whatever octets it is about.
std::string one_line(const std::string& text) {
  std::string line;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    line += octet < 0x20 || octet == 0x7f ? fmt::format("\\x{:02x}", octet) : std::string(1, c);
  }
  return line;
}

}  // namespace

std::size_t SuiteReport::count(CaseResult::State state) const {
  return static_cast<std::size_t>(std::ranges::count(cases, state, &CaseResult::state));
}

std::string text_of(const SuiteReport& report, bool remarks) {
  std::string text = fmt::format("{} {} passed, {} failed, {} not scored\n", report.name, report.count(State::Passed),
                                 report.count(State::Failed), report.count(State::NotScored));
  for (const CaseResult& result : report.cases) {
    if (result.state == State::Failed) {
      text += fmt::format("  failed: {}: expected {}, got {}\n", one_line(result.id), one_line(result.expected),
                          one_line(result.got));
    }
    if (remarks && !result.remark.empty()) {
      const char* kind = result.state == State::NotScored ? "not scored" : "differs";
      text += fmt::format("  {}: {}: {}\n", kind, one_line(result.id), one_line(result.remark));
    }
  }
  return text;
}

std::string json_of(const std::vector<SuiteReport>& reports) {
  auto suites = nlohmann::json::array();
  std::size_t passed = 0, failed = 0, not_scored = 0;
  for (const SuiteReport& report : reports) {
    passed += report.count(State::Passed);
    failed += report.count(State::Failed);
    not_scored += report.count(State::NotScored);
    auto failures = nlohmann::json::array();
    auto remarks = nlohmann::json::array();
    for (const CaseResult& result : report.cases) {
      if (result.state == State::Failed) {
        failures.push_back({{"case", result.id}, {"expected", result.expected}, {"got", result.got}});
      }
      if (!result.remark.empty()) remarks.push_back({{"case", result.id}, {"remark", result.remark}});
    }
    suites.push_back({{"name", report.name},
                      {"passed", report.count(State::Passed)},
                      {"failed", report.count(State::Failed)},
                      {"not_scored", report.count(State::NotScored)},
                      {"failures", failures},
                      {"remarks", remarks}});
  }
  const nlohmann::json whole = {{"suites", suites}, {"passed", passed}, {"failed", failed}, {"not_scored", not_scored}};
  return whole.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace waxwing::conformance
