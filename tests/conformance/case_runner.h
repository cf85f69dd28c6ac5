#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tests/conformance/suite_report.h"

namespace waxwing::conformance {

/// One file of a suite.
struct Document {
  std::filesystem::path folder;  ///< of the file; messages are named relative to it
  std::string name;              ///< below the suite's folder, "cases.json"
  const nlohmann::json& json;
};

/// What a case gave.
struct Verdict {
  bool good = false;
  bool scored = true;      ///< false where the manifests of the suites leave the case open
  std::string expected{};  ///< for a case that is not good
  std::string got{};
  std::string remark{};
};

/// Runs one case. A case whose JSON is not of the form that `check` reads (it throws) has failed.
/// @param entry  the case; `vetted` in it may say that it is not scored
void run_case(SuiteReport& report, std::string id, const nlohmann::json& entry, const std::function<Verdict()>& check);

/// A form of cases: which members make a case one of them, and how it is judged.
struct CaseForm {
  std::vector<std::string_view> members;  ///< all of which a case of this form has
  std::function<Verdict(const nlohmann::json& entry, const Document& document)> check;
};

/// Runs the cases of a document, each by the first form that it has. Cases are the elements of the document, or of any
/// list in it. A document without a case of these forms is passed over; in others, a case of no form is not scored.
void run_cases(const Document& document, const std::vector<CaseForm>& forms, SuiteReport& report);

/// How a case calls itself: its `id` or `name`, else its place.
[[nodiscard]] std::string id_of(const nlohmann::json& entry, std::size_t place);

/// A text member; `otherwise` where there is none or it is null.
[[nodiscard]] std::string text_at(const nlohmann::json& entry, const char* member, std::string_view otherwise = "");

/// A member that is one text or a list of them; empty where there is none or it is null.
[[nodiscard]] std::vector<std::string> texts_at(const nlohmann::json& entry, const char* member);

/// Whether a member is there and not null.
[[nodiscard]] bool has(const nlohmann::json& entry, std::string_view member);

/// What stands in a text between the first `before` and the next `after`; empty where they are not there.
[[nodiscard]] std::string between(std::string_view text, std::string_view before, std::string_view after);

/// Good where both texts are the same.
[[nodiscard]] Verdict same(std::string_view expected, std::string_view got);

/// Runs nothing: the case cannot be scored, and why.
[[nodiscard]] Verdict not_scored(std::string why);

/// "a, b"
[[nodiscard]] std::string listed(const std::vector<std::string>& texts);

}  // namespace waxwing::conformance
