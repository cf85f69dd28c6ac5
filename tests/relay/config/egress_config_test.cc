#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "relay/config/egress_rules.h"
#include "relay/config/load_config.h"

namespace waxwing {
namespace {

const ConfigSurroundings kSurroundings{"waxwing.toml", "relay.example", [](const std::string&) { return false; }};

constexpr std::string_view kTwoSources =
    "[[egress.source]]\nname = \"a\"\naddresses = [\"192.0.2.1\", \"2001:db8::1\"]\n"
    "[[egress.source]]\nname = \"b\"\naddresses = [\"10.0.0.2\"]\npublic_addresses = [\"198.51.100.2\"]\n"
    "helo_name = \"B.example\"\nwarm_up_start = 2026-11-01\nwarm_up_per_day = [50, 100]\n";

Config read(const std::string& text) {
  auto config = parse_config(text, kSurroundings);
  for (const auto& mistake : config ? ConfigMistakes() : config.error()) UNSCOPED_INFO(mistake.str());
  REQUIRE(config);
  return *config;
}

std::vector<std::string> mistakes(const std::string& text) {
  const auto config = parse_config(text, kSurroundings);
  std::vector<std::string> all;
  for (const auto& mistake : config ? ConfigMistakes() : config.error()) all.push_back(mistake.str());
  return all;
}

// One mistake, which says that, with that remedy.
void check_one(const std::string& text, std::string_view problem, std::string_view remedy) {
  const auto all = mistakes(text);
  CAPTURE(text, all);
  REQUIRE(all.size() == 1);
  CHECK(all[0].find(problem) != std::string::npos);
  CHECK(all[0].find(remedy) != std::string::npos);
}

std::vector<std::string> texts(const std::vector<IpAddress>& addresses) {
  std::vector<std::string> all;
  for (const IpAddress& address : addresses) all.push_back(address.str());
  return all;
}

TEST_CASE("sources, pools, rules and pauses are read") {
  const Config config =
      read("[egress]\ndefault_pool = \"all\"\n" + std::string(kTwoSources) +
           "[[egress.pool]]\nname = \"all\"\nsources = [\"a\", \"b\"]\n"
           "[[egress.pool]]\nname = \"more\"\nsources = {a = 3, b = 1}\n"
           "[[egress.rule]]\ntenant = \"shop\"\ndomain = \"Mail.example\"\npool = \"more\"\n"
           "[[egress.pause]]\nname = \"rate\"\nprovider = \"mail.example\"\ncode = 421\ntext = \"*slow*\"\n"
           "pause_for = \"1h\"\n");
  REQUIRE(config.egress_sources.size() == 2);
  CHECK(config.egress_sources[0].helo_name == "relay.example");
  CHECK(config.egress_sources[1].helo_name == "b.example");
  CHECK(config.egress_sources[1].warm_up_start == std::chrono::sys_days(std::chrono::year(2026) / 11 / 1));
  CHECK(config.egress_sources[1].warm_up_per_day == std::vector<std::uint64_t>{50, 100});
  CHECK(config.egress_pools ==
        std::vector<EgressPoolConfig>{{"all", {{"a", 1}, {"b", 1}}}, {"more", {{"a", 3}, {"b", 1}}}});
  CHECK(config.egress_rules == std::vector<EgressRule>{{"shop", "mail.example", "more"}});
  CHECK(config.egress_pauses == std::vector<EgressPauseRule>{{"rate", "mail.example", 421, "*slow*", Seconds(3'600)}});
  CHECK(texts(config.egress_addresses) == std::vector<std::string>{"192.0.2.1", "198.51.100.2", "2001:db8::1"});
}

TEST_CASE("without sources there is one, as it is without pools") {
  const EgressLayout old =
      egress_layout(read("[egress]\naddresses = [\"192.0.2.9\"]\nsource_addresses = [\"10.0.0.9\"]\n"));
  REQUIRE(old.sources.size() == 1);
  CHECK_FALSE(old.is_configured);
  CHECK(old.sources[0].helo_name == "relay.example");
  CHECK(texts(old.sources[0].addresses) == std::vector<std::string>{"10.0.0.9"});
  CHECK(texts(public_addresses(old.sources[0])) == std::vector<std::string>{"192.0.2.9"});
  const EgressLayout all = egress_layout(read(std::string(kTwoSources)));
  CHECK(all.pools == std::vector<EgressPoolConfig>{{"default", {{"a", 1}, {"b", 1}}}});
  CHECK(all.default_pool == "default");
}

TEST_CASE("mistakes about egress are found, each with what to do") {
  const std::string sources(kTwoSources);
  check_one(sources + "[[egress.pool]]\nname = \"p\"\nsources = [\"a\", \"bb\"]\n",
            "pool \"p\" names source \"bb\", and there is no such source", "Add an [[egress.source]]");
  check_one(sources + "[[egress.pool]]\nname = \"p\"\nsources = [\"a\", \"a\"]\n", "has source \"a\" twice", "weight");
  check_one(sources + "[[egress.pool]]\nname = \"p\"\nsources = []\n", "holds 0 names", "1 to 256 names");
  check_one(sources + "[[egress.pool]]\nname = \"p\"\nsources = {a = 0}\n", "\"a\" a weight that is out of range",
            "1 to 1000");
  check_one(sources + "[[egress.pool]]\nname = \"p\"\nsources = {a = 1001}\n", "out of range", "1 to 1000");
  check_one(sources + "[[egress.pool]]\nname = \"p\"\nsources = {a = \"3\"}\n", "out of range", "1 to 1000");
  check_one(sources + "[[egress.pool]]\nname = \"p\"\nsources = [3]\n", "holds a whole number", "names");
  check_one(sources + "[[egress.pool]]\nname = \"p\"\n", "this pool has no sources", "sources = ");
  check_one(
      sources + "[[egress.pool]]\nname = \"p\"\nsources = [\"a\"]\n[[egress.pool]]\nname = \"q\"\nsources = [\"b\"]\n",
      "several pools", "Add default_pool = \"p\"");
  check_one("[egress]\ndefault_pool = \"mian\"\n" + sources + "[[egress.pool]]\nname = \"main\"\nsources = [\"a\"]\n",
            "egress.default_pool names pool \"mian\"", "Did you mean \"main\"?");
  check_one(sources + "[[egress.rule]]\ntenant = \"shop\"\npool = \"zzzzzz\"\n", "names pool \"zzzzzz\"",
            "Add an [[egress.pool]]");
  check_one(sources + "[[egress.pool]]\nname = \"p\"\nsources = [\"a\"]\n[[egress.rule]]\npool = \"p\"\n",
            "neither tenant nor domain", "egress.default_pool");
  check_one("[egress]\naddresses = [\"192.0.2.9\"]\n" + sources, "egress.addresses has no meaning", "public_addresses");
  check_one("[[egress.source]]\nname = \"a\"\naddresses = []\n", "source \"a\" has no address", "IPv4");
  check_one("[[egress.source]]\nname = \"a\"\naddresses = [\"192.0.2.1\", \"192.0.2.2\"]\n", "same family",
            "another source");
  check_one("[[egress.source]]\nname = \"a\"\naddresses = [\"0.0.0.0\"]\n", "no address from which mail can leave",
            "this host");
  check_one("[[egress.source]]\nname = \"a\"\naddresses = [\"192.0.2.1\"]\nhelo_name = \"mail_1.example\"\n",
            "no name of a host", "full name");
  check_one("[[egress.source]]\nname = \"a\"\naddresses = [\"192.0.2.1\"]\nhelo_name = \"localhost\"\n",
            "no name of a host", "full name");
  check_one(sources + "[[egress.source]]\nname = \"c\"\naddresses = [\"10.0.0.2\"]\n",
            "source \"b\" of line 6 has address 10.0.0.2 too", "addresses of its own");
  check_one(sources + "[[egress.source]]\nname = \"a\"\naddresses = [\"192.0.2.7\"]\n", "line 2 is called \"a\" too",
            "of its own");
  check_one("[[egress.source]]\nname = \"a\"\naddresses = [\"192.0.2.1\"]\nwarm_up_per_day = [5]\n",
            "warm_up_per_day without warm_up_start", "warm_up_start = ");
  check_one("[[egress.source]]\nname = \"a\"\naddresses = [\"192.0.2.1\"]\nwarm_up_start = 2026-11-01\n",
            "warm_up_start without warm_up_per_day", "warm_up_per_day = ");
  check_one(
      "[[egress.source]]\nname = \"a\"\naddresses = [\"192.0.2.1\"]\nwarm_up_start = 2026-11-01\n"
      "warm_up_per_day = [5, 0]\n",
      "warm_up_per_day is 0, which is out of range", "each 1 to");
  check_one("[[egress.pause]]\nname = \"x\"\npause_for = \"1h\"\n", "neither code nor text", "code = 421");
  check_one("[[egress.pause]]\nname = \"x\"\ncode = 421\n", "this pause has no pause_for", "pause_for = ");
  check_one("[[egress.pause]]\nname = \"x\"\ncode = 250\npause_for = \"1h\"\n", "code is 250", "400 to 599");
}

TEST_CASE("all mistakes about egress come at once") {
  const auto all = mistakes(
      "[[egress.source]]\nname = \"a\"\naddresses = [\"192.0.2.1\"]\nhelo_name = \"x_y.example\"\nwarm_up_per_day = "
      "[1]\n"
      "[[egress.source]]\nname = \"b\"\naddresses = [\"192.0.2.1\"]\n"
      "[[egress.pool]]\nname = \"p\"\nsources = [\"c\"]\n[[egress.rule]]\ntenant = \"t\"\npool = \"r\"\n");
  CAPTURE(all);
  CHECK(all.size() == 5);
}

Config config_with_rules() {
  return read(
      "[egress]\ndefault_pool = \"pa\"\n"
      "[[egress.source]]\nname = \"a\"\naddresses = [\"192.0.2.1\"]\n"
      "[[egress.source]]\nname = \"b\"\naddresses = [\"192.0.2.2\"]\n"
      "[[egress.source]]\nname = \"c\"\naddresses = [\"192.0.2.3\"]\n"
      "[[egress.source]]\nname = \"d\"\naddresses = [\"192.0.2.4\"]\n"
      "[[egress.pool]]\nname = \"pa\"\nsources = [\"a\"]\n[[egress.pool]]\nname = \"pb\"\nsources = [\"b\"]\n"
      "[[egress.pool]]\nname = \"pc\"\nsources = [\"c\"]\n[[egress.pool]]\nname = \"pd\"\nsources = [\"d\"]\n"
      "[[egress.rule]]\ntenant = \"shop\"\npool = \"pb\"\n"
      "[[egress.rule]]\ndomain = \"mail.example\"\npool = \"pc\"\n"
      "[[egress.rule]]\ntenant = \"shop\"\ndomain = \"mail.example\"\npool = \"pd\"\n");
}

TEST_CASE("the nearest rule chooses the pool: domain before tenant, longer domain first, then the one with both") {
  const Config config = config_with_rules();
  const EgressLayout layout = egress_layout(config);
  const auto pool = [&](std::string_view tenant, std::string_view domain) {
    return egress_pool(layout, config.egress_rules, tenant, DomainName::parse(domain).value());
  };
  CHECK(pool("other", "a.example") == "pa");
  CHECK(pool("", "a.example") == "pa");
  CHECK(pool("shop", "a.example") == "pb");
  CHECK(pool("other", "mail.example") == "pc");
  CHECK(pool("other", "in.mail.example") == "pc");
  CHECK(pool("other", "notmail.example") == "pa");
  CHECK(pool("shop", "mail.example") == "pd");
}

TEST_CASE("the addresses of a tenant are those of all pools that its mail may take, and no others") {
  const Config config = config_with_rules();
  CHECK(texts(egress_addresses_of(config, "other")) == std::vector<std::string>{"192.0.2.1", "192.0.2.3"});
  CHECK(texts(egress_addresses_of(config, "shop")) == std::vector<std::string>{"192.0.2.2", "192.0.2.4"});
  CHECK(texts(egress_addresses_of(config, "")) == std::vector<std::string>{"192.0.2.1", "192.0.2.3"});
  Config old;
  old.egress_addresses = {*IpAddress::parse("192.0.2.9")};
  CHECK(texts(egress_addresses_of(old, "shop")) == std::vector<std::string>{"192.0.2.9"});
}

}  // namespace
}  // namespace waxwing
