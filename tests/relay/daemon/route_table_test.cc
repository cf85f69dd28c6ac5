#include "relay/daemon/route_table.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/relay/store/temporary_directory.h"

using namespace waxwing;

namespace {

DomainName domain(std::string_view text) {
  return *DomainName::parse(text);
}

RouteConfig route(const std::string& name, std::vector<std::string> domains, std::vector<std::string> next_hops) {
  RouteConfig result;
  result.name = name;
  result.domains = std::move(domains);
  result.next_hops = std::move(next_hops);
  return result;
}

// A configuration with one route for all that logs in, and its password file.
struct Fixture {
  Fixture() {
    write("pencil\n");
    config.routes = {route("out", {"*"}, {"smtp.example.net:587"})};
    config.routes[0].user = "relay";
    config.routes[0].password_file = path;
  }
  void write(std::string_view content, mode_t mode = 0600) const {
    std::ofstream(path) << content;
    REQUIRE(chmod(path.c_str(), mode) == 0);
  }
  [[nodiscard]] std::unique_ptr<const RouteTable> table() const {
    auto created = RouteTable::create(config, RouteTable::Logins::Load);
    REQUIRE(created);
    return std::move(*created);
  }
  TemporaryDirectory directory;
  std::string path = directory.path() + "/password";
  Config config;
};

}  // namespace

TEST_CASE("a route has the ports, pins and login of its configuration", "[route]") {
  Fixture fixture;
  fixture.config.smtp_port = 2525;
  fixture.config.routes.push_back(route("pinned", {"pinned.example"}, {"[192.0.2.1]", "spare.example"}));
  fixture.config.routes.back().pins = {"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="};
  fixture.config.routes.push_back(route("implicit", {"implicit.example"}, {"smtps.example"}));
  fixture.config.routes.back().tls = RouteConfig::Tls::Implicit;
  fixture.config.routes.push_back(route("mx", {"mx.example"}, {"mail.example:26"}));
  fixture.config.routes.back().mx = true;
  const auto table = fixture.table();

  const auto out = table->find("shop", domain("any.example"));
  REQUIRE(out);
  CHECK(out->plan->hops[0].name == "smtp.example.net");
  CHECK(out->plan->hops[0].port == 587);
  CHECK(out->plan->tls.logs_in);
  CHECK(out->login->get()->user == "relay");
  CHECK(out->login->get()->password.reveal() == "pencil");
  const auto pinned = table->find({}, domain("pinned.example"));
  CHECK(pinned->plan->hops[0].address == *IpAddress::parse("192.0.2.1"));
  CHECK(pinned->plan->hops[1].port == 2525);
  CHECK(pinned->plan->tls.pins.at(0).size() == 32);
  CHECK_FALSE(pinned->login);
  CHECK(table->find({}, domain("implicit.example"))->plan->hops[0].port == 465);
  const auto by_mx = table->find({}, domain("mx.example"));
  CHECK(by_mx->plan->hops.empty());
  CHECK(by_mx->plan->mx_domain == domain("mail.example"));
  CHECK(by_mx->plan->mx_port == 26);
}

TEST_CASE("a password is read only from a file that nobody else may read", "[route]") {
  Fixture fixture;
  fixture.write("pencil\n", 0644);
  const auto refused = RouteTable::create(fixture.config, RouteTable::Logins::Load);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::Denied);
  CHECK(refused.error().detail.find("route 'out'") != std::string::npos);
  CHECK(refused.error().detail.find("pencil") == std::string::npos);
  CHECK(RouteTable::create(fixture.config, RouteTable::Logins::Leave));  // who only looks needs no password
}

TEST_CASE("the first line alone is the password, and an empty one is none", "[route]") {
  Fixture fixture;
  fixture.write("pencil\r\nnote\n");
  CHECK(fixture.table()->find({}, domain("a.example"))->login->get()->password.reveal() == "pencil");
  for (const std::string& content : {std::string("\n"), std::string(), std::string(256, 'x')}) {
    fixture.write(content);
    CHECK_FALSE(RouteTable::create(fixture.config, RouteTable::Logins::Load));
  }
}

TEST_CASE("passwords are read anew, and one that cannot be read stays", "[route]") {
  Fixture fixture;
  const auto table = fixture.table();
  const auto current = [&] {
    return std::string(table->find({}, domain("a.example"))->login->get()->password.reveal());
  };
  fixture.write("brush\n");
  CHECK(table->reload_passwords().empty());
  CHECK(current() == "brush");
  fixture.write("other\n", 0644);
  CHECK(table->reload_passwords().size() == 1);
  CHECK(current() == "brush");
}

TEST_CASE("all mail of a route has one destination, and other mail has its domain", "[route]") {
  Fixture fixture;
  fixture.config.routes[0].tenant = "shop";
  const auto table = fixture.table();
  CHECK(table->destination("shop", "a.example") == "route out");
  CHECK(table->destination("shop", "b.example") == "route out");
  CHECK(table->destination("office", "a.example").empty());
}

TEST_CASE("mail is seen to come from the addresses of all its ways, unless one of them is not known", "[route]") {
  Fixture fixture;
  const IpAddress own = *IpAddress::parse("192.0.2.1");
  const IpAddress smart = *IpAddress::parse("198.51.100.1");
  fixture.config.routes = {route("known", {"known.example"}, {"a.example"}),
                           route("dark", {"dark.example"}, {"b.example"}), route("apart", {"apart.example"}, {})};
  fixture.config.routes[0].egress_addresses = {smart};
  fixture.config.routes[2].direct = true;
  const auto table = fixture.table();
  using Addresses = std::vector<IpAddress>;
  CHECK(table->egress_addresses({}, {"direct.example"}, {own}) == Addresses{own});
  CHECK(table->egress_addresses({}, {"known.example"}, {own}) == Addresses{smart});
  CHECK(table->egress_addresses({}, {"known.example", "direct.example", "direct.example"}, {own}) ==
        Addresses{own, smart});
  CHECK(table->egress_addresses({}, {"known.example", "dark.example"}, {own}).empty());
  CHECK(table->egress_addresses({}, {"apart.example"}, {own}) == Addresses{own});
}
