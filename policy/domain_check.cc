#include "policy/domain_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "policy/dmarc.h"
#include "policy/egress_check.h"
#include "policy/inbound_check.h"
#include "policy/preflight_sentence.h"
#include "policy/spf_remedy.h"

namespace waxwing {
namespace {

using Findings = std::vector<DomainFinding>;

// What a message from the domain presents, with the author's domain in the envelope too.
PreflightInput message_of(const DomainCheckInput& input) {
  return {input.domain, MailAddress{"postmaster", input.domain}, input.helo, input.egress, input.keys};
}

std::vector<std::string> texts(const Answer& answer) {
  std::vector<std::string> found;
  for (const RecordData& record : answer.records) {
    if (const auto* txt = std::get_if<TxtRecord>(&record)) found.push_back(txt->text);
  }
  return found;
}

FindingGrade spf_grade(SpfResult result) {
  if (result == SpfResult::Pass) return FindingGrade::Pass;
  return result == SpfResult::TempError ? FindingGrade::Unknown : FindingGrade::Wrong;
}

void add_spf(const DomainCheckInput& input, const PreflightVerdict& verdict, const Answer& published,
             Findings& findings) {
  if (input.egress.empty()) {
    findings.push_back({"spf",
                        input.domain.str(),
                        FindingGrade::Advice,
                        "egress.addresses is empty, so that nobody knows for which addresses SPF must pass",
                        {}});
  }
  std::vector<IpAddress> missing;
  for (const auto& spf : verdict.spf) {
    if (spf_grade(spf.verdict.result) == FindingGrade::Wrong) missing.push_back(spf.egress);
  }
  // One record for all addresses: who publishes it has mended everything.
  const auto record = spf_record_with(texts(published), missing);
  for (const auto& spf : verdict.spf) {
    DomainFinding finding{"spf", spf.egress.str(), spf_grade(spf.verdict.result), {}, {}};
    finding.detail = fmt::format("{}{}{}", spf_result_name(spf.verdict.result), spf.verdict.detail.empty() ? "" : ": ",
                                 spf.verdict.detail);
    if (finding.grade == FindingGrade::Wrong && record)
      finding.publish = RecordToPublish{input.domain.str(), RecordType::TXT, *record};
    if (finding.grade == FindingGrade::Wrong && !record)
      finding.detail += fmt::format("; repair the record, then add {}:{} to it",
                                    spf.egress.family() == IpAddress::Family::V4 ? "ip4" : "ip6", spf.egress.str());
    findings.push_back(std::move(finding));
  }
}

void add_dkim(const DomainCheckInput& input, const PreflightVerdict& verdict, Findings& findings) {
  if (input.keys.empty()) {
    findings.push_back(
        {"dkim",
         input.domain.str(),
         FindingGrade::Wrong,
         fmt::format("there is no key; make one with \"waxwing keys create {} SELECTOR\"", input.domain.str()),
         {}});
  }
  for (std::size_t i = 0; i < input.keys.size(); ++i) {
    const PreflightKey& key = input.keys[i];
    const PreflightVerdict::KeyState& state = verdict.keys.at(i);
    DomainFinding finding{"dkim", key.selector, FindingGrade::Pass, {}, {}};
    if (state.proven && !state.aligned && !state.unknown) {
      finding.grade = FindingGrade::Wrong;
      finding.detail = fmt::format("{} carries the key, but {} is not aligned with {}", dkim_key_owner(key),
                                   key.domain.str(), input.domain.str());
    } else if (state.unknown) {
      finding.grade = FindingGrade::Unknown;
      finding.detail = state.proven
                           ? fmt::format("the organizational domain of {} could not be looked up", key.domain.str())
                           : state.detail.substr(0, state.detail.find("; publish "));
    } else if (state.proven) {
      finding.detail = fmt::format("{} carries the key", dkim_key_owner(key));
    } else {
      finding.grade = FindingGrade::Wrong;
      finding.detail = state.detail.substr(0, state.detail.find("; publish "));
      finding.publish =
          RecordToPublish{dkim_key_owner(key), RecordType::TXT, format_dkim_key_record(key.type, key.public_key)};
    }
    findings.push_back(std::move(finding));
  }
}

// Begins with reports alone: what a policy would do to the domain's other mail nobody knows yet.
RecordToPublish first_dmarc_record(const DomainName& domain) {
  return {"_dmarc." + domain.str(), RecordType::TXT,
          fmt::format("v=DMARC1; p=none; rua=mailto:postmaster@{}", domain.str())};
}

DomainFinding dmarc_finding(const DomainCheckInput& input, const DmarcDiscovery& discovery, const Answer& own) {
  DomainFinding finding{"dmarc", input.domain.str(), FindingGrade::Pass, {}, {}};
  if (discovery.temporary_error) {
    finding.grade = FindingGrade::Unknown;
    finding.detail = discovery.detail;
  } else if (!discovery.record) {
    finding.grade = FindingGrade::Wrong;
    finding.detail = discovery.detail;
    const auto records =
        std::ranges::count_if(texts(own), [](const std::string& txt) { return DmarcRecord::parse(txt).has_value(); });
    if (records > 1)
      finding.detail += fmt::format("; {} at _dmarc.{} are as good as none", records, input.domain.str());
    finding.publish = first_dmarc_record(input.domain);
  } else if (discovery.requested == DmarcPolicy::None) {
    finding.grade = FindingGrade::Advice;
    finding.detail = fmt::format(
        "{} at _dmarc.{} asks nobody to refuse forged mail; publish p=quarantine and then p=reject once the reports "
        "show "
        "that all mail of the domain passes",
        discovery.requested_by, discovery.record_domain->str());
  } else {
    finding.detail = fmt::format("{} at _dmarc.{}", discovery.requested_by, discovery.record_domain->str());
  }
  return finding;
}

}  // namespace

std::string_view finding_grade_name(FindingGrade grade) {
  switch (grade) {
    case FindingGrade::Pass:
      return "pass";
    case FindingGrade::Advice:
      return "advice";
    case FindingGrade::Wrong:
      return "wrong";
    case FindingGrade::Unknown:
      break;
  }
  return "unknown";
}

std::optional<std::vector<DomainFinding>> check_domain(const DomainCheckInput& input, Answers& answers) {
  // All are asked before any is missed, so that there are few rounds.
  const auto verdict = preflight(message_of(input), answers);
  const auto discovery = discover_dmarc(input.domain, answers);
  const Answer* spf = answers.find({input.domain.str(), RecordType::TXT});
  const Answer* dmarc = answers.find({"_dmarc." + input.domain.str(), RecordType::TXT});
  const auto egress = check_egress(input, answers);
  const auto inbound = check_inbound(input, answers);
  if (!verdict || !discovery || !spf || !dmarc || !egress || !inbound) return std::nullopt;
  Findings findings;
  add_spf(input, *verdict, *spf, findings);
  add_dkim(input, *verdict, findings);
  findings.push_back(dmarc_finding(input, *discovery, *dmarc));
  findings.insert(findings.end(), egress->begin(), egress->end());
  findings.insert(findings.end(), inbound->begin(), inbound->end());
  return findings;
}

bool is_in_order(const std::vector<DomainFinding>& findings) {
  return std::ranges::all_of(findings, [](const DomainFinding& finding) {
    return finding.grade == FindingGrade::Pass || finding.grade == FindingGrade::Advice;
  });
}

}  // namespace waxwing
