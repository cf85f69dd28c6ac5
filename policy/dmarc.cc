#include "policy/dmarc.h"

#include <fmt/format.h>

#include <algorithm>

namespace waxwing {
namespace {

constexpr std::size_t kLabelsAfterJump = 7;  // of names with 8 or more labels, RFC 9989 §4.10 step 4
constexpr std::size_t kMaxNameOctets = 253;

struct FoundRecord {
  DomainName domain;
  DmarcRecord record;
};

// What the tree walk met from one domain to the root.
struct Walk {
  bool temporary_error = false;
  std::string detail;
  std::vector<FoundRecord> found;
  std::vector<std::string> consulted;
};

std::vector<DomainName> walk_targets(const DomainName& domain) {
  std::vector<DomainName> targets = {domain};
  const std::size_t labels = domain.label_count();
  for (std::size_t count = std::min(labels - 1, kLabelsAfterJump); count > 0; --count) {
    targets.push_back(domain.last_labels(count));
  }
  return targets;
}

Question dmarc_question(const DomainName& domain) {
  return {"_dmarc." + domain.str(), RecordType::TXT};
}

std::vector<DmarcRecord> records_of(const Answer& answer) {
  std::vector<DmarcRecord> records;
  for (const RecordData& data : answer.records) {
    const auto* txt = std::get_if<TxtRecord>(&data);
    if (!txt) continue;
    if (const auto record = DmarcRecord::parse(txt->text)) records.push_back(*record);
  }
  return records;
}

// Goes to one name after the other until `is_last` says of what was found there that it is the end.
template <class IsLast>
std::optional<Walk> walk_to(std::vector<DomainName> targets, Answers& answers, IsLast is_last) {
  // A name too long to be asked for has no record.
  std::erase_if(targets, [](const DomainName& target) { return dmarc_question(target).name.size() > kMaxNameOctets; });
  for (const DomainName& target : targets) static_cast<void>(answers.find(dmarc_question(target)));
  Walk walk;
  for (const DomainName& target : targets) {
    const Question question = dmarc_question(target);
    const Answer* answer = answers.find(question);
    if (!answer) return std::nullopt;
    walk.consulted.push_back(question.name);
    if (!answer->usable()) {
      walk.temporary_error = true;
      walk.detail = fmt::format("the lookup of {} TXT failed{}{}", question.name, answer->detail.empty() ? "" : ": ",
                                answer->detail);
      return walk;
    }
    const std::vector<DmarcRecord> records = records_of(*answer);
    // Several are as good as none (RFC 9989 §4.10 step 2).
    if (records.size() == 1) walk.found.push_back({target, records.front()});
    if (is_last(records)) return walk;
  }
  return walk;
}

std::optional<Walk> walk_tree(const DomainName& domain, Answers& answers) {
  return walk_to(walk_targets(domain), answers, [](const std::vector<DmarcRecord>& records) {
    return records.size() == 1 && records.front().public_suffix != DmarcRecord::PublicSuffix::Unspecified;
  });
}

// RFC 7489 §3.2. A public suffix is the organization of itself.
DomainName organizational_domain(const DomainName& domain, const PublicSuffixList& list) {
  return list.registrable_domain(domain).value_or(domain);
}

// RFC 7489 §6.6.3: the first name with records decides, also when they are too many.
std::optional<Walk> ask_legacy(const DomainName& domain, const DomainName& organization, Answers& answers) {
  std::vector<DomainName> targets = {domain};
  if (organization != domain) targets.push_back(organization);
  auto walk = walk_to(std::move(targets), answers, [](const auto& records) { return !records.empty(); });
  if (!walk) return std::nullopt;
  for (FoundRecord& found : walk->found) {
    found.record.nonexistent_policy.reset();
    found.record.testing = false;
  }
  return walk;
}

// RFC 9989 §4.10.2.
DomainName organizational_domain(const DomainName& domain, const Walk& walk) {
  if (walk.found.empty()) return domain;
  const FoundRecord& last = walk.found.back();  // the fewest labels, or where psd= ended the walk
  if (last.record.public_suffix == DmarcRecord::PublicSuffix::Yes && last.domain != domain) {
    return domain.last_labels(last.domain.label_count() + 1);
  }
  return last.domain;
}

// The record that applies: of the author domain, else of the organizational domain, else of the public suffix above it.
const FoundRecord* record_that_applies(const DomainName& author_domain, const DomainName& organization,
                                       const Walk& walk) {
  for (const DomainName& wanted : {author_domain, organization}) {
    const auto found = std::ranges::find(walk.found, wanted, &FoundRecord::domain);
    if (found != walk.found.end()) return &*found;
  }
  const bool ends_at_suffix =
      !walk.found.empty() && walk.found.back().record.public_suffix == DmarcRecord::PublicSuffix::Yes;
  return ends_at_suffix ? &walk.found.back() : nullptr;
}

DmarcPolicy one_level_less(DmarcPolicy policy) {
  return policy == DmarcPolicy::Reject ? DmarcPolicy::Quarantine : DmarcPolicy::None;
}

// Fills in `requested`; false while an answer is missing.
bool apply_policy(const DomainName& author_domain, Answers& answers, DmarcDiscovery& discovery) {
  const DmarcRecord& record = *discovery.record;
  DmarcPolicy policy = record.policy;
  std::string_view tag = "p";
  if (*discovery.record_domain != author_domain) {
    policy = record.subdomain_policy.value_or(record.policy);
    if (record.subdomain_policy) tag = "sp";
    if (record.nonexistent_policy && *record.nonexistent_policy != policy) {
      // A name that has nothing of any type has no A record either, and then NXDOMAIN says so (RFC 8020 §2).
      const Answer* answer = answers.find({author_domain.str(), RecordType::A});
      if (!answer) return false;
      if (!answer->usable()) {
        discovery.temporary_error = true;
        discovery.detail = fmt::format("the lookup of {} A failed, which np= depends on", author_domain.str());
      } else if (!answer->name_exists) {
        policy = *record.nonexistent_policy;
        tag = "np";
      }
    }
  }
  discovery.requested_by = fmt::format("{}={}{}", tag, dmarc_policy_name(policy), record.testing ? "; t=y" : "");
  discovery.requested = record.testing ? one_level_less(policy) : policy;
  return true;
}

}  // namespace

std::optional<DmarcDiscovery> discover_dmarc(const DomainName& author_domain, Answers& answers,
                                             const PublicSuffixList* list) {
  auto walk = list ? ask_legacy(author_domain, organizational_domain(author_domain, *list), answers)
                   : walk_tree(author_domain, answers);
  if (!walk) return std::nullopt;
  DmarcDiscovery discovery;
  discovery.consulted = std::move(walk->consulted);
  discovery.temporary_error = walk->temporary_error;
  discovery.detail = walk->detail;
  if (walk->temporary_error) return discovery;
  discovery.organizational_domain =
      list ? organizational_domain(author_domain, *list) : organizational_domain(author_domain, *walk);
  const FoundRecord* found = record_that_applies(author_domain, *discovery.organizational_domain, *walk);
  if (!found) {
    discovery.detail = fmt::format("no DMARC record applies to {}", author_domain.str());
    return discovery;
  }
  if (!found->record.applies) {
    discovery.detail =
        fmt::format("the DMARC record at _dmarc.{} has neither a valid policy nor a valid rua=", found->domain.str());
    return discovery;
  }
  discovery.record = found->record;
  discovery.record_domain = found->domain;
  if (!apply_policy(author_domain, answers, discovery)) return std::nullopt;
  return discovery;
}

std::optional<DmarcAligned> dmarc_aligned(const DomainName& identifier, const DomainName& author_domain,
                                          DmarcAlignment mode, Answers& answers, const PublicSuffixList* list) {
  if (identifier == author_domain) return DmarcAligned::Yes;
  if (mode == DmarcAlignment::Strict) return DmarcAligned::No;
  // Names without a common last label have no common organizational domain.
  if (identifier.last_labels(1) != author_domain.last_labels(1)) return DmarcAligned::No;
  const auto answer = [](bool same) { return same ? DmarcAligned::Yes : DmarcAligned::No; };
  if (list) return answer(organizational_domain(identifier, *list) == organizational_domain(author_domain, *list));
  const auto identifier_walk = walk_tree(identifier, answers);
  const auto author_walk = walk_tree(author_domain, answers);
  if (!identifier_walk || !author_walk) return std::nullopt;
  if (identifier_walk->temporary_error || author_walk->temporary_error) return DmarcAligned::TemporaryError;
  return answer(organizational_domain(identifier, *identifier_walk) ==
                organizational_domain(author_domain, *author_walk));
}

}  // namespace waxwing
