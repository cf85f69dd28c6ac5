#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/conformance/case_runner.h"
#include "tests/conformance/suite_report.h"

namespace waxwing::conformance {

/// Runs what one file of a suite holds of a mechanism; a file that holds no cases is passed over. Their forms are those
/// of the manifests beside the published suites.
void run_arc(const Document& document, SuiteReport& report);
void run_authres(const Document& document, SuiteReport& report);
void run_dkim(const Document& document, SuiteReport& report);
void run_spf(const Document& document, SuiteReport& report);
void run_dmarc(const Document& document, SuiteReport& report);
void run_mta_sts(const Document& document, SuiteReport& report);
void run_tlsrpt(const Document& document, SuiteReport& report);
void run_dane(const Document& document, SuiteReport& report);
void run_smtp(const Document& document, SuiteReport& report);

/// A folder of cases.
struct Suite {
  std::string name;  ///< "spf/spf-openspf"
  std::filesystem::path folder;
  void (*run)(const Document&, SuiteReport&);
};

/// Finds suites: each folder in a folder of `directory` that is named after a mechanism, and that one itself where it
/// holds files of cases. In order of their names.
[[nodiscard]] std::vector<Suite> find_suites(const std::filesystem::path& directory);

/// Runs all *.json files of a suite. One that is no JSON, or cannot be read, is a failed case.
/// @limits  kMaxSuiteFiles files of kMaxSuiteFileOctets octets, kMaxSuiteDepth folders deep
[[nodiscard]] SuiteReport run_suite(const Suite& suite);

inline constexpr std::size_t kMaxSuiteFiles = 20'000;
inline constexpr std::size_t kMaxSuiteFileOctets = 256ULL << 20;
inline constexpr int kMaxSuiteDepth = 5;

}  // namespace waxwing::conformance
