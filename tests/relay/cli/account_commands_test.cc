#include "relay/cli/account_commands.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "policy/scram_keys.h"
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
  REQUIRE(add_account(relay.asker(), account, Secret("open sesame"), PasswordUse::Hash, output));
  REQUIRE(relay.requests.size() == 1);
  const Json& request = relay.requests[0];
  CHECK(request.at("command") == "account add");
  CHECK(request.at("name") == "shop");
  CHECK(request.at("tenant") == "t");
  CHECK(request.at("allowed_senders") == Json{"a.example", "*.b.example"});
  CHECK(verify_password("open sesame", request.at("password_hash").get<std::string>()));
  CHECK_FALSE(request.contains("scram_keys"));
  CHECK(request.dump().find("sesame") == std::string::npos);
  CHECK(output.text() == "shop may submit now\n");
}

TEST_CASE("a password is changed by its hash") {
  ScriptedRelay relay(std::vector<Json>{{{"name", "shop"}, {"changed", true}}});
  Output output(OutputFormat::Json);
  REQUIRE(change_password(relay.asker(), "shop", Secret("new one"), PasswordUse::Hash, output));
  CHECK(relay.requests.at(0).at("command") == "account passwd");
  CHECK(verify_password("new one", relay.requests[0].at("password_hash").get<std::string>()));
  CHECK(output.text() == "{\"changed\":true,\"name\":\"shop\"}\n");
}

TEST_CASE("a password that cannot be hashed asks the relay for nothing") {
  ScriptedRelay relay(std::vector<Json>{});
  Output output(OutputFormat::Text);
  const auto changed =
      change_password(relay.asker(), "shop", Secret(std::string(256, 'p')), PasswordUse::HashAndScram, output);
  REQUIRE_FALSE(changed);
  CHECK(changed.error().kind == ErrorKind::Malformed);
  CHECK(relay.requests.empty());
}

// The password belongs to both that are kept of it.
void check_both(const Json& members, std::string_view password) {
  CHECK(verify_password(password, members.at("password_hash").get<std::string>()));
  const auto keys = parse_scram_keys(members.at("scram_keys").get<std::string>());
  REQUIRE(keys);
  CHECK(derive_scram_keys(password, keys->salt, keys->iterations).stored_key.reveal() == keys->stored_key.reveal());
}

TEST_CASE("where SCRAM is offered its keys go with the hash") {
  ScriptedRelay relay(std::vector<Json>{{{"name", "shop"}}});
  Account account;
  account.name = "shop";
  Output output(OutputFormat::Text);
  REQUIRE(add_account(relay.asker(), account, Secret("open sesame"), PasswordUse::HashAndScram, output));
  REQUIRE(change_password(relay.asker(), "shop", Secret("other"), PasswordUse::HashAndScram, output));
  check_both(relay.requests.at(0), "open sesame");
  check_both(relay.requests.at(1), "other");
  CHECK(output.text() == "shop may submit now\nshop has a new password\n");
}

TEST_CASE("a password that SCRAM cannot say is set all the same, and its price is told") {
  ScriptedRelay relay(std::vector<Json>{{{"name", "shop"}}});
  Output output(OutputFormat::Text);
  REQUIRE(change_password(relay.asker(), "shop", Secret("Schl\xc3\xbcssel"), PasswordUse::HashAndScram, output));
  CHECK_FALSE(relay.requests.at(0).contains("scram_keys"));
  CHECK(output.text().find("it has no SCRAM keys") != std::string::npos);
}

TEST_CASE("a user that needs no password has no keys either, and nobody misses them") {
  ScriptedRelay relay(std::vector<Json>{{{"name", "www"}}});
  Account account;
  account.name = "www";
  account.uid = 33;
  Output output(OutputFormat::Text);
  REQUIRE(add_account(relay.asker(), account, Secret(), PasswordUse::HashAndScram, output));
  CHECK_FALSE(relay.requests.at(0).contains("scram_keys"));
  CHECK(output.text() == "www may submit now\n");
}

TEST_CASE("what is printed for the configuration file belongs to the password") {
  Output output(OutputFormat::Json);
  REQUIRE(print_password_hash(Secret("open sesame"), output));
  check_both(Json::parse(output.text()), "open sesame");
  Output text(OutputFormat::Text);
  REQUIRE(print_password_hash(Secret("Schl\xc3\xbcssel"), text));
  CHECK(text.text().starts_with("password_hash = \"$y$"));
  CHECK(text.text().find("scram_keys") == std::string::npos);
}

TEST_CASE("accounts are listed with tenant and senders") {
  ScriptedRelay relay(std::vector<Json>{
      {{"name", "any"}, {"tenant", "any"}, {"allowed_senders", Json::array()}},
      {{"name", "shop"}, {"tenant", "t"}, {"allowed_senders", {"a.example", "b@c.example"}}, {"scram", true}},
      {{"name", "old"}, {"tenant", "old"}, {"allowed_senders", Json::array()}, {"scram", false}}});
  Output output(OutputFormat::Text);
  REQUIRE(list_accounts(relay.asker(), output));
  CHECK(output.text() ==
        "any  tenant any  senders any\nshop  tenant t  senders a.example, b@c.example\n"
        "old  tenant old  senders any  no SCRAM keys\n");
}

}  // namespace
}  // namespace waxwing
