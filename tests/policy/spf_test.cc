#include "policy/spf.h"

#include <catch2/catch.hpp>

#include "tests/support/scripted_dns.h"

using namespace waxwing;
using waxwing::testing::ScriptedDns;

namespace {

SpfInput from(std::string_view client, std::string domain = "example.org") {
  SpfInput input;
  input.client = *IpAddress::parse(client);
  input.domain = input.sender_domain = std::move(domain);
  input.sender_local = "user";
  input.helo = "relay.example.org";
  input.receiver = "mx.receiver.example";
  return input;
}

SpfVerdict check(ScriptedDns& dns, const SpfInput& input) {
  return dns.resolve([&](Answers& answers) { return check_host(input, answers); });
}

SpfResult result(ScriptedDns& dns, std::string_view client) {
  return check(dns, from(client)).result;
}

}  // namespace

TEST_CASE("the first mechanism that matches decides and is named") {
  ScriptedDns dns;
  dns.txt("example.org", "v=spf1 ip4:192.0.2.0/28 ip6:2001:db8::/32 ~all");
  const SpfVerdict pass = check(dns, from("192.0.2.1"));
  CHECK(pass.result == SpfResult::Pass);
  CHECK(pass.detail.find("\"ip4:192.0.2.0/28\" in the SPF record of example.org") != std::string::npos);
  CHECK(result(dns, "2001:db8::1") == SpfResult::Pass);
  CHECK(result(dns, "192.0.2.16") == SpfResult::SoftFail);
}

TEST_CASE("a domain without a record has no SPF policy, a failed lookup is temporary") {
  ScriptedDns dns;
  CHECK(result(dns, "192.0.2.1") == SpfResult::None);
  dns.txt("example.org", "something else");
  CHECK(result(dns, "192.0.2.1") == SpfResult::None);
  for (const auto status : {Answer::Status::Failed, Answer::Status::Bogus}) {
    ScriptedDns broken;
    broken.fails("example.org", RecordType::TXT, status);
    CHECK(result(broken, "192.0.2.1") == SpfResult::TempError);
  }
}

TEST_CASE("two SPF records are a permanent error") {
  ScriptedDns dns;
  dns.txt("example.org", "v=spf1 -all");
  dns.txt("example.org", "v=spf1 +all");
  CHECK(result(dns, "192.0.2.1") == SpfResult::PermError);
}

TEST_CASE("names that cannot be checked have no policy and ask nothing") {
  ScriptedDns dns;
  for (const char* name : {"localhost", "", "a..example", "[192.0.2.1]"}) {
    CHECK(check(dns, from("192.0.2.1", name)).result == SpfResult::None);
    CHECK(dns.asked.empty());
  }
}

TEST_CASE("an IPv6 client is looked up by AAAA, exists always by A") {
  ScriptedDns dns;
  dns.txt("example.org", "v=spf1 a:host.example.org exists:yes.example.org -all");
  dns.address("host.example.org", "2001:db8::1");
  dns.address("host.example.org", "192.0.2.1");
  CHECK(result(dns, "2001:db8::1") == SpfResult::Pass);
  CHECK(dns.asked.contains({"host.example.org", RecordType::AAAA}));
  CHECK_FALSE(dns.asked.contains({"host.example.org", RecordType::A}));
  CHECK(result(dns, "2001:db8::2") == SpfResult::Fail);
  dns.address("yes.example.org", "127.0.0.1");
  CHECK(result(dns, "2001:db8::2") == SpfResult::Pass);
}

TEST_CASE("what a record will need is asked for in one round") {
  ScriptedDns dns;
  dns.txt("example.org", "v=spf1 include:a.example include:b.example mx a:c.example redirect=d.example");
  for (const char* name : {"a.example", "b.example", "d.example"}) dns.txt(name, "v=spf1 ?all");
  dns.mx("example.org", 10, "mx1.example.org");
  dns.mx("example.org", 20, "mx2.example.org");
  dns.address("mx1.example.org", "192.0.2.10");
  dns.address("mx2.example.org", "192.0.2.11");
  dns.address("c.example", "192.0.2.12");
  CHECK(result(dns, "192.0.2.1") == SpfResult::Neutral);
  CHECK(dns.rounds == 3);  // the record; its terms; the hosts of mx
}

