#include "policy/dmarc_verdict.h"

#include <fmt/format.h>

namespace waxwing {
namespace {

/// Whether some identifier is aligned; all are looked at before nothing is returned, so that their records are asked
/// for in one round.
std::optional<DmarcAligned> any_aligned(const std::vector<DomainName>& identifiers, const DomainName& author,
                                        DmarcAlignment mode, Answers& answers, const PublicSuffixList* list) {
  bool complete = true;
  auto best = DmarcAligned::No;
  for (const DomainName& identifier : identifiers) {
    const auto aligned = dmarc_aligned(identifier, author, mode, answers, list);
    complete = complete && aligned.has_value();
    if (!aligned || *aligned == DmarcAligned::No || best == DmarcAligned::Yes) continue;
    best = *aligned;
  }
  if (!complete) return std::nullopt;
  return best;
}

std::string detail_of(const DmarcVerdict& verdict, const DomainName& author) {
  if (verdict.discovery.temporary_error) return verdict.discovery.detail;
  if (!verdict.discovery.record) return fmt::format("{} has no DMARC record", author.str());
  if (verdict.dkim_aligned && verdict.spf_aligned) return "DKIM and SPF are aligned";
  if (verdict.dkim_aligned) return "DKIM is aligned";
  if (verdict.spf_aligned) return "SPF is aligned";
  if (verdict.result == DmarcResult::TempError) return "a lookup failed that might have made it pass";
  return fmt::format("neither SPF nor DKIM passed for {}; it asks for {}", author.str(),
                     verdict.discovery.requested_by);
}

}  // namespace

std::string_view dmarc_result_name(DmarcResult result) {
  switch (result) {
    case DmarcResult::None:
      return "none";
    case DmarcResult::Pass:
      return "pass";
    case DmarcResult::Fail:
      return "fail";
    case DmarcResult::TempError:
      return "temperror";
    case DmarcResult::PermError:
      break;
  }
  return "permerror";
}

std::optional<DmarcVerdict> evaluate_dmarc(const DomainName& author_domain, const AuthenticatedIdentifiers& identifiers,
                                           Answers& answers, const PublicSuffixList* list) {
  auto discovery = discover_dmarc(author_domain, answers, list);
  const DmarcRecord record = discovery ? discovery->record.value_or(DmarcRecord{}) : DmarcRecord{};
  std::vector<DomainName> spf_domains;
  if (identifiers.spf) spf_domains.push_back(*identifiers.spf);
  const auto spf = any_aligned(spf_domains, author_domain, record.spf_alignment, answers, list);
  const auto dkim = any_aligned(identifiers.dkim, author_domain, record.dkim_alignment, answers, list);
  if (!discovery || !spf || !dkim) return std::nullopt;

  DmarcVerdict verdict;
  verdict.discovery = std::move(*discovery);
  verdict.spf_aligned = *spf == DmarcAligned::Yes;
  verdict.dkim_aligned = *dkim == DmarcAligned::Yes;
  const bool unknown = identifiers.spf_unknown || identifiers.dkim_unknown || *spf == DmarcAligned::TemporaryError ||
                       *dkim == DmarcAligned::TemporaryError;
  if (verdict.discovery.temporary_error) {
    verdict.result = DmarcResult::TempError;
  } else if (!verdict.discovery.record) {
    verdict.result = DmarcResult::None;
  } else if (verdict.spf_aligned || verdict.dkim_aligned) {
    verdict.result = DmarcResult::Pass;
  } else {
    verdict.result = unknown ? DmarcResult::TempError : DmarcResult::Fail;
  }
  if (verdict.result == DmarcResult::Fail) verdict.disposition = verdict.discovery.requested;
  verdict.detail = detail_of(verdict, author_domain);
  return verdict;
}

}  // namespace waxwing
