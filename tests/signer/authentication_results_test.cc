#include "signer/authentication_results.h"

#include <catch2/catch.hpp>
#include <string>

namespace waxwing {
namespace {

AuthenticationResults parsed(std::string_view value) {
  const auto results = AuthenticationResults::parse(value);
  INFO((results ? "" : results.error().detail));
  REQUIRE(results);
  return *results;
}

TEST_CASE("an id without methods says that nothing was checked", "[authentication_results]") {  // RFC 8601 §B.2
  const auto results = parsed(" example.org 1; none");
  CHECK(results.authserv_id == "example.org");
  CHECK(results.methods.empty());
}

TEST_CASE("methods come with comment, reason and properties", "[authentication_results]") {
  const auto results = parsed(
      " example.com (host);\r\n\tauth=pass (cleartext) smtp.auth=sender@example.net;\r\n"
      " spf=pass smtp.mailfrom=example.net ; dkim=fail reason=\"bad signature; really\"\r\n"
      " header.i=\"a b\"@example.net header . b = x7Y/;");
  REQUIRE(results.methods.size() == 3);
  CHECK(results.methods[0].method == "auth");
  CHECK(results.methods[0].result == "pass");
  CHECK(results.methods[0].comment == "cleartext");
  REQUIRE(results.methods[0].properties.size() == 1);
  CHECK(results.methods[0].properties[0].ptype == "smtp");
  CHECK(results.methods[0].properties[0].property == "auth");
  CHECK(results.methods[0].properties[0].value == "sender@example.net");
  CHECK(results.methods[1].comment.empty());
  CHECK(results.methods[2].reason == "bad signature; really");
  REQUIRE(results.methods[2].properties.size() == 2);
  CHECK(results.methods[2].properties[0].value == "a b@example.net");
  CHECK(results.methods[2].properties[1].property == "b");
  CHECK(results.methods[2].properties[1].value == "x7Y/");
}

TEST_CASE("what vendors add beside the grammar does no harm", "[authentication_results]") {
  const auto results = parsed(
      "x; dkim=pass (signature was verified)\n header.d=a.example;dmarc=pass action=none header.from=a.example;"
      "compauth=pass\n reason=100; dmarc=pass(p=REJECT) header.from=b.example;\n");
  REQUIRE(results.methods.size() == 4);
  CHECK(results.methods[1].properties.size() == 1);
  CHECK(results.methods[2].reason == "100");
  CHECK(results.methods[3].comment == "p=REJECT");
}

TEST_CASE("what cannot be understood is refused", "[authentication_results]") {
  const std::string value =
      GENERATE(as<std::string>(), "", ";", "; spf=pass", "a b c; spf=pass", "a 2; spf=pass", "a; spf", "a; =pass",
               "a; spf=", "a; spf=pass (open", "a; spf=pass reason=\"open", "\"a", "\xff\xff; spf=pass",
               "\"\x01\"; spf=pass", "a; spf=pass.", "a; spf=pass / 8");
  INFO(value);
  CHECK_FALSE(AuthenticationResults::parse(value));
}

TEST_CASE("a property has no version", "[authentication_results]") {
  const auto results = parsed("a; spf=pass reason=x y/8.z=1 smtp.helo=b");
  REQUIRE(results.methods.front().properties.size() == 1);
  CHECK(results.methods.front().properties.front().property == "helo");
}

TEST_CASE("sizes are bounded", "[authentication_results]") {
  std::string many = "a";
  for (std::size_t i = 0; i <= kMaxReportedMethods; ++i) many += "; spf=pass";
  CHECK(AuthenticationResults::parse(many).error().kind == ErrorKind::Exhausted);
  std::string properties = "a; spf=pass";
  for (std::size_t i = 0; i <= kMaxReportedProperties; ++i) properties += " smtp.a=b";
  CHECK(AuthenticationResults::parse(properties).error().kind == ErrorKind::Exhausted);
  CHECK(AuthenticationResults::parse("a; spf=pass " + std::string(100'000, '(')).error().kind == ErrorKind::Exhausted);
}

TEST_CASE("what is written can be read back", "[authentication_results]") {
  AuthenticationResults results;
  results.authserv_id = "relay.example.org";
  results.methods.push_back(
      {"dkim", "fail", "256-bit key; (un)likely \\", "it \"broke\"", {{"header", "d", "a.example"}}});
  results.methods.push_back(
      {"spf", "pass", "", "", {{"smtp", "mailfrom", "a;b\r\nX: y@c.example"}, {"smtp", "x", ""}}});
  const std::string field = results.field();
  CHECK(field.starts_with("Authentication-Results: relay.example.org;"));
  CHECK(parse_header_block(field).value().size() == 1);
  const auto again = parsed(parse_header_block(field).value().front().value);
  REQUIRE(again.methods.size() == 2);
  CHECK(again.methods[0].comment == results.methods[0].comment);
  CHECK(again.methods[0].reason == results.methods[0].reason);
  CHECK(again.methods[1].properties[0].value == "a;b X: y@c.example");
  CHECK(again.methods[1].properties[1].value.empty());
}

TEST_CASE("lines are folded where there are spaces", "[authentication_results]") {
  AuthenticationResults results;
  results.authserv_id = "relay.example.org";
  for (int i = 0; i < 20; ++i)
    results.methods.push_back({"dkim", "pass", "2048-bit key", "", {{"header", "d", "a.example"}}});
  const std::string field = results.field();
  for (std::size_t at = 0; at < field.size(); at = field.find("\r\n", at) + 2) CHECK(field.find("\r\n", at) - at <= 78);
}

TEST_CASE("whose field it is can be told from fields that cannot be read", "[authentication_results]") {
  CHECK(read_authserv_id(" (c) relay.Example.org ; spf") == "relay.Example.org");
  CHECK(read_authserv_id("\"relay.example.org\" 9; x") == "relay.example.org");
  CHECK(read_authserv_id("\r\n relay.example.org") == "relay.example.org");
  CHECK(read_authserv_id("") == "");
}

TEST_CASE("the fields of one host are merged, those of others are not",
          "[authentication_results]") {  // RFC 8617 §4.1.1
  const auto header = parse_header_block(
                          "Authentication-Results: Lists.example.org; arc=none\r\n"
                          "Authentication-Results: lists.example.org; spf=pass smtp.mfrom=jqd@d1.example\r\n"
                          "Authentication-Results: lists.example.org; dkim=pass (1024-bit key) header.i=@d1.example\r\n"
                          "Authentication-Results: nobody.example.org; something=ignored\r\n"
                          "Authentication-Results: lists.example.org; broken\r\n")
                          .value();
  FoldedLine line("X:");
  merge_results(header, "lists.example.org").write(line);
  CHECK(line.text() ==
        "X: lists.example.org; arc=none; spf=pass smtp.mfrom=jqd@d1.example; dkim=pass\r\n"
        " (1024-bit key) header.i=@d1.example");
}

}  // namespace
}  // namespace waxwing
