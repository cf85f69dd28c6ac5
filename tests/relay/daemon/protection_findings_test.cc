#include "relay/daemon/protection_findings.h"

#include <catch2/catch.hpp>

using namespace waxwing;
using Status = Answer::Status;

namespace {

const DomainName kDomain = *DomainName::parse("receiver.example");

// A host with one usable TLSA record, all of it secure.
PlannedHost dane_host(const std::string& name) {
  PlannedHost host;
  host.name = host.facts.mx_name = name;
  host.facts.next_hop_domain = kDomain.str();
  host.facts.mx_status = host.facts.address_status = Status::Secure;
  host.facts.tlsa.emplace();
  host.facts.tlsa->status = Status::Secure;
  host.facts.tlsa->base_domain = name;
  host.facts.tlsa->records = {*TlsaRecord::from_rdata(std::string("\x03\x01\x01", 3) + std::string(32, 'x'))};
  return host;
}

DestinationPlan plan_of(std::vector<PlannedHost> hosts, StsFacts sts = {}) {
  DestinationPlan plan;
  plan.sts = std::move(sts);
  plan.sts_detail = "there is no record _mta-sts.receiver.example";
  for (PlannedHost& host : hosts) host.requirement = decide_tls_requirement(host.facts, plan.sts, {});
  plan.hosts = std::move(hosts);
  return plan;
}

ProbedHost session(const std::string& name) {
  ProbedHost host;
  host.name = name;
  return host;
}

StsFacts policy(StsMode mode, const std::string& mx) {
  StsFacts facts;
  facts.domain = kDomain.str();
  facts.policy.emplace();
  facts.policy->mode = mode;
  facts.policy->mx_patterns = {mx};
  return facts;
}

void check_one(const std::vector<std::string>& findings, const std::string& part) {
  REQUIRE(findings.size() == 1);
  CHECK_THAT(findings[0], Catch::Contains(part));
}

}  // namespace

TEST_CASE("nothing stands in the way of DANE where all hosts have usable records and match them") {
  CHECK(dane_findings(kDomain, plan_of({dane_host("a.example"), dane_host("b.example")}),
                      {session("a.example"), session("b.example")})
            .empty());
}

TEST_CASE("each thing that keeps DANE from applying is named with its section") {
  PlannedHost host = dane_host("a.example");
  SECTION("insecure MX records") {
    host.facts.mx_status = Status::Insecure;
    check_one(dane_findings(kDomain, plan_of({host}), {session("a.example")}),
              "MX records of receiver.example are not");
  }
  SECTION("insecure addresses") {
    host.facts.address_status = Status::Insecure;
    host.facts.tlsa.reset();
    check_one(dane_findings(kDomain, plan_of({host}), {}), "addresses of a.example are not secured");
  }
  SECTION("insecure TLSA records") {
    host.facts.tlsa->status = Status::Insecure;
    check_one(dane_findings(kDomain, plan_of({host}), {}), "TLSA records of a.example are not secured");
  }
  SECTION("no TLSA records") {
    host.facts.tlsa->records.clear();
    check_one(dane_findings(kDomain, plan_of({host}), {}), "a.example has no TLSA records");
  }
  SECTION("none that is usable") {
    host.facts.tlsa->records = {*TlsaRecord::from_rdata(std::string("\x01\x01\x01", 3) + std::string(32, 'x'))};
    check_one(dane_findings(kDomain, plan_of({host}), {}), "None of the TLSA records of a.example is usable");
  }
  SECTION("a lookup that fails") {
    host.facts.tlsa->status = Status::Bogus;
    check_one(dane_findings(kDomain, plan_of({host}), {}), "failed DNSSEC validation");
  }
  SECTION("a certificate that does not match") {
    ProbedHost failed = session("a.example");
    failed.failure.emplace();
    failed.failure->detail = "no TLSA record matches";
    failed.facts.tls_failure = TlsFailure{TlsResultType::ValidationFailure, {}, {}, {}, {}};
    check_one(dane_findings(kDomain, plan_of({host}), {failed}), "(validation-failure): no TLSA record matches.");
  }
  SECTION("no host at all") {
    DestinationPlan plan;
    plan.reason = "There is no such domain.";
    check_one(dane_findings(kDomain, plan, {}), "no such domain");
  }
}

TEST_CASE("each thing that keeps MTA-STS from protecting is named with its section") {
  const PlannedHost host = dane_host("a.example");
  const std::vector<ProbedHost> sessions = {session("a.example")};
  CHECK(sts_findings(kDomain, plan_of({host}, policy(StsMode::Enforce, "a.example")), sessions).empty());
  check_one(sts_findings(kDomain, plan_of({host}), sessions), "has no MTA-STS policy: there is no record");
  check_one(sts_findings(kDomain, plan_of({host}, policy(StsMode::Testing, "a.example")), sessions), "in mode testing");
  check_one(sts_findings(kDomain, plan_of({host}, policy(StsMode::Enforce, "b.example")), sessions),
            "does not list a.example");
  ProbedHost failed = session("a.example");
  failed.failure.emplace();
  failed.failure->detail = "self-signed";
  failed.facts.tls_failure = TlsFailure{TlsResultType::CertificateNotTrusted, {}, {}, {}, {}};
  check_one(sts_findings(kDomain, plan_of({host}, policy(StsMode::Enforce, "a.example")), {failed}),
            "(certificate-not-trusted): self-signed.");
}
