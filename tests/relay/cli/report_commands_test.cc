#include "relay/cli/report_commands.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/relay/cli/scripted_relay.h"

namespace waxwing {
namespace {

using Json = nlohmann::json;

TEST_CASE("what was counted is listed by day and domain") {
  ScriptedRelay relay(
      std::vector<Json>{{{"day", "2026-01-02"}, {"domain", "receiver.example"}, {"successes", 2}, {"failures", 1}}});
  Output output(OutputFormat::Text);
  REQUIRE(list_tls_reports(relay.asker(), output));
  CHECK(relay.requests.at(0) == Json{{"command", "report tls list"}});
  CHECK(output.text() == "2026-01-02  receiver.example  2 succeeded, 1 failed\n");
}

TEST_CASE("a report is asked for in the name of this relay and printed as it is") {
  ScriptedRelay relay(std::vector<Json>{{{"report-id", "x\u00e9"}}});
  const bool day = GENERATE(true, false);
  const OutputFormat format = GENERATE(OutputFormat::Text, OutputFormat::Json);
  Output output(format);
  REQUIRE(show_tls_report(relay.asker(), "receiver.example", day ? "2026-01-02" : "", "Example Hosting",
                          "desk@relay.example", output));
  Json expected = {{"command", "report tls show"},
                   {"domain", "receiver.example"},
                   {"organization_name", "Example Hosting"},
                   {"contact_info", "desk@relay.example"}};
  if (day) expected["day"] = "2026-01-02";
  CHECK(relay.requests.at(0) == expected);
  CHECK(output.text() == "{\"report-id\":\"x\\u00e9\"}\n");
}

TEST_CASE("a report is asked to be sent by domain and day") {
  ScriptedRelay relay(std::vector<Json>{{{"day", "2026-01-02"}, {"domain", "receiver.example"}}});
  Output output(OutputFormat::Text);
  REQUIRE(send_tls_report(relay.asker(), "receiver.example", "2026-01-02", output));
  CHECK(relay.requests.at(0) ==
        Json{{"command", "report tls send"}, {"domain", "receiver.example"}, {"day", "2026-01-02"}});
  CHECK_THAT(output.text(), Catch::StartsWith("2026-01-02  receiver.example  "));
}

TEST_CASE("a report that is not there is an error") {
  ScriptedRelay relay(Error{ErrorKind::NotFound, "no TLS session was counted"});
  Output output(OutputFormat::Text);
  CHECK(show_tls_report(relay.asker(), "receiver.example", "", "relay.example", "desk@relay.example", output)
            .error()
            .kind == ErrorKind::NotFound);
}

}  // namespace
}  // namespace waxwing
