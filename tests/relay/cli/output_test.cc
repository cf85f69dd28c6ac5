#include "relay/cli/output.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace waxwing {
namespace {

TEST_CASE("text is lines that cannot steer the terminal") {
  Output output(OutputFormat::Text);
  output.add_object({{"a", 1}});
  output.add_line("550 \x1b[2Jno\r\nFAKE");
  output.add_line("");
  CHECK(output.text() == "550 \\x1b[2Jno\\x0d\\x0aFAKE\n\n");
}

TEST_CASE("JSON is one object on each line, in ASCII whatever the text holds") {
  Output output(OutputFormat::Json);
  output.add_line("for people");
  output.add_object({{"reason", "a\nb\x7f\u009b\u2028\xff"}});
  output.add_object({{"b", true}});
  const std::string& text = output.text();
  CHECK(std::ranges::count(text, '\n') == 2);
  CHECK(std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= 0x20 && c < 0x7f); }));
  CHECK(nlohmann::json::parse(text.substr(0, text.find('\n'))).at("reason") == "a\nb\x7f\u009b\u2028\ufffd");
}

}  // namespace
}  // namespace waxwing
