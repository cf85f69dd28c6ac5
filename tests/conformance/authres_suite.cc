#include <nlohmann/json.hpp>

#include "policy/ascii.h"
#include "signer/authentication_results.h"
#include "tests/conformance/suites.h"

namespace waxwing::conformance {
namespace {

using nlohmann::json;

// Values that other hosts have written and that must be readable; some stand with the name of their field.
Verdict check_value(const json& entry, const Document&) {
  constexpr std::string_view kName = "Authentication-Results:";
  std::string value = entry.at("value").get<std::string>();
  if (ascii_istarts_with(value, kName)) value.erase(0, kName.size());
  const auto results = AuthenticationResults::parse(value);
  return {.good = results.has_value(), .expected = "read", .got = results ? "read" : results.error().detail};
}

}  // namespace

void run_authres(const Document& document, SuiteReport& report) {
  run_cases(document, {{{"value"}, check_value}}, report);
}

}  // namespace waxwing::conformance
