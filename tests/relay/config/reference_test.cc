#include "relay/config/reference.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <sstream>

#include "relay/config/load_config.h"
#include "relay/config/schema.h"

namespace waxwing {
namespace {

const ConfigSurroundings kSurroundings{"waxwing.toml", "relay.example", [](const std::string&) { return false; }};

TEST_CASE("etc/waxwing.toml is the rendered reference") {
  std::ifstream file(WAXWING_SOURCE_DIR "/etc/waxwing.toml");
  REQUIRE(file.good());
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  CHECK(text == render_reference_config());
}

TEST_CASE("the reference means exactly the defaults") {
  const auto config = parse_config(render_reference_config(), kSurroundings);
  REQUIRE(config);
  CHECK(*config == *parse_config("", kSurroundings));
}

TEST_CASE("the reference shows every option, and those with a default are set") {
  const std::string text = render_reference_config();
  for (const Option& option : all_options()) {
    CAPTURE(option.full_name());
    const std::string assignment = std::string(option.name) + " = ";
    CHECK((text.find("\n" + assignment) != std::string::npos || text.find("\n#" + assignment) != std::string::npos));
  }
  CHECK(text.find("\nretry_delays = [\"5m\", \"10m\",") != std::string::npos);
  CHECK(text.find("\n#hostname = ") != std::string::npos);
}

// Options in comments are written "#name", comments of prose "# Text".
TEST_CASE("the options in comments are in order too") {
  std::istringstream lines(render_reference_config());
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    const bool is_option = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    // The files of the first listener belong to TLS, which it does not have.
    const bool is_file = line.find("_file") != std::string::npos && text.find("submissions") == std::string::npos;
    const bool is_socket = line.starts_with("#socket");  // in place of address and port, which stand there
    text += (is_option && !is_file && !is_socket ? line.substr(1) : line) + "\n";
  }
  const auto config = parse_config(text, kSurroundings);
  for (const auto& mistake : config ? ConfigMistakes() : config.error()) UNSCOPED_INFO(mistake.str());
  REQUIRE(config);
  CHECK(config->hostname == "relay.example.org");
  REQUIRE(config->listeners.size() == 2);
  CHECK(config->listeners[1].tls == ListenerConfig::Tls::Implicit);
}

TEST_CASE("lines of the reference fit on a screen") {
  std::istringstream lines(render_reference_config());
  for (std::string line; std::getline(lines, line);)
    CHECK((line.size() <= 110 || line.starts_with("#scram_keys")));  // which are one word
}

}  // namespace
}  // namespace waxwing
