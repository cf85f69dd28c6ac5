#include "policy/egress_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <vector>

#include "policy/spf_name.h"

namespace waxwing {
namespace {

RecordType address_type(const IpAddress& address) {
  return address.family() == IpAddress::Family::V4 ? RecordType::A : RecordType::AAAA;
}

bool holds(const Answer& answer, const IpAddress& address) {
  return std::ranges::any_of(answer.records, [&](const RecordData& record) {
    const auto* found = std::get_if<IpAddress>(&record);
    return found != nullptr && *found == address;
  });
}

std::string lookup_failure(const std::string& name, RecordType type, const Answer& answer) {
  return fmt::format("the lookup of {} {} failed{}{}", name, record_type_name(type), answer.detail.empty() ? "" : ": ",
                     answer.detail);
}

std::vector<std::string> reverse_names(const Answer& answer) {
  std::vector<std::string> names;
  for (const RecordData& record : answer.records) {
    const auto* ptr = std::get_if<PtrRecord>(&record);
    if (ptr != nullptr && names.size() < kMaxCheckedReverseNames) names.push_back(ptr->name);
  }
  return names;
}

const DomainName& helo_of(const DomainCheckInput& input, const IpAddress& address) {
  const auto found = input.helo_names.find(address);
  return found == input.helo_names.end() ? input.helo : found->second;
}

// Which of the names leads back to the address: the reason is that receivers believe no other.
std::optional<DomainFinding> confirm(const IpAddress& address, const std::vector<std::string>& names,
                                     Answers& answers) {
  DomainFinding finding{"ptr", address.str(), FindingGrade::Wrong, {}, {}};
  bool complete = true;
  for (const std::string& name : names) {
    const Answer* forward = answers.find({name, address_type(address)});
    if (!forward) {
      complete = false;
    } else if (!forward->usable()) {
      finding.grade = FindingGrade::Unknown;
      finding.detail = lookup_failure(name, address_type(address), *forward);
    } else if (holds(*forward, address)) {
      finding.grade = FindingGrade::Pass;
      finding.detail = fmt::format("{} leads to {} and back", address.str(), name);
      return finding;
    }
  }
  if (!complete) return std::nullopt;
  if (finding.grade == FindingGrade::Unknown) return finding;
  finding.detail = fmt::format("{} leads to {}, which does not lead back", address.str(), fmt::join(names, ", "));
  finding.publish = RecordToPublish{names.front(), address_type(address), address.str()};
  return finding;
}

std::optional<DomainFinding> check_reverse(const DomainCheckInput& input, const IpAddress& address, Answers& answers) {
  const std::string owner = reverse_name(address);
  const Answer* answer = answers.find({owner, RecordType::PTR});
  if (!answer) return std::nullopt;
  DomainFinding finding{"ptr", address.str(), FindingGrade::Unknown, {}, {}};
  if (!answer->usable()) {
    finding.detail = lookup_failure(owner, RecordType::PTR, *answer);
    return finding;
  }
  const std::vector<std::string> names = reverse_names(*answer);
  if (!names.empty()) return confirm(address, names, answers);
  finding.grade = FindingGrade::Wrong;
  finding.detail =
      fmt::format("{} has no reverse name; whoever runs the network of the address can set it", address.str());
  finding.publish = RecordToPublish{owner, RecordType::PTR, helo_of(input, address).str() + "."};
  return finding;
}

// A name must lead to one of the addresses from which it is said.
std::optional<DomainFinding> check_helo(const DomainName& helo, const std::vector<IpAddress>& addresses,
                                        Answers& answers) {
  DomainFinding finding{"helo", helo.str(), FindingGrade::Wrong, {}, {}};
  bool complete = true;
  for (const IpAddress& address : addresses) {
    const RecordType type = address_type(address);
    const Answer* answer = answers.find({helo.str(), type});
    if (!answer) {
      complete = false;
    } else if (!answer->usable()) {
      finding.grade = FindingGrade::Unknown;
      finding.detail = lookup_failure(helo.str(), type, *answer);
    } else if (holds(*answer, address)) {
      finding.grade = FindingGrade::Pass;
      finding.detail = fmt::format("{} leads to {}", helo.str(), address.str());
      return finding;
    }
  }
  if (!complete) return std::nullopt;
  if (finding.grade == FindingGrade::Unknown) return finding;
  const IpAddress& first = addresses.front();
  finding.detail = fmt::format("{} leads to none of the addresses from which mail leaves under it", helo.str());
  finding.publish = RecordToPublish{helo.str(), address_type(first), first.str()};
  return finding;
}

}  // namespace

std::optional<std::vector<DomainFinding>> check_egress(const DomainCheckInput& input, Answers& answers) {
  std::vector<DomainFinding> findings;
  if (input.egress.empty()) return findings;
  bool complete = true;
  for (const IpAddress& address : input.egress) {
    auto finding = check_reverse(input, address, answers);
    complete = complete && finding;
    if (finding) findings.push_back(std::move(*finding));
  }
  std::map<DomainName, std::vector<IpAddress>> by_name;
  for (const IpAddress& address : input.egress) by_name[helo_of(input, address)].push_back(address);
  for (const auto& [name, addresses] : by_name) {
    auto helo = check_helo(name, addresses, answers);
    complete = complete && helo;
    if (helo) findings.push_back(std::move(*helo));
  }
  if (!complete) return std::nullopt;
  return findings;
}

}  // namespace waxwing
