#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/conformance/smtp_forms.h"
#include "tests/conformance/suites.h"

namespace waxwing::conformance {
namespace {

using nlohmann::json;

// One input of a fuzzer: a list of the arguments of one call.
bool is_seed(const json& document) {
  return document.is_array() && !document.empty() &&
         std::ranges::all_of(document, [](const json& element) { return element.is_primitive(); });
}

Verdict run_seed(const json& document) {
  for (const json& argument : document) {
    if (argument.is_string()) swallow_seed(argument.get<std::string>());
  }
  return {.good = true};
}

}  // namespace

void run_smtp(const Document& document, SuiteReport& report) {
  if (is_seed(document.json)) {
    return run_case(report, document.name, document.json, [&] { return run_seed(document.json); });
  }
  std::vector<CaseForm> forms = smtp_syntax_forms();
  std::ranges::move(smtp_content_forms(), std::back_inserter(forms));
  std::ranges::move(smtp_session_forms(), std::back_inserter(forms));
  run_cases(document, forms, report);
}

}  // namespace waxwing::conformance
