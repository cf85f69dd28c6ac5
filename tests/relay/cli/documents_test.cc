// What people and shells are told about the command line, against the command line.

#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "relay/cli/arguments.h"

namespace waxwing {
namespace {

std::string read_source(const std::string& path) {
  std::ifstream file(WAXWING_SOURCE_DIR "/" + path);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_CASE("waxwing(1) describes every command with its options") {
  const std::string manual = read_source("etc/man/waxwing.1");
  for (const std::string& command : command_words()) {
    CAPTURE(command);
    const std::size_t entry = manual.find("\n.It Ic " + command);
    REQUIRE(entry != std::string::npos);
    const std::string line = manual.substr(entry + 1, manual.find('\n', entry + 1) - entry);
    for (const std::string& option : command_options(command)) {
      CAPTURE(option);
      CHECK(line.find("Fl -" + option.substr(2)) != std::string::npos);
    }
  }
}

// The words that bash would offer; nothing is run but the completion itself.
std::string completions(const std::string& words) {
  const std::string script = "PATH= ; . " WAXWING_SOURCE_DIR "/etc/completions/waxwing; COMP_WORDS=(waxwing " + words +
                             "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _waxwing; printf \" %s\" \"${COMPREPLY[@]}\"";
  std::FILE* pipe = ::popen(("/bin/bash -c '" + script + "' 2>/dev/null").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string out;
  std::array<char, 1'024> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) out += buffer.data();
  ::pclose(pipe);
  return out + " ";
}

TEST_CASE("bash completes every command and its options") {
  for (const std::string& command : command_words()) {
    CAPTURE(command);
    std::string before;
    std::istringstream words(command);
    for (std::string word; words >> word; before += word + " ") {
      CHECK_THAT(completions(before + "\"\""), Catch::Contains(" " + word + " "));
    }
    const std::string offered = completions(command + " --");
    for (const std::string& option : command_options(command)) {
      CHECK_THAT(offered, Catch::Contains(" " + option + " "));
    }
  }
}

}  // namespace
}  // namespace waxwing
