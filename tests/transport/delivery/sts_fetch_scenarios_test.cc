// How an MTA-STS policy is found, fetched, kept and renewed, and what a report says when it cannot be.

#include <catch2/catch.hpp>

#include "tests/transport/delivery/tls_world.h"

using namespace waxwing;
using namespace waxwing::testing;

namespace {

constexpr const char* kByPolicy = "delivered to mx1.hosting.example by pkix, authenticated |";
constexpr const char* kByAnybody = "delivered to mx1.hosting.example by opportunistic, encrypted |";
constexpr const char* kPolicyHost = "mta-sts.receiver.example";

// A host whose certificate satisfies a policy, and a policy host.
struct FetchWorld : TlsWorld {
  HttpsPeer& https;
  explicit FetchWorld(const Identity& identity = {.names = {kMx1}}) : https(start(identity)) {}

  // As deliver(), without what reports count.
  std::string way() {
    const std::string text = deliver();
    return text.substr(0, text.find('|') + 1);
  }
  // Long enough for answers and plans to be forgotten, and for a fetch to be tried again.
  void pass_a_while() {
    hang_up();
    pass(Seconds(400));
  }

 private:
  HttpsPeer& start(const Identity& identity) {
    host(kMx1, identity);
    mx(Status::Insecure, {kMx1});
    HttpsPeer& peer = policy_host();
    peer.serve("enforce", kMx1);
    return peer;
  }
};

// What is reported beside a session under no policy.
std::string no_policy(const std::string& result) {
  return std::string(kByAnybody) + " sts " + result + ", no-policy-found success";
}

}  // namespace

TEST_CASE("a policy is fetched from its well-known place (RFC 8461 §3.3)", "[sts]") {
  FetchWorld world;
  CHECK(world.way() == kByPolicy);
  REQUIRE(world.https.requests.size() == 1);
  CHECK_THAT(world.https.requests[0], Catch::StartsWith("GET /.well-known/mta-sts.txt HTTP/1.1\r\n"));
  CHECK_THAT(world.https.requests[0], Catch::Contains("\r\nHost: mta-sts.receiver.example"));
}

TEST_CASE("without a record nothing is fetched (RFC 8461 §3.1)", "[sts]") {
  FetchWorld world;
  world.policy_record("");
  CHECK(world.deliver() == std::string(kByAnybody) + " no-policy-found success");
  CHECK(world.https.connections == 0);
}

TEST_CASE("two records are none (RFC 8461 §3.1)", "[sts]") {
  FetchWorld world;
  world.dns.txt("_mta-sts.receiver.example", Status::Insecure, {"v=STSv1; id=1;", "v=STSv1; id=2;"});
  CHECK(world.deliver() == std::string(kByAnybody) + " no-policy-found success");
  CHECK(world.https.connections == 0);
}

TEST_CASE("other TXT records beside the one do not matter (RFC 8461 §3.1)", "[sts]") {
  FetchWorld world;
  world.dns.txt("_mta-sts.receiver.example", Status::Insecure, {"v=spf1 -all", "v=STSv1; id=1;", "v=STSv2; id=2;"});
  CHECK(world.way() == kByPolicy);
}

TEST_CASE("a record that is malformed is none (RFC 8461 §3.1)", "[sts]") {
  const std::string record =
      GENERATE(std::string("v=STSv1;"), std::string("v=STSv1; id=;"), std::string("v=STSv1; id=a-b;"),
               std::string("v=STSv1 id=1"), std::string("v=STSv1; id=123456789012345678901234567890123;"));
  FetchWorld world;
  world.policy_record(record);
  CHECK(world.way() == kByAnybody);
  CHECK(world.https.connections == 0);
}

TEST_CASE("fields that nobody knows in the record are passed over (RFC 8461 §3.1)", "[sts]") {
  FetchWorld world;
  world.policy_record("v=STSv1; id=1; unknown=value;");
  CHECK(world.way() == kByPolicy);
}

TEST_CASE("a record that cannot be looked up is no policy at first contact (RFC 8461 §3.1)", "[sts]") {
  FetchWorld world;
  world.policy_record("v=STSv1; id=1;", GENERATE(Status::Failed, Status::Bogus));
  CHECK(world.way() == kByAnybody);
}

TEST_CASE("a policy in hand holds when the record cannot be looked up (RFC 8461 §5.1)", "[sts]") {
  FetchWorld world;
  CHECK(world.way() == kByPolicy);
  world.policy_record("v=STSv1; id=1;", GENERATE(Status::Failed, Status::Bogus));
  world.pass_a_while();
  CHECK(world.way() == kByPolicy);
}

