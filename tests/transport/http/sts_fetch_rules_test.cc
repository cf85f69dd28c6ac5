#include "transport/http/sts_fetch_rules.h"

#include <catch2/catch.hpp>

#include "policy/mta_sts.h"

using namespace waxwing;

TEST_CASE("the policy of a domain is asked for at its mta-sts host", "[http]") {
  const auto domain = DomainName::parse("example.org");
  REQUIRE(domain);
  const HttpRequest request = sts_policy_request(*domain, "Waxwing");
  CHECK(request.host == "mta-sts.example.org");
  CHECK(request.path == "/.well-known/mta-sts.txt");
  CHECK(request.accept == "text/plain");
}

TEST_CASE("a plain text with status 200 is a policy text", "[http]") {
  const auto text = take_sts_policy_text({.status = 200, .media_type = "text/plain", .body = "version: STSv1\n"});
  REQUIRE(text);
  CHECK(*text == "version: STSv1\n");
  CHECK(
      take_sts_policy_text({.status = 200, .media_type = "text/plain", .body = std::string(kMaxStsPolicyOctets, 'x')}));
}

TEST_CASE("anything else is refused, with the reason", "[http]") {
  const auto detail = [](HttpResponse response) {
    const auto text = take_sts_policy_text(std::move(response));
    REQUIRE_FALSE(text);
    CHECK(text.error().kind == ErrorKind::Denied);
    return text.error().detail;
  };
  for (const int status : {301, 302, 303, 307, 308}) {
    CHECK(detail({.status = status, .media_type = "text/plain", .body = "x"}).find("redirect") != std::string::npos);
  }
  for (const int status : {201, 204, 206, 404, 500, 503}) {
    CHECK(detail({.status = status, .media_type = "text/plain", .body = "x"}) ==
          "the policy host answered with status " + std::to_string(status) + " instead of 200");
  }
  CHECK(detail({.status = 200, .media_type = "text/html", .body = "x"}) ==
        "the policy is served as 'text/html' instead of text/plain");
  CHECK(detail({.status = 200, .media_type = "", .body = "x"}) ==
        "the policy is served without a media type instead of as text/plain");
  CHECK(detail({.status = 200, .media_type = "text/plain", .body = std::string(kMaxStsPolicyOctets + 1, 'x')}) ==
        "the policy is larger than 65536 octets");
}
