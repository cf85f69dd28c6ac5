#include "relay/cli/audit_command.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/relay/cli/scripted_relay.h"

using namespace waxwing;
using Json = nlohmann::json;

namespace {

Json entry(std::uint64_t number) {
  return {{"entry", number},
          {"time", "2026-11-26T12:00:00Z"},
          {"operator", "ann"},
          {"uid", 998},
          {"command", "queue drop"},
          {"filter", {{"tenant", "shop"}, {"all", true}}},
          {"messages", 3},
          {"recipients", 5},
          {"reason", "spam \x1b[31mrun"}};
}

}  // namespace

TEST_CASE("an entry says who, what, how much and why, safely") {
  ScriptedRelay relay(std::vector<Json>{entry(1)});
  Output output(OutputFormat::Text);
  REQUIRE(list_audit(relay.asker(), 1, output));
  CHECK(output.text() ==
        "2026-11-26T12:00:00Z  ann (uid 998)  queue drop: all, tenant shop\n"
        "    messages 3, recipients 5\n"
        "    spam \\x1b[31mrun\n");
  CHECK(relay.requests == std::vector<Json>{{{"command", "audit list"}, {"before", 0}, {"limit", 1}}});
}

TEST_CASE("a long log is asked for in portions, each behind the last") {
  std::vector<Json> portions;
  const AskRelay ask = [&portions](Json request) -> Result<std::vector<Json>> {
    portions.push_back(request);
    if (portions.size() == 1) return std::vector<Json>{entry(9), entry(8)};
    if (portions.size() == 2) return std::vector<Json>{entry(7)};
    return std::vector<Json>{};
  };
  Output output(OutputFormat::Json);
  REQUIRE(list_audit(ask, 600, output));
  REQUIRE(portions.size() == 3);
  CHECK(portions[0]["limit"] == 500);
  CHECK(portions[1]["before"] == 8);
  CHECK(portions[2]["before"] == 7);
  CHECK(std::count(output.text().begin(), output.text().end(), '\n') == 3);
}

TEST_CASE("an empty log is said to be empty, and answers of another shape do no harm") {
  ScriptedRelay empty(std::vector<Json>{});
  Output output(OutputFormat::Text);
  REQUIRE(list_audit(empty.asker(), 10, output));
  CHECK(output.text() == "Nothing was done.\n");
  for (const Json& strange : {Json(nullptr), Json(5), Json{{"entry", "x"}, {"filter", 7}}, Json{{"filter", {1, 2}}}}) {
    ScriptedRelay relay(std::vector<Json>{strange});
    CHECK(list_audit(relay.asker(), 10, output));
  }
}
