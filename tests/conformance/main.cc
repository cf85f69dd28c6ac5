// conformance DIR: runs published test suites against Waxwing's rules.

#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tests/conformance/suites.h"

using namespace waxwing::conformance;

namespace {

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 64;  // EX_USAGE

constexpr const char* kUsage =
    "conformance [--json] [--verbose] [--suite NAME]... DIR\n"
    "\n"
    "Runs the suites in DIR, a folder with folders named arc, dane, dkim, dmarc, mta-sts, smtp, spf and tlsrpt (any "
    "of\n"
    "them), each with one folder for each suite. Prints a line for each suite and names each failed case. The exit\n"
    "status is 0 if none failed, 1 if some did, and 64 if DIR holds no suite.\n"
    "\n"
    "  --json        print one JSON object instead\n"
    "  --verbose     name also what is not scored and why, and where a result differs from what a suite wishes\n"
    "  --suite NAME  only the suites of a mechanism (spf) or one suite (spf/spf-openspf)\n";

struct Options {
  bool json = false;
  bool verbose = false;
  std::vector<std::string> suites;
  std::string directory;
};

int wrong_usage(const std::string& what) {
  std::fprintf(stderr, "conformance: %s; conformance --help tells how it is used\n", what.c_str());
  return kExitUsage;
}

// What is wrong with the arguments; empty: nothing.
std::string read_arguments(const std::vector<std::string>& arguments, Options& options) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--json") {
      options.json = true;
    } else if (argument == "--verbose") {
      options.verbose = true;
    } else if (argument == "--suite") {
      if (++i == arguments.size()) return "--suite needs a name";
      options.suites.push_back(arguments[i]);
    } else if (argument.starts_with("-")) {
      return "there is no option " + argument;
    } else if (!options.directory.empty()) {
      return "one DIR is enough";
    } else {
      options.directory = argument;
    }
  }
  return options.directory.empty() ? "it needs a folder with suites" : "";
}

bool is_wanted(const Suite& suite, const std::vector<std::string>& names) {
  if (names.empty()) return true;
  for (const std::string& name : names) {
    if (suite.name == name || suite.name.starts_with(name + "/")) return true;
  }
  return false;
}

int run(const Options& options) {
  if (!std::filesystem::is_directory(options.directory)) {
    return wrong_usage("there is no folder '" + options.directory + "'");
  }
  std::vector<SuiteReport> reports;
  bool failed = false;
  for (const Suite& suite : find_suites(options.directory)) {
    if (!is_wanted(suite, options.suites)) continue;
    reports.push_back(run_suite(suite));
    failed = failed || reports.back().count(CaseResult::State::Failed) > 0;
    if (!options.json) std::fputs(text_of(reports.back(), options.verbose).c_str(), stdout);
    std::fflush(stdout);
  }
  if (reports.empty()) return wrong_usage("there is no such suite in '" + options.directory + "'");
  if (options.json) std::fputs(json_of(reports).c_str(), stdout);
  return failed ? kExitFailed : 0;
}

}  // namespace

int main(int count, char** values) {
  const std::vector<std::string> arguments(values + 1, values + count);
  for (const std::string& argument : arguments) {
    if (argument == "--help" || argument == "-h") {
      std::fputs(kUsage, stdout);
      return 0;
    }
  }
  Options options;
  if (const std::string wrong = read_arguments(arguments, options); !wrong.empty()) return wrong_usage(wrong);
  try {
    return run(options);
  } catch (const std::filesystem::filesystem_error& error) {
    return wrong_usage(error.what());
  }
}
