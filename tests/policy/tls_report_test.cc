#include "policy/tls_report.h"

#include <catch2/catch.hpp>

using namespace waxwing;

namespace {

TlsReportFrame frame() {
  TlsReportFrame result;
  result.organization_name = "Example \"Mail\" Ltd.";
  result.contact_info = "tls@relay.example";
  result.report_id = "20260101.receiver.example";
  result.start = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1));
  result.end = result.start + std::chrono::hours(24) - Seconds(1);
  return result;
}

TlsReportPolicy policy(std::string domain) {
  TlsReportPolicy result;
  result.type = TlsReportPolicy::Type::Sts;
  result.domain = std::move(domain);
  result.strings = {"version: STSv1", "mode: enforce", "mx: mx.receiver.example", "max_age: 86400"};
  result.mx_patterns = {"mx.receiver.example"};
  return result;
}

TlsFailure failure(std::string reason_code) {
  return {TlsResultType::CertificateExpired, "192.0.2.1", "mx.receiver.example", "2001:db8::2", std::move(reason_code)};
}

}  // namespace

TEST_CASE("result types are the words of the RFC") {
  const std::vector<std::string> words = {"starttls-not-supported", "certificate-host-mismatch",
                                          "certificate-expired",    "certificate-not-trusted",
                                          "validation-failure",     "tlsa-invalid",
                                          "dnssec-invalid",         "dane-required",
                                          "sts-policy-fetch-error", "sts-policy-invalid",
                                          "sts-webpki-invalid"};
  for (std::size_t i = 0; i < words.size(); ++i) {
    CHECK(tls_result_type_name(static_cast<TlsResultType>(i)) == words[i]);
  }
}

TEST_CASE("a report has the fields of the RFC, and failures of one kind are summed up") {
  TlsReportTally tally;
  tally.add({policy("receiver.example"), std::nullopt}, 40);
  tally.add({policy("receiver.example"), std::nullopt});
  tally.add({policy("receiver.example"), failure("")});
  tally.add({policy("receiver.example"), failure("")}, 2);
  CHECK(compose_tls_report(frame(), tally) ==
        R"({"organization-name":"Example \"Mail\" Ltd.",)"
        R"("date-range":{"start-datetime":"2026-01-01T00:00:00Z","end-datetime":"2026-01-01T23:59:59Z"},)"
        R"("contact-info":"tls@relay.example","report-id":"20260101.receiver.example","policies":[)"
        R"({"policy":{"policy-type":"sts",)"
        R"("policy-string":["version: STSv1","mode: enforce","mx: mx.receiver.example","max_age: 86400"],)"
        R"("policy-domain":"receiver.example","mx-host":["mx.receiver.example"]},)"
        R"("summary":{"total-successful-session-count":41,"total-failure-session-count":3},)"
        R"("failure-details":[{"result-type":"certificate-expired","sending-mta-ip":"192.0.2.1",)"
        R"("receiving-mx-hostname":"mx.receiver.example","receiving-ip":"2001:db8::2","failed-session-count":3}]}]})");
}

TEST_CASE("a domain without policy is reported with no more than its successes") {
  TlsReportTally tally;
  TlsReportPolicy none;
  none.domain = "plain.example";
  tally.add({none, std::nullopt});
  const std::string report = compose_tls_report(frame(), tally);
  CHECK_THAT(report,
             Catch::Contains(R"("policies":[{"policy":{"policy-type":"no-policy-found",)"
                             R"("policy-domain":"plain.example"},"summary":{"total-successful-session-count":1,)"
                             R"("total-failure-session-count":0}}]})"));
}

TEST_CASE("what others wrote cannot break out of a report's strings") {
  TlsReportTally tally;
  tally.add({policy("receiver.example"), failure("a\"b\\c\r\n\x01 \xe2\x82\xac \xf0\x9f\x90\xa6 \xff\xc3")});
  CHECK_THAT(compose_tls_report(frame(), tally),
             Catch::Contains(R"("failure-reason-code":"a\"b\\c\u000d\u000a\u0001 \u20ac \ud83d\udc26 \ufffd\ufffd")"));
}

TEST_CASE("kinds of failure beyond the limit count in the total alone, and policies beyond it not at all") {
  TlsReportTally tally;
  for (std::size_t i = 0; i < kMaxTlsFailures + 10; ++i) {
    tally.add({policy("receiver.example"), failure(std::to_string(i))});
  }
  const auto& sum = tally.sums().begin()->second;
  CHECK(sum.failures == kMaxTlsFailures + 10);
  CHECK(sum.details.size() == kMaxTlsFailures);
  for (std::size_t i = 0; i < kMaxTlsReportPolicies + 10; ++i) {
    tally.add({policy(std::to_string(i) + ".example"), std::nullopt});
  }
  CHECK(tally.sums().size() == kMaxTlsReportPolicies);
}

TEST_CASE("the file name of a report holds who, about whom and when") {
  CHECK(tls_report_file_name(frame(), "relay.example", "receiver.example") ==
        "relay.example!receiver.example!1767225600!1767311999!20260101.receiver.example.json.gz");
}
