#include "relay/cli/config_commands.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "relay/config/schema.h"

namespace waxwing {
namespace {

using Json = nlohmann::json;

TEST_CASE("all options are explained, or those of a section, or one") {
  Output all(OutputFormat::Json);
  REQUIRE(print_option_help("", all));
  CHECK(static_cast<std::size_t>(std::ranges::count(all.text(), '\n')) == all_options().size());
  Output section(OutputFormat::Text);
  REQUIRE(print_option_help("queue", section));
  CHECK_THAT(section.text(), Catch::StartsWith("queue.lifetime\n") && Catch::Contains("\n\nqueue.retry_delays\n"));
  Output one(OutputFormat::Json);
  REQUIRE(print_option_help("queue.lifetime", one));
  const Json object = Json::parse(one.text());
  CHECK(object.at("name") == "queue.lifetime");
  CHECK(object.at("default") == "\"5d\"");
  Output without_default(OutputFormat::Json);
  REQUIRE(print_option_help("hostname", without_default));
  CHECK(Json::parse(without_default.text()).at("example") == "\"relay.example.org\"");
}

TEST_CASE("an option that there is not is an error") {
  Output output(OutputFormat::Text);
  CHECK(print_option_help("queue.livetime", output).error().kind == ErrorKind::NotFound);
  CHECK(output.text().empty());
}

TEST_CASE("a configuration in order comes with advice about what it probably lacks") {
  Config config;
  config.hostname = "debian";
  config.allow_non_global_addresses = true;
  CHECK(config_advice(config).size() == 3);
  config.hostname = "relay.example";
  config.allow_non_global_addresses = false;
  config.egress_addresses = {*IpAddress::parse("192.0.2.1")};
  CHECK(config_advice(config).empty());
  config.egress_sources.resize(2);
  config.egress_sources[0].name = "a";
  config.egress_sources[1].name = "b";
  CHECK(config_advice(config).empty());
  config.egress_pools = {{"main", {{"a", 1}}}};
  REQUIRE(config_advice(config).size() == 1);
  CHECK(config_advice(config)[0].find("source \"b\" is in no [[egress.pool]]") != std::string::npos);
  config.egress_pools.clear();
  Output output(OutputFormat::Text);
  print_config_in_order("/c.toml", config, output);
  CHECK(output.text() == "/c.toml is in order\n");
}

TEST_CASE("an account that keeps others from SCRAM is named, where some are ready for it") {
  Config config;
  config.hostname = "relay.example";
  config.egress_addresses = {*IpAddress::parse("192.0.2.1")};
  config.accounts.resize(3);
  config.accounts[0].uid = 33;
  config.accounts[1].name = "old";
  config.accounts[1].password_hash = "$y$h";
  CHECK(config_advice(config).empty());
  config.accounts[2].scram_keys = "SCRAM-SHA-256$";
  REQUIRE(config_advice(config).size() == 1);
  CHECK(config_advice(config)[0].find("account \"old\" has a password_hash and no scram_keys") != std::string::npos);
}

TEST_CASE("mistakes as JSON have file, line, column, problem and remedy") {
  Output output(OutputFormat::Json);
  print_config_mistakes({{"/c.toml", 3, 5, "it is wrong", "Make it right"}}, output);
  CHECK(Json::parse(output.text()) ==
        Json{{"file", "/c.toml"}, {"line", 3}, {"column", 5}, {"problem", "it is wrong"}, {"remedy", "Make it right"}});
}

}  // namespace
}  // namespace waxwing
