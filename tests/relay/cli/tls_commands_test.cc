#include "relay/cli/tls_commands.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/relay/cli/scripted_relay.h"

namespace waxwing {
namespace {

using Json = nlohmann::json;

TEST_CASE("domains that were authenticated are listed with their dates") {
  ScriptedRelay relay(std::vector<Json>{{{"domain", "receiver.example"},
                                         {"method", "dane"},
                                         {"first_proven", "2026-11-01T00:00:00Z"},
                                         {"last_proven", "2026-11-26T00:00:00Z"}}});
  Output output(OutputFormat::Text);
  REQUIRE(list_proven_tls(relay.asker(), output));
  CHECK(relay.requests.at(0) == Json{{"command", "tls list"}});
  CHECK(output.text() == "receiver.example  dane  since 2026-11-01T00:00:00Z, last 2026-11-26T00:00:00Z\n");
}

TEST_CASE("forgetting tells how to send what waits") {
  ScriptedRelay relay(std::vector<Json>{{{"domain", "receiver.example"}}});
  Output output(OutputFormat::Text);
  REQUIRE(forget_proven_tls(relay.asker(), "receiver.example", output));
  CHECK(relay.requests.at(0) == Json{{"command", "tls forget"}, {"domain", "receiver.example"}});
  CHECK(output.text().find("waxwing queue retry --domain receiver.example") != std::string::npos);
}

}  // namespace
}  // namespace waxwing
