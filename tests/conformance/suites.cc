#include "tests/conformance/suites.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

namespace waxwing::conformance {
namespace {

namespace fs = std::filesystem;

struct Mechanism {
  const char* folder;
  void (*run)(const Document&, SuiteReport&);
};
constexpr Mechanism kMechanisms[] = {{"arc", run_arc},   {"authres", run_authres}, {"dane", run_dane},
                                     {"dkim", run_dkim}, {"dmarc", run_dmarc},     {"mta-sts", run_mta_sts},
                                     {"smtp", run_smtp}, {"spf", run_spf},         {"tlsrpt", run_tlsrpt}};

bool holds_cases(const fs::path& folder) {
  return std::ranges::any_of(fs::directory_iterator(folder), [](const fs::directory_entry& entry) {
    return entry.is_regular_file() && entry.path().extension() == ".json";
  });
}

std::vector<fs::path> json_files(const fs::path& folder, bool below) {
  std::vector<fs::path> files;
  for (auto at = fs::recursive_directory_iterator(folder); at != fs::recursive_directory_iterator(); ++at) {
    if (at->is_directory() && (!below || at.depth() >= kMaxSuiteDepth)) at.disable_recursion_pending();
    if (at->is_regular_file() && at->path().extension() == ".json" && files.size() < kMaxSuiteFiles) {
      files.push_back(at->path());
    }
  }
  std::ranges::sort(files);
  return files;
}

std::optional<std::string> contents_of(const fs::path& file) {
  std::error_code error;
  if (fs::file_size(file, error) > kMaxSuiteFileOctets || error) return std::nullopt;
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream contents;
  contents << stream.rdbuf();
  if (!stream) return std::nullopt;
  return std::move(contents).str();
}

void add_broken_file(SuiteReport& report, std::string name, std::string expected, std::string got) {
  report.cases.push_back({.state = CaseResult::State::Failed,
                          .id = std::move(name),
                          .expected = std::move(expected),
                          .got = std::move(got)});
}

}  // namespace

std::vector<Suite> find_suites(const fs::path& directory) {
  std::vector<Suite> suites;
  for (const auto& [name, run] : kMechanisms) {
    const fs::path folder = directory / name;
    if (!fs::is_directory(folder)) continue;
    if (holds_cases(folder)) suites.push_back({name, folder, run});
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.is_directory()) suites.push_back({name + ("/" + entry.path().filename().string()), entry.path(), run});
    }
  }
  std::ranges::sort(suites, {}, &Suite::name);
  return suites;
}

SuiteReport run_suite(const Suite& suite) {
  SuiteReport report{.name = suite.name, .cases = {}};
  // The folder of a mechanism holds suites besides its own files.
  const bool below = suite.name.find('/') != std::string::npos;
  for (const fs::path& file : json_files(suite.folder, below)) {
    const std::string name = file.lexically_relative(suite.folder).string();
    const auto contents = contents_of(file);
    if (!contents) {
      add_broken_file(report, name, "a file that can be read", "an error, or a file too large");
      continue;
    }
    nlohmann::json json;
    try {
      json = nlohmann::json::parse(*contents);
    } catch (const nlohmann::json::exception& error) {
      add_broken_file(report, name, "JSON", error.what());
      continue;
    }
    try {
      suite.run({file.parent_path(), name, json}, report);
    } catch (const std::exception& error) {
      add_broken_file(report, name, "cases in the form of the suite", error.what());
    }
  }
  return report;
}

}  // namespace waxwing::conformance
