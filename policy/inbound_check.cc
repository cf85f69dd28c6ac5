#include "policy/inbound_check.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "policy/tls_report_record.h"
#include "policy/tlsa_record.h"

namespace waxwing {
namespace {

using Findings = std::vector<DomainFinding>;

std::vector<std::string> texts(const Answer& answer) {
  std::vector<std::string> found;
  for (const RecordData& record : answer.records) {
    if (const auto* txt = std::get_if<TxtRecord>(&record)) found.push_back(txt->text);
  }
  return found;
}

std::string lookup_failure(const Question& question, const Answer& answer) {
  return fmt::format("the lookup of {} {} failed{}{}", question.name, record_type_name(question.type),
                     answer.detail.empty() ? "" : ": ", answer.detail);
}

// Hosts in order of preference; empty where there are none or the null MX.
std::vector<std::string> mx_hosts(const Answer& answer) {
  std::vector<MxRecord> records;
  for (const RecordData& record : answer.records) {
    if (const auto* mx = std::get_if<MxRecord>(&record); mx != nullptr && mx->exchange != ".") records.push_back(*mx);
  }
  std::ranges::sort(records);
  if (records.size() > kMaxCheckedMxHosts) records.resize(kMaxCheckedMxHosts);
  std::vector<std::string> hosts;
  for (const MxRecord& mx : records) hosts.push_back(mx.exchange);
  return hosts;
}

DomainFinding no_mail_finding(const DomainCheckInput& input, const Question& question, const Answer& mx) {
  DomainFinding finding{"mx", input.domain.str(), FindingGrade::Advice, {}, {}};
  if (!mx.usable()) {
    finding.grade = FindingGrade::Unknown;
    finding.detail = lookup_failure(question, mx);
  } else if (!mx.records.empty()) {
    finding.detail =
        "the null MX says that the domain takes no mail, and some receivers refuse mail from such a domain";
  } else {
    finding.detail = "there is no MX record, so that bounces and replies may reach nobody";
  }
  return finding;
}

std::string new_policy_id(WallTime now) {
  return fmt::format("{:%Y%m%d%H%M%S}", std::chrono::floor<Seconds>(now));
}

std::string policy_advice(const DomainName& domain, const std::vector<std::string>& hosts) {
  return fmt::format(
      "https://mta-sts.{}/.well-known/mta-sts.txt with \"version: STSv1\", \"mode: testing\", {} and "
      "\"max_age: 604800\"",
      domain.str(), fmt::format("\"mx: {}\"", fmt::join(hosts, "\", \"mx: ")));
}

void judge_policy(const StsPolicy& policy, const std::vector<std::string>& hosts, DomainFinding& finding) {
  std::vector<std::string> outside;
  for (const std::string& host : hosts) {
    if (!policy.covers(host)) outside.push_back(host);
  }
  if (policy.mode == StsMode::None) {
    finding.grade = FindingGrade::Advice;
    finding.detail = "the policy is in mode none, which protects nothing";
  } else if (!outside.empty()) {
    finding.grade = FindingGrade::Wrong;
    finding.detail = fmt::format("the policy does not list the MX host {}; add \"mx: {}\" to it and change the id",
                                 fmt::join(outside, ", "), outside.front());
  } else if (policy.mode == StsMode::Testing) {
    finding.grade = FindingGrade::Advice;
    finding.detail = "the policy is in mode testing; set \"mode: enforce\" once the reports show no failures";
  } else {
    finding.grade = FindingGrade::Pass;
    finding.detail = "the policy is in mode enforce and lists every MX host";
  }
}

DomainFinding sts_finding(const DomainCheckInput& input, const Question& question, const Answer& answer,
                          const std::vector<std::string>& hosts) {
  DomainFinding finding{"mta-sts", input.domain.str(), FindingGrade::Unknown, {}, {}};
  const auto id = select_sts_record(texts(answer));
  const RecordToPublish record{question.name, RecordType::TXT, fmt::format("v=STSv1; id={}", new_policy_id(input.now))};
  if (!answer.usable()) {
    finding.detail = lookup_failure(question, answer);
  } else if (answer.records.empty()) {
    finding.grade = FindingGrade::Advice;
    finding.detail =
        fmt::format("there is no MTA-STS; serve {} and publish the record", policy_advice(input.domain, hosts));
    finding.publish = record;
  } else if (!id) {
    finding.grade = FindingGrade::Wrong;
    finding.detail = id.error().detail;
    finding.publish = record;
  } else if (!input.sts) {
    finding.detail = "the policy was not fetched";
  } else if (!input.sts->policy) {
    finding.grade = FindingGrade::Wrong;
    finding.detail = fmt::format("there is a record and no policy: {}", input.sts->detail);
  } else {
    judge_policy(*input.sts->policy, hosts, finding);
  }
  return finding;
}

DomainFinding report_finding(const DomainCheckInput& input, const Question& question, const Answer& answer) {
  DomainFinding finding{"tlsrpt", input.domain.str(), FindingGrade::Pass, {}, {}};
  const auto record = select_tls_report_record(texts(answer));
  if (!answer.usable()) {
    finding.grade = FindingGrade::Unknown;
    finding.detail = lookup_failure(question, answer);
  } else if (record) {
    std::vector<std::string> uris;
    for (const TlsReportUri& uri : record->rua) uris.push_back(uri.text);
    finding.detail = fmt::format("reports go to {}", fmt::join(uris, ", "));
  } else {
    finding.grade = answer.records.empty() ? FindingGrade::Advice : FindingGrade::Wrong;
    finding.detail = answer.records.empty()
                         ? "there is no TLSRPT record, so that nobody tells when mail to the domain cannot be delivered"
                         : record.error().detail;
    finding.publish = RecordToPublish{question.name, RecordType::TXT,
                                      fmt::format("v=TLSRPTv1; rua=mailto:postmaster@{}", input.domain.str())};
  }
  return finding;
}

bool is_usable_tlsa(const RecordData& data) {
  const auto* rdata = std::get_if<TlsaRdata>(&data);
  if (rdata == nullptr) return false;
  const auto record = TlsaRecord::from_rdata(rdata->octets);
  return record && record->usable();
}

DomainFinding tlsa_finding(const std::string& host, const Question& question, const Answer& answer) {
  DomainFinding finding{"tlsa", host, FindingGrade::Advice, {}, {}};
  const auto usable = std::ranges::count_if(answer.records, is_usable_tlsa);
  if (!answer.usable()) {
    finding.grade = answer.status == Answer::Status::Bogus ? FindingGrade::Wrong : FindingGrade::Unknown;
    finding.detail = lookup_failure(question, answer);
  } else if (answer.records.empty()) {
    finding.detail = answer.status == Answer::Status::Secure
                         ? fmt::format(
                               "there is no TLSA record at {}; DANE needs one such as \"3 1 1\" with the SHA-256 "
                               "of the host's public key",
                               question.name)
                         : fmt::format("{} is not signed with DNSSEC, which DANE needs", host);
  } else if (answer.status != Answer::Status::Secure) {
    finding.grade = FindingGrade::Wrong;
    finding.detail = fmt::format(
        "{} has TLSA records in a zone that is not signed with DNSSEC, and senders ignore them", question.name);
  } else if (usable == 0) {
    finding.grade = FindingGrade::Wrong;
    finding.detail =
        fmt::format("none of the TLSA records at {} can be used; usages 2 and 3 are for mail", question.name);
  } else {
    finding.grade = FindingGrade::Pass;
    finding.detail = fmt::format("{} has {} that can be used", question.name, usable);
  }
  return finding;
}

}  // namespace

std::optional<std::vector<DomainFinding>> check_inbound(const DomainCheckInput& input, Answers& answers) {
  const std::string& domain = input.domain.str();
  const Question mx_question{domain, RecordType::MX};
  const Question sts_question{"_mta-sts." + domain, RecordType::TXT};
  const Question report_question{"_smtp._tls." + domain, RecordType::TXT};
  const Answer* mx = answers.find(mx_question);
  const Answer* sts = answers.find(sts_question);
  const Answer* report = answers.find(report_question);
  if (!mx) return std::nullopt;
  Findings findings;
  const std::vector<std::string> hosts = mx_hosts(*mx);
  if (hosts.empty()) {
    findings.push_back(no_mail_finding(input, mx_question, *mx));
    return findings;
  }
  std::vector<std::pair<Question, const Answer*>> tlsa;
  for (const std::string& host : hosts) {
    const Question question{fmt::format("_{}._tcp.{}", input.smtp_port, host), RecordType::TLSA};
    tlsa.emplace_back(question, answers.find(question));
  }
  const bool complete = std::ranges::all_of(tlsa, [](const auto& entry) { return entry.second != nullptr; });
  if (!sts || !report || !complete) return std::nullopt;
  findings.push_back(sts_finding(input, sts_question, *sts, hosts));
  findings.push_back(report_finding(input, report_question, *report));
  for (std::size_t i = 0; i < hosts.size(); ++i)
    findings.push_back(tlsa_finding(hosts[i], tlsa[i].first, *tlsa[i].second));
  return findings;
}

}  // namespace waxwing
