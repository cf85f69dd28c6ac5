#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace waxwing::conformance {

/// What became of one case of a suite.
struct CaseResult {
  enum class State {
    Passed,
    Failed,
    NotScored,  ///< ran, or cannot run here, and counts for nothing
  };
  State state = State::Passed;
  std::string id;          ///< "cases.json rfc6376-A.2": the file below the suite's folder, and the case in it
  std::string expected{};  ///< of a failed case
  std::string got{};       ///< of a failed case
  std::string remark{};    ///< why it is not scored, or in what it differs where a suite only wishes
};

/// All cases of one suite.
struct SuiteReport {
  std::string name;  ///< "spf/spf-openspf"
  std::vector<CaseResult> cases;

  [[nodiscard]] std::size_t count(CaseResult::State state) const;
};

/// `spf/spf-openspf 394 passed, 0 failed, 0 not scored`, and a line for each failed case below it.
/// @param remarks  whether each case that has a remark gets a line too
[[nodiscard]] std::string text_of(const SuiteReport& report, bool remarks);

/// The same of all suites for machines:
/// {"suites": [{"name", "passed", "failed", "not_scored", "failures": [{"case", "expected", "got"}],
///              "remarks": [{"case", "remark"}]}],
///  "passed", "failed", "not_scored"}
[[nodiscard]] std::string json_of(const std::vector<SuiteReport>& reports);

}  // namespace waxwing::conformance