TEST_CASE("an eleventh term that needs a lookup is a permanent error, across includes") {
  ScriptedDns dns;
  dns.txt("example.org", "v=spf1 include:ten.example -all");
  std::string ten = "v=spf1";
  for (int i = 0; i < 9; ++i) ten += " -a:h" + std::to_string(i) + ".example";
  for (int i = 0; i < 11; ++i) dns.address("h" + std::to_string(i) + ".example", "198.51.100.1");
  dns.txt("ten.example", ten + " ?all");
  CHECK(result(dns, "192.0.2.1") == SpfResult::Fail);
  ScriptedDns more = dns;
  more.txt("eleven.example", ten + " -a:h9.example ?all");
  more.txt("more.example.org", "v=spf1 include:eleven.example -all");
  CHECK(check(more, from("192.0.2.1", "more.example.org")).result == SpfResult::PermError);
}

TEST_CASE("a third lookup that finds nothing is a permanent error") {
  ScriptedDns dns;
  dns.txt("example.org", "v=spf1 a:n1.example a:n2.example ip4:192.0.2.1 a:n3.example -all");
  CHECK(result(dns, "192.0.2.1") == SpfResult::Pass);
  CHECK(result(dns, "192.0.2.2") == SpfResult::PermError);
}

TEST_CASE("a record that includes itself ends as a permanent error") {
  ScriptedDns dns;
  dns.txt("example.org", "v=spf1 include:example.org -all");
  CHECK(result(dns, "192.0.2.1") == SpfResult::PermError);
  ScriptedDns redirected;
  redirected.txt("example.org", "v=spf1 redirect=example.org");
  CHECK(result(redirected, "192.0.2.1") == SpfResult::PermError);
}

TEST_CASE("an explanation is fetched for a Fail only when it is wanted") {
  ScriptedDns dns;
  dns.txt("example.org", "v=spf1 -all exp=why.%{d}");
  dns.txt("why.example.org", "%{i} may not send for %{o}, says %{r} at %{t}");
  SpfInput input = from("192.0.2.1");
  input.now = WallTime{Seconds{1'750'000'000}};
  CHECK(check(dns, input).explanation ==
        "192.0.2.1 may not send for example.org, says mx.receiver.example at 1750000000");
  input.explanation = SpfExplanation::NotWanted;
  CHECK(check(dns, input).explanation.empty());
  CHECK_FALSE(dns.asked.contains({"why.example.org", RecordType::TXT}));
}

TEST_CASE("an explanation that is not printable or cannot be read is left out") {
  for (const char* text : {"na\xc3\xafve", "%{z}", "line\nbreak"}) {
    ScriptedDns dns;
    dns.txt("example.org", "v=spf1 -all exp=why.example.org");
    dns.txt("why.example.org", text);
    const SpfVerdict verdict = check(dns, from("192.0.2.1"));
    CHECK(verdict.result == SpfResult::Fail);
    CHECK(verdict.explanation.empty());
  }
}

TEST_CASE("odd octets of a local part are escaped in the question") {
  ScriptedDns dns;
  dns.txt("example.org", "v=spf1 exists:%{l}.x.example -all");
  SpfInput input = from("192.0.2.1");
  input.sender_local = "A b\\\xff";
  CHECK(check(dns, input).result == SpfResult::Fail);
  CHECK(dns.asked.contains({"a\\032b\\092\\255.x.example", RecordType::A}));
}

TEST_CASE("ptr needs a name of the client that leads back to it") {
  ScriptedDns dns;
  dns.txt("example.org", "v=spf1 ptr -all");
  dns.ptr("1.2.0.192.in-addr.arpa", "forged.example.org");
  dns.address("forged.example.org", "192.0.2.9");
  CHECK(result(dns, "192.0.2.1") == SpfResult::Fail);
  dns.ptr("1.2.0.192.in-addr.arpa", "host.example.org");
  dns.address("host.example.org", "192.0.2.1");
  CHECK(result(dns, "192.0.2.1") == SpfResult::Pass);
}