TEST_CASE("a policy in hand holds when the record is gone (RFC 8461 §5.1)", "[sts]") {
  FetchWorld world;
  CHECK(world.way() == kByPolicy);
  world.policy_record("");
  world.pass_a_while();
  CHECK(world.way() == kByPolicy);
  CHECK(world.https.connections == 1);
}

TEST_CASE("a policy that is not there (RFC 8461 §3.3)", "[sts]") {
  FetchWorld world;
  world.https.answer(GENERATE(std::string("404 Not Found"), std::string("500 Oops"), std::string("204 No Content")));
  CHECK(world.deliver() == no_policy("sts-policy-fetch-error"));
}

TEST_CASE("a redirect is not followed (RFC 8461 §3.3)", "[sts]") {
  FetchWorld world;
  world.https.answer(GENERATE(std::string("301 Moved"), std::string("307 Temporary Redirect")),
                     "Location: https://mta-sts.receiver.example/other\r\n");
  CHECK(world.deliver() == no_policy("sts-policy-fetch-error"));
  CHECK(world.https.connections == 1);
}

TEST_CASE("a certificate of the policy host for another name (RFC 8461 §3.3)", "[sts]") {
  FetchWorld world;
  const std::string name = GENERATE("receiver.example", "www.receiver.example", "*.mta-sts.receiver.example");
  world.https.use(world.context({.names = {name}}));
  CHECK(world.deliver() == no_policy("sts-webpki-invalid"));
}

TEST_CASE("a certificate with a wildcard is one of the policy host (RFC 8461 §3.3)", "[sts]") {
  FetchWorld world;
  world.https.use(world.context({.names = {"*.receiver.example"}}));
  CHECK(world.way() == kByPolicy);
}

TEST_CASE("a certificate of the policy host that has expired (RFC 8461 §3.3)", "[sts]") {
  FetchWorld world;
  world.https.use(world.context({.names = {kPolicyHost}, .dates = Dates::Expired}));
  CHECK(world.deliver() == no_policy("sts-webpki-invalid"));
}

TEST_CASE("a certificate of the policy host by nobody (RFC 8461 §3.3)", "[sts]") {
  FetchWorld world;
  world.https.use(world.context({.names = {kPolicyHost}, .issuer = GENERATE(Issuer::Itself, Issuer::Private)}));
  CHECK(world.deliver() == no_policy("sts-webpki-invalid"));
}

TEST_CASE("a name of the policy host only in the subject (RFC 8461 §3.3, RFC 9525 §6)", "[sts]") {
  FetchWorld world;
  world.https.use(world.context({.names = {}, .common_name = kPolicyHost}));
  CHECK(world.deliver() == no_policy("sts-webpki-invalid"));
}

TEST_CASE("a policy of another media type (RFC 8461 §3.2)", "[sts]") {
  FetchWorld world;
  world.https.serve_text("version: STSv1\r\nmode: enforce\r\nmx: *.hosting.example\r\nmax_age: 86400\r\n",
                         GENERATE(std::string("text/html"), std::string("application/octet-stream")));
  CHECK(world.deliver() == no_policy("sts-policy-fetch-error"));
}

TEST_CASE("a policy with a parameter of its media type (RFC 8461 §3.2)", "[sts]") {
  FetchWorld world;
  world.https.serve_text("version: STSv1\r\nmode: enforce\r\nmx: *.hosting.example\r\nmax_age: 86400\r\n",
                         "Text/Plain; charset=utf-8");
  CHECK(world.way() == kByPolicy);
}

