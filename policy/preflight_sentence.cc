#include "policy/preflight_sentence.h"

#include <fmt/format.h>

#include <algorithm>

namespace waxwing {
namespace {

using KeyState = PreflightVerdict::KeyState;
using SpfState = PreflightVerdict::SpfState;
using Outcome = PreflightVerdict::Outcome;

constexpr std::size_t kKeyOctetsShown = 12;

// Details may quote what others wrote in DNS.
std::string one_line(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return c < 0x20 || c >= 0x7f; }, '?');
  if (text.size() > kMaxSentenceOctets) {
    text.resize(kMaxSentenceOctets - 3);
    text += "...";
  }
  return text;
}

bool passes(const SpfState& spf) {
  return spf.aligned && spf.verdict.result == SpfResult::Pass;
}

// The key whose record is to be put right: an aligned one where there is one.
const PreflightKey* key_to_publish(const PreflightInput& input, const PreflightVerdict& verdict) {
  for (std::size_t i = 0; i < input.keys.size(); ++i) {
    if (verdict.keys[i].aligned) return &input.keys[i];
  }
  return nullptr;
}

const KeyState& state_of(const PreflightKey& key, const PreflightInput& input, const PreflightVerdict& verdict) {
  return verdict.keys[static_cast<std::size_t>(&key - input.keys.data())];
}

// The record with the key cut short: the whole of it stands in KeyState::detail.
std::string short_record(const PreflightKey& key) {
  const std::string record = format_dkim_key_record(key.type, key.public_key);
  return record.substr(0, record.find("p=") + 2 + kKeyOctetsShown) + "...";
}

std::string dkim_fault(const PreflightInput& input, const PreflightVerdict& verdict) {
  if (input.keys.empty()) return "there is no DKIM key for it";
  const PreflightKey* key = key_to_publish(input, verdict);
  if (!key) return fmt::format("the DKIM key of {} is not aligned", input.keys.front().domain.str());
  const std::string& detail = state_of(*key, input, verdict).detail;
  return "DKIM key " + detail.substr(0, detail.find("; publish "));
}

std::string spf_fault(const PreflightInput& input, const PreflightVerdict& verdict) {
  const std::string& domain = preflight_spf_domain(input).str();
  const auto failing = std::ranges::find_if_not(verdict.spf, passes);
  if (failing == verdict.spf.end()) return "no egress address is configured for SPF";
  if (!failing->aligned) return fmt::format("SPF of {} is not aligned", domain);
  return fmt::format("SPF of {} gives {} for {}", domain, spf_result_name(failing->verdict.result),
                     failing->egress.str());
}

std::string remedy(const PreflightInput& input, const PreflightVerdict& verdict) {
  const PreflightKey* key = key_to_publish(input, verdict);
  std::string text = key ? fmt::format("publish {} TXT \"{}\"", dkim_key_owner(*key), short_record(*key))
                         : fmt::format("create a DKIM key for {} and publish it", input.author_domain.str());
  const auto failing = std::ranges::find_if_not(verdict.spf, passes);
  if (failing == verdict.spf.end() || !failing->aligned) return text;
  const std::string domain = preflight_spf_domain(input).str();
  const std::string mechanism =
      fmt::format("{}:{}", failing->egress.family() == IpAddress::Family::V4 ? "ip4" : "ip6", failing->egress.str());
  if (failing->verdict.result == SpfResult::None) {
    return text + fmt::format(" or {} TXT \"v=spf1 {} -all\"", domain, mechanism);
  }
  if (failing->verdict.result == SpfResult::PermError)
    return text + fmt::format(" or repair the SPF record of {}", domain);
  return text + fmt::format(" or add {} to the SPF record of {}", mechanism, domain);
}

std::string pass_sentence(const PreflightInput& input, const DmarcDiscovery& discovery,
                          const PreflightVerdict& verdict) {
  const std::string& author = input.author_domain.str();
  for (const PreflightKey& key : input.keys) {
    const KeyState& state = state_of(key, input, verdict);
    if (state.proven && state.aligned)
      return fmt::format("mail from {} passes DMARC by the DKIM key {}", author, dkim_key_owner(key));
  }
  if (!verdict.spf.empty() && std::ranges::all_of(verdict.spf, passes)) {
    return fmt::format("mail from {} passes DMARC by SPF of {} from every egress address", author,
                       preflight_spf_domain(input).str());
  }
  if (!discovery.record) return fmt::format("mail from {} is under no DMARC policy: {}", author, discovery.detail);
  return fmt::format("mail from {} would fail DMARC, but {} at _dmarc.{} asks nobody to enforce it: {}, and {}; {}",
                     author, discovery.requested_by, discovery.record_domain->str(), dkim_fault(input, verdict),
                     spf_fault(input, verdict), remedy(input, verdict));
}

std::string fail_sentence(const PreflightInput& input, const DmarcDiscovery& discovery,
                          const PreflightVerdict& verdict) {
  return fmt::format("mail from {} would fail DMARC ({} at _dmarc.{}): {}, and {}; {}", input.author_domain.str(),
                     discovery.requested_by, discovery.record_domain->str(), dkim_fault(input, verdict),
                     spf_fault(input, verdict), remedy(input, verdict));
}

std::string unknown_cause(const PreflightInput& input, const DmarcDiscovery& discovery,
                          const PreflightVerdict& verdict) {
  if (discovery.temporary_error) return discovery.detail;
  for (const PreflightKey& key : input.keys) {
    const KeyState& state = state_of(key, input, verdict);
    if (!state.unknown) continue;
    if (state.proven) return fmt::format("the organizational domain of {} could not be looked up", key.domain.str());
    return "DKIM key " + state.detail.substr(0, state.detail.find("; publish "));
  }
  for (const SpfState& spf : verdict.spf) {
    if (spf.unknown && spf.verdict.result == SpfResult::TempError) return spf.verdict.detail;
  }
  return fmt::format("the organizational domain of {} could not be looked up", preflight_spf_domain(input).str());
}

}  // namespace

std::string dkim_key_owner(const PreflightKey& key) {
  return key.selector + "._domainkey." + key.domain.str();
}

const DomainName& preflight_spf_domain(const PreflightInput& input) {
  return input.reverse_path ? input.reverse_path->domain : input.helo;
}

std::string preflight_sentence(const PreflightInput& input, const DmarcDiscovery& discovery,
                               const PreflightVerdict& verdict) {
  switch (verdict.outcome) {
    case Outcome::Pass:
      return one_line(pass_sentence(input, discovery, verdict));
    case Outcome::WouldFail:
      return one_line(fail_sentence(input, discovery, verdict));
    case Outcome::Unknown:
      break;
  }
  return one_line(
      fmt::format("DNS does not tell whether mail from {} passes DMARC: {}; check the resolver and try again",
                  input.author_domain.str(), unknown_cause(input, discovery, verdict)));
}

}  // namespace waxwing
