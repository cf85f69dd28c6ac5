#include "relay/cli/quota_commands.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "relay/cli/account_commands.h"
#include "relay/cli/arguments.h"
#include "relay/server/token.h"
#include "tests/relay/cli/scripted_relay.h"

namespace waxwing {
namespace {

using Json = nlohmann::json;

TEST_CASE("limits go to the relay as they were typed") {
  const auto arguments = parse_arguments(
      {"account", "limit", "shop", "--messages-per-hour", "10", "--connections", "0", "--over-limit", "hold"});
  REQUIRE(arguments);
  CHECK(arguments->command == Command::AccountLimit);
  ScriptedRelay relay(
      std::vector<Json>{{{"name", "shop"}, {"limits", {{"messages_per_hour", 10}}}, {"over_limit", "hold"}}});
  Output output(OutputFormat::Text);
  REQUIRE(change_limits(relay.asker(), "account", arguments->account, arguments->limit_change, output));
  CHECK(relay.requests.at(0) == Json{{"command", "account limit"},
                                     {"name", "shop"},
                                     {"messages_per_hour", 10},
                                     {"connections", 0},
                                     {"over_limit", "hold"}});
  CHECK(output.text() == "shop  messages_per_hour 10  over_limit hold\n");
  CHECK_FALSE(parse_arguments({"account", "limit", "shop", "--over-limit", "drop"}));
  CHECK_FALSE(parse_arguments({"tenant", "limit", "shop", "--connections", "-1"}));
  CHECK_FALSE(parse_arguments({"tenant", "hold", "shop"}));
}

TEST_CASE("a held tenant is shown with the reason") {
  ScriptedRelay relay(std::vector<Json>{{{"name", "t"}, {"limits", Json::object()}, {"held", "stolen"}}});
  Output output(OutputFormat::Text);
  REQUIRE(list_tenants(relay.asker(), output));
  CHECK(output.text() == "t  no limits  held: stolen\n");
}

TEST_CASE("a token is shown once, and the relay gets its digest") {
  ScriptedRelay relay(std::vector<Json>{{{"name", "shop"}, {"added", true}}});
  Output output(OutputFormat::Text);
  REQUIRE(add_token(relay.asker(), "shop", output));
  std::string token = output.text();
  token.pop_back();
  CHECK(token.size() == 46);
  CHECK(relay.requests.at(0).dump().find(token) == std::string::npos);
  CHECK(relay.requests[0].at("digest").get<std::string>().size() == 44);
}

TEST_CASE("an account with a uid alone has no password") {
  ScriptedRelay relay(std::vector<Json>{{{"name", "www"}, {"added", true}}});
  Account account;
  account.name = "www";
  account.uid = 33;
  Output output(OutputFormat::Text);
  REQUIRE(add_account(relay.asker(), account, Secret(""), PasswordUse::HashAndScram, output));
  CHECK(relay.requests.at(0) == Json{{"command", "account add"}, {"name", "www"}, {"uid", 33}});
}

}  // namespace
}  // namespace waxwing
