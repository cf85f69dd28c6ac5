#include "policy/preflight.h"

#include <fmt/format.h>

#include <algorithm>

#include "policy/dmarc.h"
#include "policy/preflight_sentence.h"

namespace waxwing {
namespace {

using KeyState = PreflightVerdict::KeyState;
using SpfState = PreflightVerdict::SpfState;
using Outcome = PreflightVerdict::Outcome;

bool allows(const std::vector<std::string>& list, std::string_view word) {
  return list.empty() || std::ranges::find(list, word) != list.end();
}

// What is wrong with the published record, as the end of a sentence that begins with its name; empty: nothing.
std::string record_fault(const PreflightKey& key, const Answer& answer) {
  if (!answer.usable())
    return fmt::format("could not be looked up{}{}", answer.detail.empty() ? "" : ": ", answer.detail);
  if (answer.records.empty()) return "is not published";
  if (answer.records.size() > 1) return "has more than one TXT record, of which receivers may take any";
  const auto* txt = std::get_if<TxtRecord>(&answer.records.front());
  if (txt && !key.usual_record.empty() && txt->text == key.usual_record) return "";
  const auto record = DkimKeyRecord::parse(txt ? txt->text : "");
  if (!record) return fmt::format("is wrong: {}", record.error().detail);
  if (record->revoked) return "is revoked (p= is empty)";
  if (record->type != key.type)
    return fmt::format("is for k={} instead of k={}", dkim_key_type_name(record->type), dkim_key_type_name(key.type));
  if (record->public_key != key.public_key) return "carries another key";
  if (!allows(record->hashes, "sha256")) return "does not allow sha256 (h=)";
  if (!allows(record->services, "email")) return "is not for e-mail (s=)";
  return "";
}

std::optional<KeyState> judge_key(const PreflightKey& key, const DomainName& author, DmarcAlignment mode,
                                  Answers& answers) {
  const Answer* answer = answers.find({dkim_key_owner(key), RecordType::TXT});
  const auto aligned = dmarc_aligned(key.domain, author, mode, answers);
  if (!answer || !aligned) return std::nullopt;
  KeyState state;
  state.selector = key.selector;
  const std::string fault = record_fault(key, *answer);
  state.proven = fault.empty();
  state.aligned = *aligned == DmarcAligned::Yes;
  const bool may_be_proven = state.proven || !answer->usable();
  state.unknown = may_be_proven && *aligned != DmarcAligned::No && !(state.proven && state.aligned);
  if (!state.proven) {
    state.detail = fmt::format("{} {}; publish {} TXT \"{}\"", dkim_key_owner(key), fault, dkim_key_owner(key),
                               format_dkim_key_record(key.type, key.public_key));
  }
  return state;
}

// All keys are looked at before nothing is returned, so that their records are asked for in one round.
std::optional<std::vector<KeyState>> judge_keys(const PreflightInput& input, DmarcAlignment mode, Answers& answers) {
  std::vector<KeyState> states;
  for (const PreflightKey& key : input.keys) {
    if (auto state = judge_key(key, input.author_domain, mode, answers)) states.push_back(std::move(*state));
  }
  if (states.size() != input.keys.size()) return std::nullopt;
  return states;
}

// RFC 7208 §2.4: a null reverse-path stands for postmaster at the HELO name.
SpfInput spf_input(const PreflightInput& input, const IpAddress& egress) {
  SpfInput spf;
  spf.client = egress;
  spf.sender_local = input.reverse_path ? input.reverse_path->local_part : "postmaster";
  spf.domain = spf.sender_domain = preflight_spf_domain(input).str();
  spf.helo = input.helo.str();
  spf.explanation = SpfExplanation::NotWanted;
  return spf;
}

std::optional<std::vector<SpfState>> judge_spf(const PreflightInput& input, DmarcAlignment mode, Answers& answers) {
  const auto aligned = dmarc_aligned(preflight_spf_domain(input), input.author_domain, mode, answers);
  std::vector<SpfState> states;
  for (const IpAddress& egress : input.egress) {
    auto verdict = check_host(spf_input(input, egress), answers);
    if (!verdict || !aligned) continue;
    const bool is_aligned = *aligned == DmarcAligned::Yes;
    const bool passes = verdict->result == SpfResult::Pass;
    const bool may_pass = passes || verdict->result == SpfResult::TempError;
    const bool unknown = may_pass && *aligned != DmarcAligned::No && !(passes && is_aligned);
    states.push_back({egress, std::move(*verdict), is_aligned, unknown});
  }
  if (!aligned || states.size() != input.egress.size()) return std::nullopt;
  return states;
}

bool passes_by_dkim(const PreflightVerdict& verdict) {
  return std::ranges::any_of(verdict.keys, [](const KeyState& key) { return key.proven && key.aligned; });
}

bool passes_by_spf(const PreflightVerdict& verdict) {
  return !verdict.spf.empty() && std::ranges::all_of(verdict.spf, [](const SpfState& spf) {
    return spf.aligned && spf.verdict.result == SpfResult::Pass;
  });
}

// Whether an answer that did not come could have made it pass.
bool might_pass(const PreflightVerdict& verdict) {
  const bool by_dkim = std::ranges::any_of(verdict.keys, &KeyState::unknown);
  const bool by_spf = !verdict.spf.empty() && std::ranges::all_of(verdict.spf, [](const SpfState& spf) {
    return spf.unknown || (spf.aligned && spf.verdict.result == SpfResult::Pass);
  });
  return by_dkim || by_spf;
}

Outcome outcome_of(const PreflightVerdict& verdict, const DmarcDiscovery& discovery) {
  if (passes_by_dkim(verdict) || passes_by_spf(verdict)) return Outcome::Pass;
  if (discovery.temporary_error) return Outcome::Unknown;
  if (discovery.requested == DmarcPolicy::None) return Outcome::Pass;
  return might_pass(verdict) ? Outcome::Unknown : Outcome::WouldFail;
}

}  // namespace

std::optional<PreflightVerdict> preflight(const PreflightInput& input, Answers& answers) {
  const auto discovery = discover_dmarc(input.author_domain, answers);
  // Until the record is known, and where it cannot be known, strict alignment is what passes under any record. While
  // answers are missing, relaxed alignment notes all the questions that may come up.
  const DmarcAlignment unknown_mode = discovery ? DmarcAlignment::Strict : DmarcAlignment::Relaxed;
  const bool has_record = discovery && !discovery->temporary_error;
  const DmarcRecord record = has_record ? discovery->record.value_or(DmarcRecord{}) : DmarcRecord{};
  auto keys = judge_keys(input, has_record ? record.dkim_alignment : unknown_mode, answers);
  auto spf = judge_spf(input, has_record ? record.spf_alignment : unknown_mode, answers);
  if (!discovery || !keys || !spf) return std::nullopt;
  PreflightVerdict verdict;
  verdict.keys = std::move(*keys);
  verdict.spf = std::move(*spf);
  if (discovery->record) {
    verdict.dmarc_record_domain = discovery->record_domain->str();
    verdict.dmarc_policy = dmarc_policy_name(discovery->requested);
  }
  verdict.outcome = outcome_of(verdict, *discovery);
  verdict.sentence = preflight_sentence(input, *discovery, verdict);
  return verdict;
}

}  // namespace waxwing