TEST_CASE("a policy larger than 64 KiB (RFC 8461 §3.3)", "[sts]") {
  FetchWorld world;
  world.https.serve_text("version: STSv1\r\n" + std::string(70'000, 'x'));
  CHECK(world.deliver() == no_policy("sts-policy-fetch-error"));
}

TEST_CASE("what is fetched is no policy (RFC 8461 §3.2)", "[sts]") {
  const std::string body = GENERATE(
      std::string("version: STSv2\nmode: enforce\nmx: *.hosting.example\nmax_age: 1\n"),
      std::string("mode: enforce\nmx: *.hosting.example\nmax_age: 1\n"),
      std::string("version: STSv1\nmode: maybe\nmx: *.hosting.example\nmax_age: 1\n"),
      std::string("version: STSv1\nmode: enforce\nmx: *.hosting.example\n"),
      std::string("version: STSv1\nmode: enforce\nmx: *.hosting.example\nmax_age: 31557601\n"),
      std::string("version: STSv1\nmode: enforce\nmax_age: 86400\n"), std::string("<html></html>"), std::string("\n"));
  FetchWorld world;
  world.https.serve_text(body);
  CHECK(world.deliver() == no_policy("sts-policy-invalid"));
}

TEST_CASE("a policy with LF alone and with fields that nobody knows (RFC 8461 §3.2)", "[sts]") {
  FetchWorld world;
  world.https.serve_text("version: STSv1\nmode: enforce\nnew: thing\nmx: mx1.hosting.example\nmax_age: 86400\n");
  CHECK(world.way() == kByPolicy);
}

TEST_CASE("a policy host without address (RFC 8461 §3.3)", "[sts]") {
  FetchWorld world;
  const Status status = GENERATE(Status::Insecure, Status::Failed, Status::Bogus);
  world.dns.a(kPolicyHost, status, {});
  CHECK(world.deliver() == no_policy("sts-policy-fetch-error"));
}

TEST_CASE("a policy host that refuses connections (RFC 8461 §3.3)", "[sts]") {
  FetchWorld world;
  world.dns.a(kPolicyHost, Status::Insecure, {"127.0.0.99"});
  CHECK(world.deliver() == no_policy("sts-policy-fetch-error"));
}

TEST_CASE("a policy is not fetched again while its id stays (RFC 8461 §3.1)", "[sts]") {
  FetchWorld world;
  CHECK(world.way() == kByPolicy);
  world.pass_a_while();
  CHECK(world.way() == kByPolicy);
  CHECK(world.https.connections == 1);
}

TEST_CASE("a new id brings the new policy (RFC 8461 §3.1)", "[sts]") {
  FetchWorld world;
  CHECK(world.way() == kByPolicy);
  world.https.serve("enforce", "elsewhere.example");
  world.policy_record("v=STSv1; id=2;");
  world.pass_a_while();
  CHECK(world.deliver() == "deferred 4.7.5 | sts validation-failure");
}

TEST_CASE("a new id whose policy cannot be had leaves the old policy in force (RFC 8461 §5.1)", "[sts]") {
  FetchWorld world;
  CHECK(world.way() == kByPolicy);
  if (GENERATE(true, false)) {
    world.https.answer("404 Not Found");
  } else {
    world.https.serve_text("version: STSv1\nmode: none\n");  // max_age is missing
  }
  world.policy_record("v=STSv1; id=2;");
  world.pass_a_while();
  CHECK(world.way() == kByPolicy);
}

TEST_CASE("a policy is withdrawn by one in mode none under a new id (RFC 8461 §2.5)", "[sts]") {
  FetchWorld world;
  CHECK(world.way() == kByPolicy);
  world.https.serve_text("version: STSv1\nmode: none\nmax_age: 86400\n");
  world.policy_record("v=STSv1; id=2;");
  world.pass_a_while();
  CHECK(world.deliver() == std::string(kByAnybody) + " no-policy-found success");
}

TEST_CASE("a policy is renewed before it expires (RFC 8461 §3.3)", "[sts]") {
  FetchWorld world;
  CHECK(world.way() == kByPolicy);
  for (int half_day = 1; half_day <= 6; ++half_day) {
    world.hang_up();
    world.pass(Seconds(43'200));
    CHECK(world.way() == kByPolicy);
  }
  CHECK(world.https.connections >= 4);
}

TEST_CASE("a policy that cannot be renewed holds until it expires, and then no longer (RFC 8461 §5.1)", "[sts]") {
  FetchWorld world;
  CHECK(world.way() == kByPolicy);
  world.https.answer("503 Busy");
  world.hang_up();
  world.pass(Seconds(86'000));
  CHECK(world.way() == kByPolicy);
  world.hang_up();
  world.pass(Seconds(500));
  CHECK(world.way() == kByAnybody);
}

TEST_CASE("a policy host that failed is left alone for five minutes (RFC 8461 §3.3)", "[sts]") {
  FetchWorld world;
  world.https.answer("503 Busy");
  CHECK(world.way() == kByAnybody);
  world.hang_up();
  world.pass(Seconds(200));
  world.agent().forget_plans();
  CHECK(world.way() == kByAnybody);
  CHECK(world.https.connections == 1);
  world.https.serve("enforce", kMx1);
  world.pass_a_while();
  CHECK(world.way() == kByPolicy);
  CHECK(world.https.connections == 2);
}

TEST_CASE("policies that are kept and cannot be read make mail wait (RFC 8461 §5.1)", "[sts]") {
  FetchWorld world;
  world.policy_record("");
  world.sts_cache.unreadable = true;
  CHECK(world.deliver() == "deferred 4.3.0 |");
}

TEST_CASE("a policy that may be kept for no time holds for the mail at hand (RFC 8461 §3.2)", "[sts]") {
  FetchWorld world({.names = {"other.example"}});
  world.https.serve("enforce", kMx1, 0);
  CHECK(world.deliver() == "deferred 4.7.5 | sts certificate-host-mismatch");
}
