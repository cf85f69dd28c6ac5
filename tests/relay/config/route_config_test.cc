#include "relay/config/route_config.h"

#include <catch2/catch.hpp>

#include "relay/config/load_config.h"
#include "relay/config/route_choice.h"

namespace waxwing {
namespace {

const ConfigSurroundings kSurroundings{"waxwing.toml", "relay.example",
                                       [](const std::string& path) { return path == "/missing"; }};

Config parsed(std::string_view text) {
  auto config = parse_config(text, kSurroundings);
  if (!config) {
    for (const ConfigMistake& mistake : config.error()) UNSCOPED_INFO(mistake.problem);
  }
  REQUIRE(config);
  return std::move(*config);
}

// "line: problem" of all mistakes.
std::vector<std::string> mistakes(std::string_view text) {
  const auto config = parse_config(text, kSurroundings);
  std::vector<std::string> result;
  if (config) return result;
  for (const ConfigMistake& mistake : config.error()) {
    CHECK_FALSE(mistake.remedy.empty());
    result.push_back(std::to_string(mistake.line) + ": " + mistake.problem);
  }
  return result;
}

std::string route(std::string_view lines) {
  return "[[route]]\nname = \"out\"\ndomains = [\"*\"]\n" + std::string(lines);
}

// Which route takes mail of a tenant for a domain; "-": none.
std::string taken(const Config& config, std::string_view tenant, std::string_view domain) {
  const auto index = RouteChoice(config).find(tenant, *DomainName::parse(domain));
  return index ? config.routes[*index].name : "-";
}

TEST_CASE("a next hop is a host, or an address in brackets, with or without port") {
  CHECK(parse_next_hop("SMTP.Example.net")->name == "smtp.example.net");
  CHECK_FALSE(parse_next_hop("smtp.example.net")->port);
  CHECK(parse_next_hop("smtp.example.net:587")->port == 587);
  CHECK(parse_next_hop("[192.0.2.1]")->address == *IpAddress::parse("192.0.2.1"));
  CHECK(parse_next_hop("[2001:db8::1]:2525")->address == *IpAddress::parse("2001:db8::1"));
  CHECK(parse_next_hop("[2001:db8::1]:2525")->port == 2525);
  for (const auto* text :
       {"", ":25", "smtp.example.net:", "smtp.example.net:0", "smtp.example.net:65536", "192.0.2.1", "2001:db8::1",
        "[smtp.example.net]", "[192.0.2.1", "[192.0.2.1]25", "[]", "a b", "a:25:25"}) {
    INFO(text);
    CHECK_FALSE(parse_next_hop(text));
  }
}

TEST_CASE("a domain of a route is exact, below another, or any") {
  CHECK(*parse_route_domain("Example.NET") == "example.net");
  CHECK(*parse_route_domain("*.example.net") == "*.example.net");
  CHECK(*parse_route_domain(".example.net") == "*.example.net");
  CHECK(*parse_route_domain("*") == "*");
  for (const auto* text : {"", ".", "*.", "**", "a.*.net", "a b"}) CHECK_FALSE(parse_route_domain(text));
}

TEST_CASE("a route is read with all it says") {
  const Config config = parsed(R"(
[[route]]
name = "smarthost"
domains = ["*", ".example.net"]
tenant = "shop"
next_hops = ["smtp.example.org:465", "[192.0.2.1]:465"]
tls = "implicit"
pins = ["47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="]
user = "relay@example.org"
password_file = "/run/credentials/waxwing.service/smarthost"
egress_addresses = ["198.51.100.1"]
)");
  REQUIRE(config.routes.size() == 1);
  const RouteConfig& read = config.routes[0];
  CHECK(read.domains == std::vector<std::string>{"*", "*.example.net"});
  CHECK(read.next_hops.size() == 2);
  CHECK(read.tls == RouteConfig::Tls::Implicit);
  CHECK(read.user == "relay@example.org");
  CHECK(read.egress_addresses.size() == 1);
}

TEST_CASE("the most exact domain decides, and then the tenant") {
  const Config config = parsed(R"(
[[route]]
name = "all"
domains = ["*"]
next_hops = ["all.example"]
[[route]]
name = "shop"
domains = ["*"]
tenant = "shop"
next_hops = ["shop.example"]
[[route]]
name = "below"
domains = ["*.partner.example"]
next_hops = ["below.example"]
[[route]]
name = "deeper"
domains = ["*.eu.partner.example"]
next_hops = ["deeper.example"]
[[route]]
name = "exact"
domains = ["partner.example", "www.eu.partner.example"]
next_hops = ["exact.example"]
[[route]]
name = "ours"
domains = ["ours.example"]
tenant = "shop"
direct = true
)");
  CHECK(taken(config, "", "other.example") == "all");
  CHECK(taken(config, "office", "other.example") == "all");
  CHECK(taken(config, "shop", "other.example") == "shop");
  CHECK(taken(config, "shop", "partner.example") == "exact");
  CHECK(taken(config, "shop", "a.partner.example") == "below");
  CHECK(taken(config, "", "a.b.eu.partner.example") == "deeper");
  CHECK(taken(config, "", "eu.partner.example") == "below");
  CHECK(taken(config, "", "www.eu.partner.example") == "exact");
  CHECK(taken(config, "shop", "ours.example") == "-");
  CHECK(taken(config, "office", "ours.example") == "all");
  CHECK(taken(parsed(""), "", "other.example") == "-");
}

TEST_CASE("a route of another tenant leaves mail to its usual way") {
  const Config config = parsed(route("tenant = \"shop\"\nnext_hops = [\"a.example\"]\n"));
  CHECK(taken(config, "shop", "x.example") == "out");
  CHECK(taken(config, "office", "x.example") == "-");
}

TEST_CASE("what is wrong with a route is told in its place") {
  using Lines = std::vector<std::string>;
  CHECK(mistakes(route("")) == Lines{"1: route \"out\" leads nowhere"});
  CHECK(mistakes("[[route]]\nnext_hops = [\"a.example\"]\n") ==
        Lines{"1: this route has no name", "1: this route has no domains"});
  CHECK(mistakes(route("next_hops = [\"192.0.2.1\"]\n")).size() == 1);
  CHECK(mistakes(route("next_hops = [\"[192.0.2.1]\"]\n")) ==
        Lines{"4: [192.0.2.1] is an address, for which no certificate can be checked"});
  CHECK(mistakes(route("next_hops = [\"a.example:465\"]\n")) ==
        Lines{"4: a.example:465 has the port on which TLS begins at once, and tls is \"starttls\""});
  CHECK(mistakes(route("next_hops = [\"a.example\", \"b.example\"]\nmx = true\n")) ==
        Lines{"5: route \"out\" goes by MX records and has more than one next hop"});
  CHECK(mistakes(route("next_hops = [\"a.example\"]\nuser = \"u\"\n")) ==
        Lines{"5: route \"out\" has a user and no password_file"});
  CHECK(mistakes(route("next_hops = [\"a.example\"]\npassword_file = \"/p\"\n")) ==
        Lines{"5: route \"out\" has a password_file and no user"});
  CHECK(mistakes(route("next_hops = [\"a.example\"]\nuser = \"u\"\npassword_file = \"/missing\"\n")) ==
        Lines{"6: route.password_file is \"/missing\", and there is no such file"});
  CHECK(mistakes(route("direct = true\nnext_hops = [\"a.example\"]\n")) ==
        Lines{"5: route \"out\" is direct, where next_hops has no meaning"});
  CHECK(mistakes(route("next_hops = [\"a.example\"]\n") + route("next_hops = [\"a.example\"]\n")) ==
        Lines{"6: the route of line 2 is called \"out\" too", "7: \"*\" stands in a route of line 3 too"});
  CHECK(mistakes("[[route]]\nname = \"x\"\ndomains = []\nnext_hops = [\"a.example\"]\n").size() == 1);
}

}  // namespace
}  // namespace waxwing
