#include "relay/config/schema.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <set>

namespace waxwing {
namespace {

std::string read_source(const std::string& path) {
  std::ifstream file(WAXWING_SOURCE_DIR "/" + path);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_CASE("every option has help, and either a default or an example") {
  for (const Option& option : all_options()) {
    CAPTURE(option.full_name());
    CHECK(option.help.ends_with('.'));
    CHECK(default_value(option).empty() != option.example.empty());
    CHECK((option.type == OptionType::Choice) == !option.choices.empty());
    CHECK_FALSE(section_help(option.section).empty());
  }
}

TEST_CASE("no option is there twice, and options of a section stand together") {
  std::set<std::string> names;
  std::set<std::string_view> finished_sections;
  std::string_view section;
  for (const Option& option : all_options()) {
    CHECK(names.insert(option.full_name()).second);
    if (option.section == section) continue;
    CHECK(finished_sections.insert(section).second);
    CHECK_FALSE(finished_sections.contains(option.section));
    section = option.section;
  }
}

TEST_CASE("defaults are written as TOML writes them") {
  CHECK(default_value(*find_option("queue", "lifetime")) == "\"5d\"");
  CHECK(default_value(*find_option("queue", "retry_delays")) == R"(["5m", "10m", "20m", "40m", "1h", "2h", "4h"])");
  CHECK(default_value(*find_option("limits", "max_message_octets")) == "\"50MiB\"");
  CHECK(default_value(*find_option("dns", "resolver")) == "\"127.0.0.1:53\"");
  CHECK(default_value(*find_option("egress", "addresses")) == "[]");
  CHECK(default_value(*find_option("delivery", "minimum_tls")) == "\"encrypted\"");
  CHECK(default_value(*find_option("delivery", "allow_non_global_addresses")) == "false");
  CHECK(default_value(*find_option("", "hostname")).empty());
}

TEST_CASE("clear text is not among the levels of TLS that can be chosen") {
  CHECK(allowed_values(*find_option("delivery", "minimum_tls")) ==
        R"(one of "encrypted", "verified", "authenticated")");
}

TEST_CASE("an option is explained by its full name, by its name alone and with its section") {
  const auto full = explain_option("queue.lifetime");
  REQUIRE(full);
  CHECK(full->starts_with("queue.lifetime\n"));
  CHECK(full->find("Default: \"5d\"") != std::string::npos);
  CHECK(explain_option("lifetime").value() == *full);
  const auto section = explain_option("queue");
  REQUIRE(section);
  CHECK(section->starts_with(*full));
  CHECK(section->find("queue.retry_delays\n") != std::string::npos);
}

TEST_CASE("a name that no option has is answered with the nearest") {
  const auto explained = explain_option("queue.livetime");
  REQUIRE_FALSE(explained);
  CHECK(explained.error().kind == ErrorKind::NotFound);
  CHECK(explained.error().detail.find("did you mean \"queue.lifetime\"?") != std::string::npos);
  CHECK_FALSE(explain_option(""));
}

TEST_CASE("waxwing.toml(5) describes every option with its default") {
  const std::string manual = read_source("etc/man/waxwing.toml.5");
  for (const Option& option : all_options()) {
    CAPTURE(option.full_name());
    const std::size_t entry = manual.find("\n.It Ic " + option.full_name() + "\n");
    REQUIRE(entry != std::string::npos);
    const std::string text = manual.substr(entry + 1, manual.find("\n.It ", entry + 1) - entry);
    const std::string value = default_value(option);
    if (!value.empty()) CHECK(text.find("\nDefault: " + value + ".\n") != std::string::npos);
  }
}

TEST_CASE("waxwing.toml(5) describes no option that there is not") {
  const std::string manual = read_source("etc/man/waxwing.toml.5");
  constexpr std::string_view kItem = "\n.It Ic ";
  std::size_t items = 0;
  for (std::size_t at = manual.find(kItem); at != std::string::npos; at = manual.find(kItem, at + 1)) ++items;
  CHECK(items == all_options().size());
}

}  // namespace
}  // namespace waxwing
