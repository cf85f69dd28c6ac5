#include "relay/cli/rotation_output.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "keys/verifying_key.h"
#include "policy/dkim_key_record.h"
#include "relay/observe/escape.h"
#include "relay/observe/timestamp.h"

namespace waxwing {
namespace {

constexpr std::array<std::string_view, 6> kActionWords = {"make", "publish", "withdraw", "revoke", "reveal", "destroy"};

std::string_view action_word(RotationAction::Kind kind) {
  return kActionWords.at(static_cast<std::size_t>(kind));
}

nlohmann::json transition_object(const KeyTransition& transition) {
  return {{"selector", transition.selector},
          {"from", key_phase_name(transition.from)},
          {"to", key_phase_name(transition.to)},
          {"why", transition.why},
          {"evidence", printable(transition.evidence)}};
}

nlohmann::json time_or_null(const std::optional<WallTime>& time) {
  return time ? nlohmann::json(format_timestamp(*time)) : nlohmann::json(nullptr);
}

unsigned bits_of(const RotatedKey& key) {
  if (key.type == DkimKeyType::Ed25519) return 256;
  const auto record = DkimKeyRecord::parse(key.record);
  const auto public_key = record ? VerifyingKey::from_record(*record) : tl::unexpected(record.error());
  return public_key ? public_key->size_bits() : 0;
}

nlohmann::json key_object(const RotationState& state, const KeyGeneration& generation, const RotatedKey& key) {
  return {{"domain", state.domain.str()},
          {"selector", key.selector},
          {"algorithm", dkim_key_type_name(key.type)},
          {"bits", bits_of(key)},
          {"state", key_phase_name(generation.phase)},
          {"since", format_timestamp(generation.since)}};
}

}  // namespace

std::string transition_line(const DomainName& domain, const KeyTransition& transition) {
  const std::string phases = transition.from == transition.to ? std::string(key_phase_name(transition.to))
                                                              : fmt::format("{} -> {}", key_phase_name(transition.from),
                                                                            key_phase_name(transition.to));
  return fmt::format("{} {}: {}: {}{}{}{}", domain.str(), transition.selector, phases, transition.why,
                     transition.evidence.empty() ? "" : " (", transition.evidence,
                     transition.evidence.empty() ? "" : ")");
}

void print_transitions(const DomainName& domain, const std::vector<KeyTransition>& transitions, Output& output) {
  for (const KeyTransition& each : transitions) {
    nlohmann::json object = transition_object(each);
    object["domain"] = domain.str();
    output.add_object(object);
    output.add_line(transition_line(domain, each));
  }
}

void print_progress(const DomainProgress& progress, bool dry_run, Output& output) {
  nlohmann::json transitions = nlohmann::json::array();
  nlohmann::json actions = nlohmann::json::array();
  for (const KeyTransition& each : progress.transitions) {
    transitions.push_back(transition_object(each));
    output.add_line((dry_run ? "would be: " : "") + transition_line(progress.domain, each));
  }
  for (const RotationAction& each : progress.actions) {
    actions.push_back({{"action", action_word(each.kind)}, {"selector", each.selector}});
    output.add_line(fmt::format("{}{} {}: {}", dry_run ? "would be: " : "", progress.domain.str(), each.selector,
                                action_word(each.kind)));
  }
  nlohmann::json troubles = nlohmann::json::array();
  for (const std::string& each : progress.troubles) {
    troubles.push_back(printable(each));
    output.add_line("trouble: " + each);
  }
  output.add_object({{"domain", progress.domain.str()},
                     {"dry_run", dry_run},
                     {"transitions", std::move(transitions)},
                     {"actions", std::move(actions)},
                     {"troubles", std::move(troubles)},
                     {"next", time_or_null(progress.next)}});
}

void print_event(const DomainName& domain, const PlannedEvent& event, Output& output) {
  output.add_object({{"domain", domain.str()},
                     {"selector", event.selector},
                     {"what", event.what},
                     {"when", time_or_null(event.when)}});
  output.add_line(fmt::format("{}  {}  {}  {}", event.when ? format_timestamp(*event.when) : std::string(24, ' '),
                              domain.str(), event.selector, event.what));
}

void print_entry(const DomainName& domain, const AuditEntry& entry, Output& output) {
  nlohmann::json object = transition_object(entry.transition);
  object["domain"] = domain.str();
  object["sequence"] = entry.sequence;
  object["at"] = format_timestamp(entry.at);
  object["who"] = printable(entry.who);
  output.add_object(object);
  output.add_line(
      fmt::format("{} {} {}", format_timestamp(entry.at), entry.who, transition_line(domain, entry.transition)));
}

void print_state_lines(const RotationState& state, Output& output) {
  for (const KeyGeneration& generation : state.generations) {
    if (is_final(generation.phase)) continue;
    for (const RotatedKey& key : generation.keys) {
      const nlohmann::json object = key_object(state, generation, key);
      output.add_object(object);
      output.add_line(fmt::format("{}  {}  {}-{}  {} since {}", state.domain.str(), key.selector,
                                  dkim_key_type_name(key.type), object.at("bits").get<unsigned>(),
                                  key_phase_name(generation.phase), format_timestamp(generation.since)));
    }
  }
}

void print_state(const RotationState& state, const RotationRules& rules, Output& output) {
  for (const KeyGeneration& generation : state.generations) {
    for (const RotatedKey& key : generation.keys) {
      nlohmann::json object = key_object(state, generation, key);
      object["name"] = publication_name(state, key.selector);
      object["value"] = key.record;
      output.add_object(object);
    }
  }
  if (output.is_json()) return;
  print_state_lines(state, output);
  for (const PlannedEvent& event : plan_rotation(state, rules)) print_event(state.domain, event, output);
}

}  // namespace waxwing
