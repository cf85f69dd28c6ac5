#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "relay/cli/rotation_commands.h"
#include "relay/observe/escape.h"
#include "relay/rotation/key_check.h"

namespace waxwing {
namespace {

constexpr std::size_t kAtATime = 1'000;  // domains whose sightings are kept in memory

// Keys made by hand are all meant to sign.
Result<RotationState> state_of_hand_made(KeyDirectory& keys, const DomainName& domain) {
  const auto stored = keys.load_domain(domain);
  if (!stored) return tl::unexpected(stored.error());
  RotationState state{domain, "", 0, false, {}};
  for (const StoredKey& key : *stored) {
    KeyGeneration generation;
    generation.keys.push_back(
        {key.selector, key.key->type(), format_dkim_key_record(key.key->type(), key.key->public_key())});
    generation.phase = KeyPhase::Active;
    state.generations.push_back(std::move(generation));
  }
  return state;
}

void print_findings(const DomainName& domain, const std::vector<KeyFinding>& findings, Output& output) {
  nlohmann::json list = nlohmann::json::array();
  for (const KeyFinding& finding : findings) {
    list.push_back({{"selector", finding.selector}, {"detail", printable(finding.detail)}});
    output.add_line(
        fmt::format("{}{}{}: {}", domain.str(), finding.selector.empty() ? "" : " ", finding.selector, finding.detail));
  }
  output.add_object({{"domain", domain.str()}, {"in_order", findings.empty()}, {"findings", std::move(list)}});
}

struct Subject {
  RotationState state;
  bool by_hand;
};

// Gives how many are not in order.
std::size_t check_some(const RotationDesk& desk, const std::vector<Subject>& subjects, bool prove) {
  std::vector<RotationState> states;
  for (const Subject& each : subjects) states.push_back(each.state);
  const auto sightings = desk.driver.look(states, prove);
  const WallTime now = std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    auto findings = check_keys(subjects[i].state, sightings[i], now);
    // Nobody promised a standby for keys made by hand.
    if (subjects[i].by_hand) std::erase_if(findings, [](const KeyFinding& each) { return each.selector.empty(); });
    wrong += findings.empty() ? 0 : 1;
    print_findings(subjects[i].state.domain, findings, desk.output);
  }
  return wrong;
}

Result<std::vector<DomainName>> all_domains(const RotationDesk& desk) {
  auto domains = desk.keys.domains();
  if (!domains) return domains;
  auto states = desk.states.load_all();
  if (!states) return tl::unexpected(states.error());
  for (const RotationState& state : *states) domains->push_back(state.domain);
  std::ranges::sort(*domains);
  const auto repeated = std::ranges::unique(*domains);
  domains->erase(repeated.begin(), repeated.end());
  return domains;
}

}  // namespace

Result<bool> check_all_keys(const RotationDesk& desk, const std::string& domain_text) {
  Result<std::vector<DomainName>> domains = std::vector<DomainName>();
  if (domain_text.empty()) {
    domains = all_domains(desk);
  } else {
    auto domain = DomainName::parse(domain_text);
    if (!domain) {
      return fail(ErrorKind::Malformed,
                  fmt::format("\"{}\" is not a domain: {}", printable(domain_text), domain.error().detail));
    }
    domains->push_back(std::move(*domain));
  }
  if (!domains) return tl::unexpected(domains.error());
  std::size_t wrong = 0;
  std::vector<Subject> subjects;
  for (const DomainName& domain : *domains) {
    auto state = desk.states.load(domain);
    if (!state) return tl::unexpected(state.error());
    const bool by_hand = !state->has_value();
    auto subject = by_hand ? state_of_hand_made(desk.keys, domain) : Result<RotationState>(std::move(**state));
    if (!subject) return tl::unexpected(subject.error());
    if (subject->generations.empty() && !domain_text.empty())
      return fail(ErrorKind::NotFound,
                  fmt::format("{0} has no key; make one with \"waxwing keys create {0}\"", domain.str()));
    subjects.push_back({std::move(*subject), by_hand});
    if (subjects.size() < kAtATime) continue;
    wrong += check_some(desk, std::exchange(subjects, {}), false);
  }
  wrong += check_some(desk, subjects, !domain_text.empty());
  desk.output.add_line(wrong == 0 ? fmt::format("{} domains are in order", domains->size())
                                  : fmt::format("{} of {} domains are not in order", wrong, domains->size()));
  return wrong == 0;
}

}  // namespace waxwing
