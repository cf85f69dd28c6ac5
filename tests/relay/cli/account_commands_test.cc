#include "relay/cli/account_commands.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "relay/store/password.h"
#include "tests/relay/cli/scripted_relay.h"

namespace waxwing {
namespace {

using Json = nlohmann::json;

TEST_CASE("an account is added with the hash of its password, which itself goes nowhere") {
  ScriptedRelay relay(std::vector<Json>{{{"name", "shop"}, {"added", true}}});
  Account account;
  account.name = "shop";
  account.tenant = "t";
  account.allowed_senders = {"a.example", "*.b.example"};
  Output output(OutputFormat::Text);
  REQUIRE(add_account(relay.asker(), account, Secret("open sesame"), output));
  REQUIRE(relay.requests.size() == 1);
  const Json& request = relay.requests[0];
  CHECK(request.at("command") == "account add");
  CHECK(request.at("name") == "shop");
  CHECK(request.at("tenant") == "t");
  CHECK(request.at("allowed_senders") == Json{"a.example", "*.b.example"});
  CHECK(verify_password("open sesame", request.at("password_hash").get<std::string>()));
  CHECK(request.dump().find("sesame") == std::string::npos);
  CHECK(output.text() == "shop may submit now\n");
}

TEST_CASE("a password is changed by its hash") {
  ScriptedRelay relay(std::vector<Json>{{{"name", "shop"}, {"changed", true}}});
  Output output(OutputFormat::Json);
  REQUIRE(change_password(relay.asker(), "shop", Secret("new one"), output));
  CHECK(relay.requests.at(0).at("command") == "account passwd");
  CHECK(verify_password("new one", relay.requests[0].at("password_hash").get<std::string>()));
  CHECK(output.text() == "{\"changed\":true,\"name\":\"shop\"}\n");
}

TEST_CASE("a password that cannot be hashed asks the relay for nothing") {
  ScriptedRelay relay(std::vector<Json>{});
  Output output(OutputFormat::Text);
  const auto changed = change_password(relay.asker(), "shop", Secret(std::string(256, 'p')), output);
  REQUIRE_FALSE(changed);
  CHECK(changed.error().kind == ErrorKind::Malformed);
  CHECK(relay.requests.empty());
}

TEST_CASE("accounts are listed with tenant and senders") {
  ScriptedRelay relay(
      std::vector<Json>{{{"name", "any"}, {"tenant", "any"}, {"allowed_senders", Json::array()}},
                        {{"name", "shop"}, {"tenant", "t"}, {"allowed_senders", {"a.example", "b@c.example"}}}});
  Output output(OutputFormat::Text);
  REQUIRE(list_accounts(relay.asker(), output));
  CHECK(output.text() == "any  tenant any  senders any\nshop  tenant t  senders a.example, b@c.example\n");
}

}  // namespace
}  // namespace waxwing
