#include "relay/server/received_verdict.h"

#include <algorithm>
#include <utility>

#include "policy/spf_name.h"
#include "signer/from_field.h"
#include "signer/verification_report.h"

namespace waxwing {
namespace {

// RFC 7208 §2.4: a null reverse-path stands for postmaster at the HELO name.
SpfInput spf_input(const ReceivedEnvelope& envelope) {
  SpfInput input;
  input.client = *envelope.client;
  input.helo = question_name(envelope.helo);
  input.sender_local = envelope.reverse_path ? envelope.reverse_path->local_part : "postmaster";
  input.domain = input.sender_domain = envelope.reverse_path ? envelope.reverse_path->domain.str() : input.helo;
  input.explanation = SpfExplanation::NotWanted;
  return input;
}

void read_author(const MessageVerifier& message, ReceivedVerdict& verdict) {
  const auto authors = read_authors(message.fields());
  if (!authors) {
    verdict.author_fault = authors.error().detail;
    return;
  }
  auto domain = sole_author_domain(*authors);
  if (domain)
    verdict.author_domain = std::move(*domain);
  else
    verdict.author_fault = domain.error().detail;
}

AuthenticatedIdentifiers identifiers_of(const ReceivedVerdict& verdict) {
  AuthenticatedIdentifiers identifiers;
  if (verdict.spf && verdict.spf->result == SpfResult::Pass) {
    if (auto domain = DomainName::parse(verdict.spf_input->domain)) identifiers.spf = std::move(*domain);
  }
  identifiers.spf_unknown = verdict.spf && verdict.spf->result == SpfResult::TempError;
  for (const DkimVerdict& dkim : verdict.signatures.dkim) {
    identifiers.dkim_unknown = identifiers.dkim_unknown || dkim.result == DkimResult::TempError;
    if (dkim.result != DkimResult::Pass) continue;
    if (auto domain = DomainName::parse(dkim.signature.domain)) identifiers.dkim.push_back(std::move(*domain));
  }
  return identifiers;
}

bool passes(const DkimVerdict& dkim) {
  return dkim.result == DkimResult::Pass;
}

}  // namespace

std::optional<ReceivedVerdict> judge_received(const MessageVerifier& message, const ReceivedEnvelope& envelope,
                                              Answers& answers, WallTime now) {
  ReceivedVerdict verdict;
  if (envelope.client) {
    verdict.spf_input = spf_input(envelope);
    verdict.spf = check_host(*verdict.spf_input, answers);
  }
  auto signatures = message.verify(answers, now);
  read_author(message, verdict);
  if (verdict.author_domain && (!signatures || (envelope.client && !verdict.spf)))
    (void)discover_dmarc(*verdict.author_domain, answers);  // notes its questions, so that all are asked in one round
  if (!signatures || (envelope.client && !verdict.spf)) return std::nullopt;
  verdict.signatures = std::move(*signatures);
  if (!verdict.author_domain) return verdict;
  verdict.dmarc = evaluate_dmarc(*verdict.author_domain, identifiers_of(verdict), answers);
  if (!verdict.dmarc) return std::nullopt;
  return verdict;
}

AuthenticationResults report_received(const ReceivedVerdict& verdict, std::string authserv_id,
                                      const std::optional<IpAddress>& client) {
  AuthenticationResults results{std::move(authserv_id), report_dkim(verdict.signatures.dkim)};
  if (verdict.spf) results.methods.push_back(report_spf(*verdict.spf, *verdict.spf_input));
  results.methods.push_back(verdict.dmarc
                                ? report_dmarc(*verdict.dmarc, *verdict.author_domain)
                                : AuthenticationResults::Method{"dmarc", "permerror", verdict.author_fault, "", {}});
  results.methods.push_back(report_arc(verdict.signatures.arc, client));
  return results;
}

bool would_be_accepted(const ReceivedVerdict& verdict) {
  if (!verdict.dmarc) return false;
  if (verdict.dmarc->result == DmarcResult::Pass) return true;
  if (verdict.dmarc->result != DmarcResult::None) return false;
  const std::vector<DkimVerdict>& dkim = verdict.signatures.dkim;
  const bool dkim_failed = !dkim.empty() && std::ranges::none_of(dkim, passes);
  const bool spf_failed =
      verdict.spf && (verdict.spf->result == SpfResult::Fail || verdict.spf->result == SpfResult::PermError ||
                      verdict.spf->result == SpfResult::TempError);
  return !dkim_failed && !spf_failed && verdict.signatures.arc.result != ArcResult::Fail;
}

}  // namespace waxwing
