#include "tests/conformance/case_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace waxwing::conformance {
namespace {

using nlohmann::json;

// Two implementations that agree make an expectation, and so does the text of the RFC; what is not vetted is taken as
// it is, since its manifest says nothing against it.
bool is_scored(const json& entry) {
  const std::string vetted = text_at(entry, "vetted", "rfc");
  if (vetted.starts_with("rfc")) return true;
  constexpr std::string_view kAgree = "agree";
  if (!vetted.starts_with(kAgree)) return false;
  const std::size_t end = std::min(vetted.find_first_not_of("0123456789", kAgree.size()), vetted.size());
  const std::string number = vetted.substr(kAgree.size(), end - kAgree.size());
  return number.size() > 1 || (number.size() == 1 && number >= "2");
}

bool has_form(const json& entry, const CaseForm& form) {
  return std::ranges::all_of(form.members, [&](std::string_view name) { return entry.contains(std::string(name)); });
}

struct Candidate {
  std::string id;
  const json* entry;
};

void add_list(const json& list, std::vector<Candidate>& candidates) {
  for (const json& entry : list) {
    if (entry.is_object()) candidates.push_back({id_of(entry, candidates.size() + 1), &entry});
  }
}

std::vector<Candidate> candidates_of(const json& document) {
  std::vector<Candidate> candidates;
  if (document.is_array()) add_list(document, candidates);
  if (!document.is_object()) return candidates;
  for (const auto& [name, member] : document.items()) {
    if (member.is_array()) add_list(member, candidates);
    if (!member.is_object() || (name != "cases" && name != "tests")) continue;
    for (const auto& [id, entry] : member.items()) {
      if (entry.is_object()) candidates.push_back({id, &entry});
    }
  }
  return candidates;
}

}  // namespace

void run_case(SuiteReport& report, std::string id, const json& entry, const std::function<Verdict()>& check) {
  Verdict verdict;
  bool scored = true;
  try {
    scored = is_scored(entry);
    verdict = check();
  } catch (const std::exception& error) {
    verdict = {.expected = "a case in the form of its suite", .got = error.what()};
  }
  CaseResult result{.id = std::move(id), .expected = verdict.expected, .got = verdict.got, .remark = verdict.remark};
  if (verdict.scored && scored) {
    result.state = verdict.good ? CaseResult::State::Passed : CaseResult::State::Failed;
  } else {
    result.state = CaseResult::State::NotScored;
    if (verdict.scored) {
      result.remark = fmt::format("{}; expected {}, got {}{}{}", text_at(entry, "vetted"), verdict.expected,
                                  verdict.got, verdict.remark.empty() ? "" : "; ", verdict.remark);
    }
  }
  report.cases.push_back(std::move(result));
}

void run_cases(const Document& document, const std::vector<CaseForm>& forms, SuiteReport& report) {
  struct Found {
    Candidate candidate;
    const CaseForm* form;
  };
  std::vector<Found> found;
  for (const Candidate& candidate : candidates_of(document.json)) {
    const auto form = std::ranges::find_if(forms, [&](const CaseForm& f) { return has_form(*candidate.entry, f); });
    found.push_back({candidate, form == forms.end() ? nullptr : &*form});
  }
  if (std::ranges::all_of(found, [](const Found& one) { return one.form == nullptr; })) return;
  for (const auto& [candidate, form] : found) {
    run_case(report, document.name + " " + candidate.id, *candidate.entry, [&, &entry = candidate, &known = form] {
      return known ? known->check(*entry.entry, document) : not_scored("a case of an unknown form");
    });
  }
}

std::string id_of(const json& entry, std::size_t place) {
  for (const char* member : {"id", "name"}) {
    const auto found = entry.find(member);
    if (found != entry.end() && found->is_string()) return found->get<std::string>();
    if (found != entry.end() && found->is_number()) return found->dump();
  }
  return std::to_string(place);
}

std::string text_at(const json& entry, const char* member, std::string_view otherwise) {
  return has(entry, member) ? entry.at(member).get<std::string>() : std::string(otherwise);
}

std::vector<std::string> texts_at(const json& entry, const char* member) {
  if (!has(entry, member)) return {};
  const json& value = entry.at(member);
  if (value.is_string()) return {value.get<std::string>()};
  return value.get<std::vector<std::string>>();
}

bool has(const json& entry, std::string_view member) {
  const auto found = entry.find(std::string(member));
  return found != entry.end() && !found->is_null();
}

std::string between(std::string_view text, std::string_view before, std::string_view after) {
  const std::size_t found = text.find(before);
  if (found == std::string_view::npos) return "";
  const std::size_t begin = found + before.size();
  const std::size_t end = text.find(after, begin);
  return end == std::string_view::npos ? "" : std::string(text.substr(begin, end - begin));
}

Verdict same(std::string_view expected, std::string_view got) {
  return {.good = expected == got, .expected = std::string(expected), .got = std::string(got)};
}

Verdict not_scored(std::string why) {
  return {.good = true, .scored = false, .remark = std::move(why)};
}

std::string listed(const std::vector<std::string>& texts) {
  return fmt::format("{}", fmt::join(texts, ", "));
}

}  // namespace waxwing::conformance
