// What a TLS report counts: each session once, by the policy of the recipient's domain, with the word of RFC 8460.

#include <catch2/catch.hpp>

#include "tests/transport/delivery/tls_world.h"

using namespace waxwing;
using namespace waxwing::testing;
using Matching = TlsWorld::Matching;

namespace {

using Strings = std::vector<std::string>;

const Identity kNamed{.names = {kMx1}};
const Identity kNobody{.names = {"nobody.example"}, .issuer = Issuer::Itself};

struct ReportWorld : TlsWorld {
  Host& with_dane(ServerScript script = {}) {
    Host& host = dane_host(kNobody, std::move(script));
    publish_tlsa(kMx1, {tlsa(3, 1, Matching::Sha256, host.certificate)});
    return host;
  }
  Host& without_policy(const Identity& identity = kNamed, ServerScript script = {}) {
    Host& its_host = host(kMx1, identity, Status::Insecure, std::move(script));
    mx(Status::Insecure, {kMx1});
    return its_host;
  }
  const TlsSessionResult& only_result() {
    REQUIRE(report().tls_results.size() == 1);
    return report().tls_results[0];
  }
};

std::size_t sum(const TlsReportTally& tally, bool failures) {
  std::size_t total = 0;
  for (const auto& [policy, counted] : tally.sums()) total += failures ? counted.failures : counted.successes;
  return total;
}

}  // namespace

TEST_CASE("a success under DANE names the TLSA base domain and the records (RFC 8460 §4.4)", "[tlsrpt]") {
  ReportWorld world;
  world.with_dane();
  CHECK(world.deliver() == "delivered to mx1.hosting.example by dane, authenticated | tlsa success");
  const TlsReportPolicy& policy = world.only_result().policy;
  CHECK(policy.domain == kMx1);
  REQUIRE(policy.strings.size() == 1);
  CHECK_THAT(policy.strings[0], Catch::StartsWith("3 1 1 "));
}

TEST_CASE("a success under MTA-STS names the recipient's domain, the lines and the patterns (RFC 8460 §4.4)",
          "[tlsrpt]") {
  ReportWorld world;
  world.without_policy();
  world.policy_host().serve("enforce", "*.hosting.example");
  CHECK(world.deliver() == "delivered to mx1.hosting.example by pkix, authenticated | sts success");
  const TlsReportPolicy& policy = world.only_result().policy;
  CHECK(policy.domain == kReceiver);
  CHECK(policy.strings == Strings{"version: STSv1", "mode: enforce", "mx: *.hosting.example", "max_age: 86400"});
  CHECK(policy.mx_patterns == Strings{"*.hosting.example"});
}

TEST_CASE("a success without any policy names the recipient's domain (RFC 8460 §4.4)", "[tlsrpt]") {
  ReportWorld world;
  world.without_policy();
  CHECK(world.deliver() == "delivered to mx1.hosting.example by opportunistic, encrypted | no-policy-found success");
  CHECK(world.only_result().policy.domain == kReceiver);
}

TEST_CASE("a failure names both ends of the connection, the host and why (RFC 8460 §4.4)", "[tlsrpt]") {
  ReportWorld world;
  world.with_dane();
  world.publish_tlsa(kMx1, {TlsWorld::wrong_tlsa()});
  CHECK(world.deliver() == "deferred 4.7.5 | tlsa certificate-not-trusted");
  const TlsFailure& failure = *world.only_result().failure;
  CHECK(failure.receiving_mx == kMx1);
  CHECK(failure.receiving_ip == "127.0.0.2");
  CHECK(failure.sending_ip == "127.0.0.1");
  CHECK_FALSE(failure.reason_code.empty());
}

TEST_CASE("a failure before any connection names the host alone (RFC 8460 §4.4)", "[tlsrpt]") {
  ReportWorld world;
  world.with_dane();
  world.publish_tlsa(kMx1, {}, Status::Bogus);
  CHECK(world.deliver() == "deferred 4.4.3 | tlsa dnssec-invalid");
  const TlsFailure& failure = *world.only_result().failure;
  CHECK(failure.receiving_mx == kMx1);
  CHECK(failure.receiving_ip.empty());
  CHECK(failure.sending_ip.empty());
}

TEST_CASE("starttls-not-supported: without any policy too (RFC 8460 §4.3.1)", "[tlsrpt]") {
  ReportWorld world;
  world.without_policy(kNamed, without_starttls());
  CHECK(world.deliver() == "deferred 4.7.4 | no-policy-found starttls-not-supported");
}

TEST_CASE("octets that come with the leave for STARTTLS are no part of the session (RFC 3207 §6)", "[tlsrpt]") {
  ReportWorld world;
  ServerScript script;
  script.starttls = "220 2.0.0 go ahead\r\nthis is no TLS\r\n";
  world.with_dane(script);
  CHECK(world.deliver() == "delivered to mx1.hosting.example by dane, authenticated | tlsa success");
}

