#include "policy/tls_report_result.h"

#include <catch2/catch.hpp>

using namespace waxwing;
using Status = Answer::Status;
using Type = TlsReportPolicy::Type;

namespace {

TlsaRecord record(std::uint8_t usage, char fill = 'x') {
  return TlsaRecord{usage, 1, 1, std::string(32, fill)};
}

HostFacts secure_host(std::vector<TlsaRecord> records) {
  HostFacts host;
  host.mx_name = host.expanded_name = "mx.host.example";
  host.next_hop_domain = "recipient.example";
  host.mx_status = host.address_status = Status::Secure;
  host.tlsa.emplace();
  host.tlsa->status = Status::Secure;
  host.tlsa->base_domain = "mx.host.example";
  host.tlsa->records = std::move(records);
  return host;
}

HostFacts insecure_host() {
  HostFacts host;
  host.mx_name = host.expanded_name = "mx.host.example";
  host.next_hop_domain = "recipient.example";
  return host;
}

StsFacts sts(StsMode mode, std::string pattern) {
  return StsFacts{StsPolicy{mode, 86400, {std::move(pattern)}}, "recipient.example"};
}

std::optional<TlsFailure> found(const HostFacts& host, const StsFacts& facts = {},
                                TlsLevel minimum = TlsLevel::Encrypted) {
  return tls_failure_of_host(host, facts, decide_tls_requirement(host, facts, {minimum}));
}

}  // namespace

TEST_CASE("the policy of a report is DANE of the host where it has secure TLSA records") {
  const TlsReportPolicy policy =
      tls_report_policy(secure_host({record(3, 'y'), record(3)}), sts(StsMode::Enforce, "mx.host.example"));
  CHECK(policy.type == Type::Tlsa);
  CHECK(policy.domain == "mx.host.example");
  CHECK(policy.strings == std::vector<std::string>{record(3).str(), record(3, 'y').str()});
  CHECK(policy.mx_patterns.empty());
}

TEST_CASE("the order in which DNS gives TLSA records makes no other policy") {
  CHECK(tls_report_policy(secure_host({record(3), record(2)}), {}) ==
        tls_report_policy(secure_host({record(2), record(3)}), {}));
}

TEST_CASE("the policy of a report is MTA-STS of the domain where no DANE applies") {
  for (const StsMode mode : {StsMode::Enforce, StsMode::Testing}) {
    const TlsReportPolicy policy = tls_report_policy(insecure_host(), sts(mode, "*.host.example"));
    CHECK(policy.type == Type::Sts);
    CHECK(policy.domain == "recipient.example");
    CHECK(policy.strings == std::vector<std::string>{"version: STSv1", "mode: " + std::string(sts_mode_name(mode)),
                                                     "mx: *.host.example", "max_age: 86400"});
    CHECK(policy.mx_patterns == std::vector<std::string>{"*.host.example"});
  }
}

TEST_CASE("no policy is found where there is none, or one that says none") {
  for (const StsFacts& facts : {StsFacts{}, sts(StsMode::None, "*.host.example")}) {
    const TlsReportPolicy policy = tls_report_policy(insecure_host(), facts);
    CHECK(policy.type == Type::NoPolicyFound);
    CHECK(policy.domain == "recipient.example");
    CHECK(policy.strings.empty());
  }
  CHECK(tls_report_policy(secure_host({}), {}).type == Type::NoPolicyFound);
}

TEST_CASE("a host with nothing wrong is not reported before a session") {
  CHECK_FALSE(found(secure_host({record(3)})));
  CHECK_FALSE(found(secure_host({})));
  CHECK_FALSE(found(insecure_host(), sts(StsMode::Enforce, "mx.host.example")));
}

TEST_CASE("a validation that failed is dnssec-invalid, whichever lookup it was") {
  const int which = GENERATE(0, 1, 2);
  HostFacts host = secure_host({});
  (which == 0 ? host.mx_status : which == 1 ? host.address_status : host.tlsa->status) = Status::Bogus;
  const auto failure = found(host);
  REQUIRE(failure);
  CHECK(failure->type == TlsResultType::DnssecInvalid);
  CHECK(failure->receiving_mx == "mx.host.example");
  CHECK(failure->sending_ip.empty());
}

TEST_CASE("a lookup without an answer may be over the next time and is not reported") {
  const int which = GENERATE(0, 1, 2);
  HostFacts host = secure_host({});
  (which == 0 ? host.mx_status : which == 1 ? host.address_status : host.tlsa->status) = Status::Failed;
  CHECK_FALSE(found(host));
}

TEST_CASE("TLSA records none of which is usable are tlsa-invalid") {
  CHECK(found(secure_host({record(1)}))->type == TlsResultType::TlsaInvalid);
  HostFacts malformed = secure_host({});
  malformed.tlsa->malformed = 1;
  CHECK(found(malformed)->type == TlsResultType::TlsaInvalid);
  CHECK_FALSE(found(secure_host({record(1), record(3)})));
}

TEST_CASE("an MX that the enforced policy does not list is a validation failure that says so") {
  const auto failure = found(insecure_host(), sts(StsMode::Enforce, "other.example"));
  REQUIRE(failure);
  CHECK(failure->type == TlsResultType::ValidationFailure);
  CHECK(failure->reason_code == "the MTA-STS policy does not list the MX host");
}

TEST_CASE("an MX that a policy in testing does not list is the same failure, although mail goes there") {
  CHECK(found(insecure_host(), sts(StsMode::Testing, "other.example"))->type == TlsResultType::ValidationFailure);
  CHECK_FALSE(found(insecure_host(), sts(StsMode::Testing, "mx.host.example")));
  CHECK_FALSE(found(insecure_host(), sts(StsMode::None, "other.example")));
}

TEST_CASE("DANE goes before the list of a policy only under a secure MX RRset") {
  HostFacts host = secure_host({record(3)});
  CHECK_FALSE(found(host, sts(StsMode::Enforce, "other.example")));
  host.mx_status = Status::Insecure;
  CHECK(found(host, sts(StsMode::Enforce, "other.example"))->type == TlsResultType::ValidationFailure);
}

TEST_CASE("a host that a rule of ours refuses because it publishes nothing is dane-required") {
  CHECK(found(insecure_host(), {}, TlsLevel::Authenticated)->type == TlsResultType::DaneRequired);
  CHECK_FALSE(found(insecure_host(), {}, TlsLevel::Verified));
}

TEST_CASE("what was wrong with a certificate has its word") {
  CHECK(tls_result_of_certificate(CertificateResult::HostMismatch) == TlsResultType::CertificateHostMismatch);
  CHECK(tls_result_of_certificate(CertificateResult::Expired) == TlsResultType::CertificateExpired);
  CHECK(tls_result_of_certificate(CertificateResult::NotTrusted) == TlsResultType::CertificateNotTrusted);
  CHECK(tls_result_of_certificate(CertificateResult::Unreadable) == TlsResultType::ValidationFailure);
}
