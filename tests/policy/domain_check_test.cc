#include "policy/domain_check.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "tests/support/scripted_dns.h"

namespace waxwing {
namespace {

using testing::ScriptedDns;
using Findings = std::vector<DomainFinding>;

const std::string kKey(32, 'k');

DomainCheckInput input() {
  DomainCheckInput checked{*DomainName::parse("example.org"),
                           *DomainName::parse("relay.provider.example"),
                           {*IpAddress::parse("192.0.2.25"), *IpAddress::parse("2001:db8::25")},
                           {{*DomainName::parse("example.org"), "s1", DkimKeyType::Ed25519, kKey}}};
  checked.now = WallTime(Milliseconds(1'769'860'800'000));  // 2026-01-31 12:00:00
  return checked;
}

// A domain for which nothing is left to do on the side that sends.
ScriptedDns sender_in_order() {
  ScriptedDns dns;
  dns.txt("example.org", "v=spf1 ip4:192.0.2.25 ip6:2001:db8::/64 -all");
  dns.txt("s1._domainkey.example.org", format_dkim_key_record(DkimKeyType::Ed25519, kKey));
  dns.txt("_dmarc.example.org", "v=DMARC1; p=reject");
  dns.ptr("25.2.0.192.in-addr.arpa", "relay.provider.example");
  dns.ptr("5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "relay.provider.example");
  dns.address("relay.provider.example", "192.0.2.25");
  dns.address("relay.provider.example", "2001:db8::25");
  return dns;
}

Findings run(ScriptedDns& dns, const DomainCheckInput& checked) {
  return dns.resolve([&](Answers& answers) { return check_domain(checked, answers); });
}

const DomainFinding& find(const Findings& findings, std::string_view check, std::string_view subject = "") {
  const auto found = std::ranges::find_if(findings, [&](const DomainFinding& finding) {
    return finding.check == check && (subject.empty() || finding.subject == subject);
  });
  CAPTURE(check, subject);
  REQUIRE(found != findings.end());
  return *found;
}

void check_publish(const DomainFinding& finding, std::string_view name, RecordType type, std::string_view data) {
  CAPTURE(finding.check, finding.subject, finding.detail);
  CHECK(finding.grade == FindingGrade::Wrong);
  REQUIRE(finding.publish);
  CHECK(finding.publish->name == name);
  CHECK(finding.publish->type == type);
  CHECK(finding.publish->data == data);
}

TEST_CASE("a domain that publishes everything is in order, and little is asked twice") {
  ScriptedDns dns = sender_in_order();
  dns.mx("example.org", 10, "mx.example.org");
  const Findings findings = run(dns, input());
  for (const DomainFinding& finding : findings) {
    CAPTURE(finding.check, finding.subject, finding.detail);
    const bool inbound = finding.check == "mta-sts" || finding.check == "tlsrpt" || finding.check == "tlsa";
    CHECK(finding.grade == (inbound ? FindingGrade::Advice : FindingGrade::Pass));
    CHECK_FALSE(finding.detail.empty());
  }
  CHECK(is_in_order(findings));
  CHECK(dns.rounds <= 3);
}

TEST_CASE("a domain that publishes nothing is told every record") {
  ScriptedDns dns;
  dns.exists("relay.provider.example");
  const Findings findings = run(dns, input());
  CHECK_FALSE(is_in_order(findings));
  check_publish(find(findings, "spf", "192.0.2.25"), "example.org", RecordType::TXT,
                "v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 -all");
  check_publish(find(findings, "dkim", "s1"), "s1._domainkey.example.org", RecordType::TXT,
                format_dkim_key_record(DkimKeyType::Ed25519, kKey));
  check_publish(find(findings, "dmarc"), "_dmarc.example.org", RecordType::TXT,
                "v=DMARC1; p=none; rua=mailto:postmaster@example.org");
  check_publish(find(findings, "ptr", "192.0.2.25"), "25.2.0.192.in-addr.arpa", RecordType::PTR,
                "relay.provider.example.");
  check_publish(find(findings, "helo"), "relay.provider.example", RecordType::A, "192.0.2.25");
  CHECK(find(findings, "mx").grade == FindingGrade::Advice);
}

TEST_CASE("what a domain is told to publish mends it") {
  ScriptedDns dns;
  dns.mx("example.org", 10, "mx.example.org");
  for (const DomainFinding& finding : run(dns, input())) {
    if (!finding.publish) continue;
    const auto& [name, type, data] = *finding.publish;
    if (type == RecordType::TXT && finding.subject != "2001:db8::25") dns.txt(name, data);
    if (type == RecordType::PTR) dns.ptr(name, data.substr(0, data.size() - 1));
    if (type == RecordType::A || type == RecordType::AAAA) dns.address(name, data);
  }
  dns.address("relay.provider.example", "2001:db8::25");
  for (const DomainFinding& finding : run(dns, input())) {
    CAPTURE(finding.check, finding.subject, finding.detail);
    // Its policy is served from a web server, not from DNS.
    CHECK((finding.grade == FindingGrade::Pass || finding.grade == FindingGrade::Advice || finding.check == "mta-sts"));
  }
}

TEST_CASE("addresses that SPF forgets are added to the record that is there") {
  ScriptedDns dns = sender_in_order();
  DomainCheckInput checked = input();
  checked.egress.push_back(*IpAddress::parse("198.51.100.7"));
  const DomainFinding finding = find(run(dns, checked), "spf", "198.51.100.7");
  check_publish(finding, "example.org", RecordType::TXT,
                "v=spf1 ip4:198.51.100.7 ip4:192.0.2.25 ip6:2001:db8::/64 -all");
}

TEST_CASE("an SPF record that breaks the grammar is named, and no second one proposed") {
  ScriptedDns dns;
  dns.txt("example.org", "v=spf1 ipv4:192.0.2.25 -all");
  const DomainFinding finding = find(run(dns, input()), "spf", "192.0.2.25");
  CHECK(finding.grade == FindingGrade::Wrong);
  CHECK_FALSE(finding.publish);
  CHECK(finding.detail.find("add ip4:192.0.2.25") != std::string::npos);
}

TEST_CASE("two SPF records become one") {
  ScriptedDns dns;
  dns.txt("example.org", "v=spf1 ip4:192.0.2.25 -all");
  dns.txt("example.org", "v=spf1 a ~all");
  check_publish(find(run(dns, input()), "spf", "192.0.2.25"), "example.org", RecordType::TXT,
                "v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 a -all");
}

TEST_CASE("a key of another value is wrong, one that cannot be looked up unknown") {
  ScriptedDns dns = sender_in_order();
  DomainCheckInput checked = input();
  checked.keys.push_back({checked.domain, "s2", DkimKeyType::Ed25519, std::string(32, 'x')});
  checked.keys.push_back({checked.domain, "s3", DkimKeyType::Ed25519, kKey});
  dns.txt("s2._domainkey.example.org", format_dkim_key_record(DkimKeyType::Ed25519, kKey));
  dns.fails("s3._domainkey.example.org", RecordType::TXT);
  const Findings findings = run(dns, checked);
  check_publish(find(findings, "dkim", "s2"), "s2._domainkey.example.org", RecordType::TXT,
                format_dkim_key_record(DkimKeyType::Ed25519, std::string(32, 'x')));
  CHECK(find(findings, "dkim", "s3").grade == FindingGrade::Unknown);
  CHECK_FALSE(find(findings, "dkim", "s3").publish);
  checked.keys.clear();
  CHECK(find(run(dns, checked), "dkim").grade == FindingGrade::Wrong);
}

TEST_CASE("a policy that asks for nothing is advice; several records are wrong") {
  ScriptedDns dns = sender_in_order();
  DomainCheckInput checked = input();
  checked.domain = *DomainName::parse("none.example");
  dns.txt("_dmarc.none.example", "v=DMARC1; p=none");
  CHECK(find(run(dns, checked), "dmarc").grade == FindingGrade::Advice);
  checked.domain = *DomainName::parse("two.example");
  dns.txt("_dmarc.two.example", "v=DMARC1; p=reject");
  dns.txt("_dmarc.two.example", "v=DMARC1; p=none");
  CHECK(find(run(dns, checked), "dmarc").detail.find("2 at _dmarc.two.example") != std::string::npos);
  CHECK(find(run(dns, checked), "dmarc").grade == FindingGrade::Wrong);
}

TEST_CASE("a reverse name that does not lead back is wrong, another than the HELO name is not") {
  ScriptedDns dns = sender_in_order();
  DomainCheckInput checked = input();
  checked.egress = {*IpAddress::parse("198.51.100.7")};
  dns.ptr("7.100.51.198.in-addr.arpa", "host7.provider.example");
  dns.address("host7.provider.example", "198.51.100.8");
  check_publish(find(run(dns, checked), "ptr"), "host7.provider.example", RecordType::A, "198.51.100.7");
  dns.address("host7.provider.example", "198.51.100.7");
  CHECK(find(run(dns, checked), "ptr").grade == FindingGrade::Pass);
}

TEST_CASE("each name in EHLO must lead to an address from which it is said") {
  ScriptedDns dns = sender_in_order();
  DomainCheckInput checked = input();
  const IpAddress other = *IpAddress::parse("198.51.100.7");
  checked.egress.push_back(other);
  checked.helo_names.emplace(other, *DomainName::parse("other.example.org"));
  dns.address("other.example.org", "192.0.2.25");  // an address of the first name
  check_publish(find(run(dns, checked), "helo", "other.example.org"), "other.example.org", RecordType::A,
                "198.51.100.7");
  check_publish(find(run(dns, checked), "ptr", "198.51.100.7"), "7.100.51.198.in-addr.arpa", RecordType::PTR,
                "other.example.org.");
  dns.address("other.example.org", "198.51.100.7");
  CHECK(find(run(dns, checked), "helo", "other.example.org").grade == FindingGrade::Pass);
}

TEST_CASE("what DNS does not tell is unknown, and not in order") {
  ScriptedDns dns = sender_in_order();
  dns.fails("25.2.0.192.in-addr.arpa", RecordType::PTR);
  dns.fails("_dmarc.example.org", RecordType::TXT);
  dns.fails("example.org", RecordType::TXT);
  const Findings findings = run(dns, input());
  CHECK(find(findings, "ptr", "192.0.2.25").grade == FindingGrade::Unknown);
  CHECK(find(findings, "dmarc").grade == FindingGrade::Unknown);
  CHECK(find(findings, "spf").grade == FindingGrade::Unknown);
  CHECK_FALSE(is_in_order(findings));
}

TEST_CASE("without egress addresses SPF is advice and nothing is asked of reverse names") {
  ScriptedDns dns = sender_in_order();
  DomainCheckInput checked = input();
  checked.egress.clear();
  const Findings findings = run(dns, checked);
  CHECK(find(findings, "spf").grade == FindingGrade::Advice);
  CHECK(std::ranges::none_of(findings, [](const auto& finding) { return finding.check == "ptr"; }));
}

TEST_CASE("MTA-STS that is absent is advice, and wrong where it does not do what it says") {
  ScriptedDns dns = sender_in_order();
  dns.mx("example.org", 10, "mx.example.org");
  DomainCheckInput checked = input();
  const DomainFinding absent = find(run(dns, checked), "mta-sts");
  CHECK(absent.grade == FindingGrade::Advice);
  REQUIRE(absent.publish);
  CHECK(absent.publish->data == "v=STSv1; id=20260131120000");
  CHECK(absent.detail.find("\"mx: mx.example.org\"") != std::string::npos);
  dns.txt("_mta-sts.example.org", "v=STSv1; id=1");
  checked.sts = StsPolicyFetch{{}, "404"};
  CHECK(find(run(dns, checked), "mta-sts").grade == FindingGrade::Wrong);
  checked.sts->policy = StsPolicy{StsMode::Enforce, 604'800, {"other.example.org"}};
  CHECK(find(run(dns, checked), "mta-sts").grade == FindingGrade::Wrong);
  checked.sts->policy->mx_patterns = {"*.example.org"};
  CHECK(find(run(dns, checked), "mta-sts").grade == FindingGrade::Pass);
  checked.sts->policy->mode = StsMode::Testing;
  CHECK(find(run(dns, checked), "mta-sts").grade == FindingGrade::Advice);
  dns.txt("_mta-sts.example.org", "v=STSv1; id=2");
  CHECK(find(run(dns, checked), "mta-sts").grade == FindingGrade::Wrong);
}

TEST_CASE("TLSRPT that is absent is advice, and wrong where it is no record") {
  ScriptedDns dns = sender_in_order();
  dns.mx("example.org", 10, "mx.example.org");
  const DomainFinding absent = find(run(dns, input()), "tlsrpt");
  CHECK(absent.grade == FindingGrade::Advice);
  REQUIRE(absent.publish);
  CHECK(absent.publish->name == "_smtp._tls.example.org");
  CHECK(absent.publish->data == "v=TLSRPTv1; rua=mailto:postmaster@example.org");
  dns.txt("_smtp._tls.example.org", "v=TLSRPTv1; rua=nowhere");
  CHECK(find(run(dns, input()), "tlsrpt").grade == FindingGrade::Wrong);
}

TEST_CASE("the null MX is told as such, and nothing is asked behind it") {
  ScriptedDns dns = sender_in_order();
  dns.mx("example.org", 0, ".");
  const Findings findings = run(dns, input());
  CHECK(find(findings, "mx").detail.find("null MX") != std::string::npos);
  CHECK(std::ranges::none_of(findings, [](const auto& finding) { return finding.check == "mta-sts"; }));
}

// One answer for the TLSA records of mx.example.org, the others as scripted.
DomainFinding tlsa_with(Answer tlsa) {
  ScriptedDns dns = sender_in_order();
  dns.mx("example.org", 10, "mx.example.org");
  Answers answers;
  const Question question{"_25._tcp.mx.example.org", RecordType::TLSA};
  answers.add(question, std::move(tlsa));
  const DomainCheckInput checked = input();
  for (;;) {
    if (const auto findings = check_domain(checked, answers)) return find(*findings, "tlsa", "mx.example.org");
    const auto missing = answers.missing();
    for (const Question& asked : missing) answers.add(asked, dns.answer(asked));
  }
}

Answer tlsa_answer(Answer::Status status, const std::string& rdata) {
  Answer answer;
  answer.status = status;
  answer.name_exists = true;
  if (!rdata.empty()) answer.records.emplace_back(TlsaRdata{rdata});
  return answer;
}

TEST_CASE("TLSA is right when it is secure and usable, wrong when it is neither, and advice when it is absent") {
  using Status = Answer::Status;
  const std::string usable = std::string("\x03\x01\x01", 3) + std::string(32, 'h');
  CHECK(tlsa_with(tlsa_answer(Status::Secure, usable)).grade == FindingGrade::Pass);
  CHECK(tlsa_with(tlsa_answer(Status::Secure, std::string("\x01\x01\x01", 3) + std::string(32, 'h'))).grade ==
        FindingGrade::Wrong);
  CHECK(tlsa_with(tlsa_answer(Status::Insecure, usable)).grade == FindingGrade::Wrong);
  CHECK(tlsa_with(tlsa_answer(Status::Secure, "")).grade == FindingGrade::Advice);
  CHECK(tlsa_with(tlsa_answer(Status::Insecure, "")).grade == FindingGrade::Advice);
  CHECK(tlsa_with(tlsa_answer(Status::Bogus, "")).grade == FindingGrade::Wrong);
  CHECK(tlsa_with(tlsa_answer(Status::Failed, "")).grade == FindingGrade::Unknown);
}

}  // namespace
}  // namespace waxwing
