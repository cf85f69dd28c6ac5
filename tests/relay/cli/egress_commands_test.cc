#include "relay/cli/egress_commands.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "tests/relay/cli/scripted_relay.h"

namespace waxwing {
namespace {

using Json = nlohmann::json;

const WallTime kToday = std::chrono::sys_days(std::chrono::year(2026) / 11 / 26);

Config config() {
  Config config;
  config.egress_sources = {{"a", {*IpAddress::parse("192.0.2.1")}, {}, "a.relay.example", {}, {}},
                           {"b",
                            {*IpAddress::parse("10.0.0.2")},
                            {*IpAddress::parse("198.51.100.2")},
                            "b.relay.example",
                            kToday - std::chrono::days(1),
                            {50, 100, 200}}};
  config.egress_pools = {{"main", {{"a", 3}, {"b", 1}}}};
  config.egress_rules = {{"shop", "mail.example", "main"}};
  return config;
}

TEST_CASE("sources, pools and rules are listed with what is used and who is paused") {
  ScriptedRelay relay(
      std::vector<Json>{{{"kind", "use"}, {"source", "b"}, {"provider", "mail.example"}, {"used", 7}},
                        {{"kind", "use"}, {"source", "gone"}, {"provider", "mail.example"}, {"used", 1}},
                        {{"kind", "pause"},
                         {"source", "a"},
                         {"provider", nullptr},
                         {"until", "2026-11-26T01:00:00Z"},
                         {"rule", nullptr},
                         {"reason", "moves house"}}});
  Output output(OutputFormat::Text);
  REQUIRE(list_egress(relay.asker(), config(), kToday, output));
  CHECK(relay.requests.at(0) == Json{{"command", "egress list"}});
  CHECK(output.text() ==
        "source a  192.0.2.1  as a.relay.example\n"
        "source b  10.0.0.2  as b.relay.example  seen as 198.51.100.2  warm-up day 2 of 3: 100 messages to each "
        "provider\n"
        "pool main (default)  a (weight 3), b (weight 1)\n"
        "rule  tenant shop  domain mail.example  pool main\n"
        "used b at mail.example: 7 of 100 today\n"
        "used gone at mail.example: 1\n"
        "paused a at all providers until 2026-11-26T01:00:00Z by an operator: moves house\n");
}

TEST_CASE("without sources the one that stands for them is listed") {
  ScriptedRelay relay(std::vector<Json>{});
  Config plain;
  plain.hostname = "relay.example";
  Output output(OutputFormat::Text);
  REQUIRE(list_egress(relay.asker(), plain, kToday, output));
  CHECK(output.text() == "source default  any address  as relay.example\npool default (default)  default (weight 1)\n");
}

TEST_CASE("an order to pause says all that was given, and a source that there is not is no order") {
  ScriptedRelay relay(std::vector<Json>{});
  Output output(OutputFormat::Text);
  REQUIRE(pause_egress(relay.asker(), config(), {"a", "mail.example", "listed", Seconds(7'200)}, output));
  CHECK(relay.requests.at(0) == Json{{"command", "egress pause"},
                                     {"source", "a"},
                                     {"provider", "mail.example"},
                                     {"reason", "listed"},
                                     {"pause_for", 7'200}});
  const auto unknown = pause_egress(relay.asker(), config(), {"c", "", "listed", Seconds(7'200)}, output);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().kind == ErrorKind::NotFound);
  CHECK(unknown.error().detail == "there is no source c; there is a, b");
  CHECK(relay.requests.size() == 1);
}

TEST_CASE("an order to resume tells how to have what waits tried") {
  ScriptedRelay relay(std::vector<Json>{{{"kind", "pause"}, {"source", "a"}, {"provider", "mail.example"}}});
  Output output(OutputFormat::Text);
  REQUIRE(resume_egress(relay.asker(), {"a", "", "mended", {}}, output));
  CHECK(relay.requests.at(0) == Json{{"command", "egress resume"}, {"source", "a"}, {"reason", "mended"}});
  CHECK(output.text() == "a sends to mail.example again; \"waxwing queue retry --all\" has what waits tried now\n");
}

}  // namespace
}  // namespace waxwing