TEST_CASE("a connection that is refused is no session (RFC 8460 §4.3.4)", "[tlsrpt]") {
  ReportWorld world;
  world.with_dane();
  world.dns.a(kMx1, Status::Secure, {"127.0.0.99"});
  CHECK(world.deliver() == "deferred 4.4.1 |");
}

TEST_CASE("a connection that ends before TLS is no session (RFC 8460 §4.3.4)", "[tlsrpt]") {
  const std::string cut{kCut};
  ServerScript script;
  switch (GENERATE(0, 1, 2)) {
    case 0:
      script.banner = "421 4.3.2 busy\r\n" + cut;
      break;
    case 1:
      script.ehlo = cut;
      break;
    default:
      script.starttls = cut;
  }
  ReportWorld world;
  world.with_dane(script);
  const std::string text = world.deliver();
  CHECK(text.starts_with("deferred 4."));
  CHECK(text.ends_with(" |"));
}

TEST_CASE("a lookup without an answer is no session (RFC 8460 §4.3.4)", "[tlsrpt]") {
  ReportWorld world;
  world.with_dane();
  world.publish_tlsa(kMx1, {}, Status::Failed);
  CHECK(world.deliver() == "deferred 4.4.3 |");
}

TEST_CASE("a host that was not needed is not counted (RFC 8460 §4.3)", "[tlsrpt]") {
  ReportWorld world;
  world.with_dane();
  world.host(kMx2, kNobody, Status::Secure);
  world.mx(Status::Secure, {kMx1, kMx2});
  world.publish_tlsa(kMx2, {TlsWorld::wrong_tlsa()});
  CHECK(world.deliver() == "delivered to mx1.hosting.example by dane, authenticated | tlsa success");
}

TEST_CASE("hosts under different policies are counted apart (RFC 8460 §4.5)", "[tlsrpt]") {
  ReportWorld world;
  world.with_dane();
  world.good_host(kMx2);
  world.mx(Status::Secure, {kMx1, kMx2});
  world.publish_tlsa(kMx1, {TlsWorld::wrong_tlsa()});
  world.policy_host().serve("enforce", "*.hosting.example");
  CHECK(world.deliver() ==
        "delivered to mx2.hosting.example by pkix, authenticated | tlsa certificate-not-trusted, sts success");
}

TEST_CASE("many messages over one session are one success (RFC 8460 §4.3)", "[tlsrpt]") {
  ReportWorld world;
  world.with_dane();
  TlsReportTally tally;
  for (int i = 0; i < 5; ++i) {
    CHECK(world.deliver().starts_with("delivered"));
    for (const TlsSessionResult& result : world.report().tls_results) tally.add(result);
  }
  CHECK(sum(tally, false) == 1);
  CHECK(sum(tally, true) == 0);
}

TEST_CASE("a policy that could not be had is counted with each session, not with each message (RFC 8460 §4.3.3)",
          "[tlsrpt]") {
  ReportWorld world;
  world.without_policy();
  world.policy_host();  // has none
  TlsReportTally tally;
  for (int i = 0; i < 5; ++i) {
    CHECK(world.deliver().starts_with("delivered"));
    for (const TlsSessionResult& result : world.report().tls_results) tally.add(result);
  }
  CHECK(sum(tally, false) == 1);
  CHECK(sum(tally, true) == 1);
}

TEST_CASE("a renewal that fails while the old policy holds is told beside the session (RFC 8460 §4.3.3)", "[tlsrpt]") {
  ReportWorld world;
  world.without_policy();
  HttpsPeer& https = world.policy_host();
  https.serve("enforce", kMx1);
  CHECK(world.deliver() == "delivered to mx1.hosting.example by pkix, authenticated | sts success");
  https.answer("404 Not Found");
  world.policy_record("v=STSv1; id=2;");
  world.hang_up();
  world.pass(Seconds(400));
  CHECK(world.deliver() ==
        "delivered to mx1.hosting.example by pkix, authenticated | sts sts-policy-fetch-error, sts success");
}

TEST_CASE("a session that resumes an earlier one is a session (RFC 8460 §4.3)", "[tlsrpt]") {
  ReportWorld world;
  const auto& host = world.with_dane();
  CHECK(world.deliver().ends_with("tlsa success"));
  world.hang_up();
  CHECK(world.deliver().ends_with("tlsa success"));
  CHECK(host.server->resumed() == 1);
}

TEST_CASE("a message that the host refuses for itself went over a good session (RFC 8460 §4.3)", "[tlsrpt]") {
  ReportWorld world;
  ServerScript script;
  script.rcpt = {"550 5.1.1 nobody here\r\n"};
  const auto& host = world.with_dane(script);
  world.expects_mail(host);
  CHECK(world.deliver() == "bounced 5.1.1 | tlsa success");
}
