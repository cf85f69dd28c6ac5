#include "policy/preflight.h"

#include <catch2/catch.hpp>

#include "tests/support/scripted_dns.h"

using namespace waxwing;
using waxwing::testing::ScriptedDns;
using Outcome = PreflightVerdict::Outcome;

namespace {

const std::string kKey(32, 'k');

PreflightInput input() {
  PreflightInput message{*DomainName::parse("example.org"),
                         *MailAddress::parse("user@example.org"),
                         *DomainName::parse("relay.provider.example"),
                         {*IpAddress::parse("192.0.2.1")},
                         {}};
  message.keys.push_back({*DomainName::parse("example.org"), "s1", DkimKeyType::Ed25519, kKey});
  return message;
}

ScriptedDns enforcing() {
  ScriptedDns dns;
  dns.txt("_dmarc.example.org", "v=DMARC1; p=reject");
  return dns;
}

void publish_key(ScriptedDns& dns) {
  dns.txt("s1._domainkey.example.org", format_dkim_key_record(DkimKeyType::Ed25519, kKey));
}

PreflightVerdict run(ScriptedDns& dns, const PreflightInput& message) {
  const PreflightVerdict verdict = dns.resolve([&](Answers& answers) { return preflight(message, answers); });
  CHECK_FALSE(verdict.sentence.empty());
  CHECK(verdict.sentence.size() <= kMaxSentenceOctets);
  CHECK(std::all_of(verdict.sentence.begin(), verdict.sentence.end(), [](char c) { return c >= 0x20 && c < 0x7f; }));
  return verdict;
}

bool says(const PreflightVerdict& verdict, const std::string& text) {
  UNSCOPED_INFO(verdict.sentence);
  return verdict.sentence.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("a record that is published as it is usually written needs no reading, any other is read") {
  PreflightInput message = input();
  message.keys.front().usual_record = format_dkim_key_record(DkimKeyType::Ed25519, kKey);
  for (const char* const suffix : {"", ";", "; h=sha256", " ; s=email"}) {
    ScriptedDns dns = enforcing();
    dns.txt("s1._domainkey.example.org", message.keys.front().usual_record + suffix);
    CHECK(run(dns, message).keys.at(0).proven);
  }
  for (const char* const suffix : {"; h=sha1", "; s=other", "A"}) {
    ScriptedDns dns = enforcing();
    dns.txt("s1._domainkey.example.org", message.keys.front().usual_record + suffix);
    CHECK_FALSE(run(dns, message).keys.at(0).proven);
  }
}

TEST_CASE("a published key makes mail pass and everything is asked in one round") {
  ScriptedDns dns = enforcing();
  publish_key(dns);
  dns.txt("example.org", "v=spf1 -all");
  const PreflightVerdict verdict = run(dns, input());
  CHECK(verdict.outcome == Outcome::Pass);
  CHECK(verdict.keys.at(0).proven);
  CHECK(verdict.keys.at(0).detail.empty());
  CHECK(verdict.dmarc_policy == "reject");
  CHECK(verdict.dmarc_record_domain == "example.org");
  CHECK(verdict.spf.at(0).verdict.result == SpfResult::Fail);
  CHECK(dns.rounds == 1);
}

TEST_CASE("mail that would fail is told with domain, record and remedy") {
  ScriptedDns dns = enforcing();
  dns.txt("example.org", "v=spf1 -all");
  const PreflightVerdict verdict = run(dns, input());
  CHECK(verdict.outcome == Outcome::WouldFail);
  CHECK(verdict.sentence ==
        "mail from example.org would fail DMARC (p=reject at _dmarc.example.org): DKIM key s1._domainkey.example.org "
        "is not "
        "published, and SPF of example.org gives fail for 192.0.2.1; publish s1._domainkey.example.org TXT "
        "\"v=DKIM1; k=ed25519; p=a2tra2tra2tr...\" or add ip4:192.0.2.1 to the SPF record of example.org");
  CHECK(verdict.keys.at(0).detail.find(format_dkim_key_record(DkimKeyType::Ed25519, kKey)) != std::string::npos);
}

TEST_CASE("only a record that carries exactly this key and allows it proves it") {
  const std::string record = format_dkim_key_record(DkimKeyType::Ed25519, kKey);
  const std::pair<std::string, std::string> faults[] = {
      {format_dkim_key_record(DkimKeyType::Ed25519, std::string(32, 'x')), "carries another key"},
      {format_dkim_key_record(DkimKeyType::Rsa, kKey), "is for k=rsa instead of k=ed25519"},
      {"v=DKIM1; k=ed25519; p=", "is revoked"},
      {record + "; h=sha1", "does not allow sha256"},
      {record + "; s=chat", "is not for e-mail"},
      {"v=spf1 -all", "is wrong"},
  };
  for (const auto& [txt, fault] : faults) {
    ScriptedDns dns = enforcing();
    dns.txt("s1._domainkey.example.org", txt);
    const PreflightVerdict verdict = run(dns, input());
    CHECK_FALSE(verdict.keys.at(0).proven);
    CHECK(verdict.outcome == Outcome::WouldFail);
    CHECK(says(verdict, fault));
  }
  ScriptedDns twice = enforcing();
  publish_key(twice);
  twice.txt("s1._domainkey.example.org", "other");
  CHECK(says(run(twice, input()), "more than one TXT record"));
}

TEST_CASE("SPF alone passes only when it is aligned and passes from every egress address") {
  ScriptedDns dns = enforcing();
  dns.txt("example.org", "v=spf1 ip4:192.0.2.1 -all");
  PreflightInput message = input();
  CHECK(run(dns, message).outcome == Outcome::Pass);
  message.egress.push_back(*IpAddress::parse("2001:db8::1"));
  const PreflightVerdict second = run(dns, message);
  CHECK(second.outcome == Outcome::WouldFail);
  CHECK(says(second, "add ip6:2001:db8::1 to the SPF record of example.org"));
  message = input();
  message.reverse_path = *MailAddress::parse("bounce@provider.example");
  dns.txt("provider.example", "v=spf1 +all");
  const PreflightVerdict foreign = run(dns, message);
  CHECK(foreign.outcome == Outcome::WouldFail);
  CHECK(says(foreign, "SPF of provider.example is not aligned"));
  message.egress.clear();
  CHECK(says(run(dns, message), "no egress address is configured"));
}

TEST_CASE("a null reverse-path is judged by the HELO name") {
  ScriptedDns dns = enforcing();
  dns.txt("relay.example.org", "v=spf1 ip4:192.0.2.1 -all");
  PreflightInput message = input();
  message.reverse_path.reset();
  message.helo = *DomainName::parse("relay.example.org");
  CHECK(run(dns, message).outcome == Outcome::Pass);
  dns.txt("_dmarc.strict.example.org", "v=DMARC1; p=reject; aspf=s; adkim=s");
  message.author_domain = *DomainName::parse("strict.example.org");
  const PreflightVerdict strict = run(dns, message);
  CHECK(strict.outcome == Outcome::WouldFail);
  CHECK(says(strict, "the DKIM key of example.org is not aligned"));
}

TEST_CASE("a domain that asks nobody to enforce anything passes, whatever fails") {
  ScriptedDns nothing;
  CHECK(run(nothing, input()).outcome == Outcome::Pass);
  CHECK(run(nothing, input()).dmarc_policy.empty());
  ScriptedDns lenient;
  lenient.txt("_dmarc.example.org", "v=DMARC1; p=none");
  CHECK(run(lenient, input()).outcome == Outcome::Pass);
  CHECK(says(run(lenient, input()), "would fail DMARC, but p=none at _dmarc.example.org"));
  ScriptedDns testing;
  testing.txt("_dmarc.example.org", "v=DMARC1; p=quarantine; t=y");
  CHECK(run(testing, input()).outcome == Outcome::Pass);
}

TEST_CASE("a failed lookup makes the outcome unknown only where it could change it") {
  ScriptedDns record;
  record.fails("_dmarc.example.org", RecordType::TXT);
  CHECK(run(record, input()).outcome == Outcome::Unknown);
  publish_key(record);
  CHECK(run(record, input()).outcome == Outcome::Pass);  // the same domain is aligned under any record
  ScriptedDns key = enforcing();
  key.fails("s1._domainkey.example.org", RecordType::TXT);
  const PreflightVerdict unknown_key = run(key, input());
  CHECK(unknown_key.outcome == Outcome::Unknown);
  CHECK_FALSE(unknown_key.keys.at(0).proven);
  CHECK(says(unknown_key, "s1._domainkey.example.org could not be looked up: SERVFAIL"));
  ScriptedDns spf = enforcing();
  spf.fails("example.org", RecordType::TXT, Answer::Status::Bogus);
  CHECK(run(spf, input()).outcome == Outcome::Unknown);
  ScriptedDns foreign = enforcing();
  foreign.fails("s1._domainkey.foreign.example", RecordType::TXT);
  PreflightInput message = input();
  message.keys.front().domain = *DomainName::parse("foreign.example");
  CHECK(run(foreign, message).outcome == Outcome::WouldFail);
}

TEST_CASE("a subdomain without a key is told to create one") {
  ScriptedDns dns;
  dns.txt("_dmarc.example.org", "v=DMARC1; p=none; sp=quarantine");
  PreflightInput message = input();
  message.author_domain = *DomainName::parse("news.example.org");
  message.keys.clear();
  const PreflightVerdict verdict = run(dns, message);
  CHECK(verdict.outcome == Outcome::WouldFail);
  CHECK(verdict.dmarc_policy == "quarantine");
  CHECK(says(verdict, "(sp=quarantine at _dmarc.example.org)"));
  CHECK(says(verdict, "there is no DKIM key for it"));
  CHECK(says(verdict, "create a DKIM key for news.example.org"));
  CHECK(says(verdict, "example.org TXT \"v=spf1 ip4:192.0.2.1 -all\""));
}

TEST_CASE("long names do not make the sentence too long") {
  const std::string label(60, 'l');
  const DomainName domain = *DomainName::parse(label + "." + label + "." + label + ".example");
  ScriptedDns dns;
  dns.txt("_dmarc." + domain.str(), "v=DMARC1; p=reject");
  PreflightInput message = input();
  message.author_domain = domain;
  message.keys.front().domain = domain;
  CHECK(run(dns, message).sentence.size() == kMaxSentenceOctets);
}
