#include "relay/cli/rotation_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "keys/generation_name.h"
#include "keys/key_name.h"
#include "keys/rotation_plan.h"
#include "relay/cli/key_commands.h"
#include "relay/cli/rotation_output.h"
#include "relay/observe/escape.h"
#include "relay/observe/timestamp.h"

namespace waxwing {
namespace {

constexpr Milliseconds kShortestWait{500};
constexpr Milliseconds kLongestWait{30'000};

WallTime system_time() {
  return std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
}

Result<DomainName> parse_domain(const std::string& text) {
  auto domain = DomainName::parse(text);
  if (domain) return domain;
  return fail(ErrorKind::Malformed, fmt::format("\"{}\" is not a domain: {}", printable(text), domain.error().detail));
}

tl::unexpected<Error> no_life_cycle(const DomainName& domain) {
  return fail(ErrorKind::NotFound,
              fmt::format("the keys of {0} have no life cycle; \"waxwing keys rotate {0}\" begins one for keys made by "
                          "hand, \"waxwing keys create {0}\" for a domain without keys",
                          domain.str()));
}

Result<RotationState> load_state(const RotationDesk& desk, const std::string& text) {
  const auto domain = parse_domain(text);
  if (!domain) return tl::unexpected(domain.error());
  auto state = desk.states.load(*domain);
  if (!state) return tl::unexpected(state.error());
  if (!*state) return no_life_cycle(*domain);
  return std::move(**state);
}

Result<std::vector<RotationState>> load_states(const RotationDesk& desk, const std::string& domain) {
  if (domain.empty()) return desk.states.load_all();
  auto state = load_state(desk, domain);
  if (!state) return tl::unexpected(state.error());
  return std::vector<RotationState>{std::move(*state)};
}

RotatedKey rotated(const StoredKey& key) {
  return {key.selector, key.key->type(), format_dkim_key_record(key.key->type(), key.key->public_key())};
}

// Keys made by hand in the groups that they were made in, oldest first.
std::vector<std::vector<RotatedKey>> groups_of(std::vector<StoredKey> keys) {
  std::ranges::stable_sort(keys, {}, &StoredKey::created);
  std::vector<std::vector<RotatedKey>> groups;
  for (const StoredKey& key : keys) {
    const bool is_second = key.selector.ends_with(kEd25519Suffix);
    if (is_second) continue;
    groups.push_back({rotated(key)});
    const auto partner = std::ranges::find(keys, key.selector + std::string(kEd25519Suffix), &StoredKey::selector);
    if (partner != keys.end()) groups.back().push_back(rotated(*partner));
  }
  for (const StoredKey& key : keys) {
    const auto has = [&](const std::vector<RotatedKey>& group) {
      return std::ranges::find(group, key.selector, &RotatedKey::selector) != group.end();
    };
    if (std::ranges::none_of(groups, has)) groups.insert(groups.begin(), {rotated(key)});
  }
  return groups;
}

// A domain whose keys were made by hand gets a life cycle.
Result<RotationState> load_or_adopt(const RotationDesk& desk, const DomainName& domain) {
  auto state = desk.states.load(domain);
  if (!state) return tl::unexpected(state.error());
  if (*state) return std::move(**state);
  auto keys = desk.keys.load_domain(domain);
  if (!keys) return tl::unexpected(keys.error());
  if (keys->empty()) {
    return fail(ErrorKind::NotFound,
                fmt::format("{0} has no key; make one with \"waxwing keys create {0}\"", domain.str()));
  }
  const WallTime now = system_time();
  if (keys->size() > kMaxGenerations / 2) {
    return fail(ErrorKind::Exhausted,
                fmt::format("{} has {} keys made by hand, and a life cycle begins with at most {}; "
                            "move those away that nobody needs",
                            domain.str(), keys->size(), kMaxGenerations / 2));
  }
  const RotationChange change = adopt_keys(domain, groups_of(std::move(*keys)), now);
  auto kept = desk.states.save(change, desk.who, now);
  if (kept) print_transitions(domain, change.transitions, desk.output);
  return kept;
}

bool is_settled(const RotationState& state) {
  const auto count = [&](KeyPhase phase) {
    return std::ranges::count(state.generations, phase, &KeyGeneration::phase);
  };
  return !state.rotation_wanted && count(KeyPhase::Active) == 1 && count(KeyPhase::Ready) >= 1 &&
         count(KeyPhase::Pending) == 0 && count(KeyPhase::Published) == 0;
}

bool is_quiet(const std::vector<DomainProgress>& progress) {
  return std::ranges::all_of(progress, [](const DomainProgress& each) { return each.troubles.empty(); });
}

void say_progress(const RotationDesk& desk, const std::vector<DomainProgress>& progress) {
  for (const DomainProgress& each : progress) {
    for (const KeyTransition& transition : each.transitions)
      desk.streams.err << printable(transition_line(each.domain, transition)) << '\n';
    for (const std::string& trouble : each.troubles) desk.streams.err << printable(trouble) << '\n';
  }
  desk.streams.err << std::flush;
}

// Goes on until every domain is settled or the time is over.
Result<std::vector<DomainProgress>> advance_until_settled(const RotationDesk& desk,
                                                          const std::vector<DomainName>& domains,
                                                          const RotationOrder& order) {
  const WallTime end = system_time() + order.time_limit;
  while (true) {
    auto progress = desk.driver.advance(domains);
    const bool settled =
        std::ranges::all_of(progress, [](const DomainProgress& each) { return each.state && is_settled(*each.state); });
    if (!order.wait || settled) return progress;
    say_progress(desk, progress);
    const WallTime now = system_time();
    if (now >= end) {
      return fail(ErrorKind::Unavailable,
                  fmt::format("not everything was seen within {} s; what was asked for stays asked for, and \"waxwing "
                              "keys plan\" says what it waits for",
                              order.time_limit.count()));
    }
    Milliseconds pause = kShortestWait * 4;
    for (const DomainProgress& each : progress)
      if (each.next) pause = std::min(pause, std::max(kShortestWait, *each.next - now));
    std::this_thread::sleep_for(std::min(pause, kLongestWait));
  }
}

Result<bool> advance_and_print(const RotationDesk& desk, const std::vector<DomainName>& domains,
                               const RotationOrder& order) {
  const auto progress = order.dry_run ? Result<std::vector<DomainProgress>>(desk.driver.foresee(domains))
                                      : advance_until_settled(desk, domains, order);
  if (!progress) return tl::unexpected(progress.error());
  for (const DomainProgress& each : *progress) print_progress(each, order.dry_run, desk.output);
  return is_quiet(*progress);
}

std::vector<DomainName> names_of(const std::vector<RotationState>& states) {
  std::vector<DomainName> names;
  for (const RotationState& state : states) names.push_back(state.domain);
  return names;
}

// Keeps a change that the operator asked for, then does what follows from it.
Result<bool> apply(const RotationDesk& desk, const Result<RotationChange>& change, const RotationOrder& order) {
  if (!change) return tl::unexpected(change.error());
  const DomainName& domain = change->state.domain;
  print_transitions(domain, change->transitions, desk.output);
  if (order.dry_run) return true;
  const auto kept = desk.states.save(*change, desk.who, system_time());
  if (!kept) return tl::unexpected(kept.error());
  return advance_and_print(desk, {domain}, order);
}

void print_lines(const std::string& text, Output& output) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    output.add_line(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
}

void print_published(const RotationDesk& desk, const RotationState& state, const std::string& selector,
                     RecordFormat format) {
  std::vector<PublishedRecord> records = published_records(state);
  if (!selector.empty()) {
    const std::string name = publication_name(state, selector);
    std::erase_if(records, [&](const PublishedRecord& each) { return each.name != name; });
  }
  for (const PublishedRecord& each : records)
    desk.output.add_object(
        {{"domain", state.domain.str()}, {"name", each.name}, {"type", "TXT"}, {"value", each.text}});
  const std::string& zone = state.delegation.empty() ? state.domain.str() : state.delegation;
  print_lines(format_records(records, format, zone, desk.record_ttl), desk.output);
}

}  // namespace

Result<bool> begin_keys(const RotationDesk& desk, const RotationOrder& order) {
  const auto domain = parse_domain(order.domain);
  if (!domain) return tl::unexpected(domain.error());
  if (order.delegate && desk.delegation_zone.empty())
    return fail(ErrorKind::Denied, "set rotation.delegation_zone to the zone that CNAMEs of customers shall lead into");
  const auto state = desk.states.load(*domain);
  const auto keys = desk.keys.load_domain(*domain);
  if (!state) return tl::unexpected(state.error());
  if (!keys) return tl::unexpected(keys.error());
  if (*state || !keys->empty()) {
    return fail(ErrorKind::Conflict,
                fmt::format("{0} has keys already; \"waxwing keys rotate {0}\" replaces them", domain->str()));
  }
  RotationChange change = adopt_keys(*domain, {}, system_time());
  if (order.delegate) change.state.delegation = desk.delegation_zone;
  if (const auto kept = desk.states.save(change, desk.who, system_time()); !kept) return tl::unexpected(kept.error());
  const auto done = advance_and_print(desk, {*domain}, order);
  if (!done) return done;
  const auto now = desk.states.load(*domain);
  if (!now || !*now) return done;
  if (order.delegate) {
    desk.output.add_line("; The customer publishes these records once:");
    print_lines(format_delegation(**now, desk.rules.slots, desk.record_ttl), desk.output);
  } else {
    desk.output.add_line("; Records of these keys; each signs once every name server has it:");
  }
  print_published(desk, **now, "", RecordFormat::Zone);
  return done;
}

Result<bool> adopt_named_keys(const RotationDesk& desk, const std::string& domain_text, const std::string& selector) {
  const auto domain = parse_domain(domain_text);
  const auto name = parse_selector(selector);
  if (!domain) return tl::unexpected(domain.error());
  if (!name) return tl::unexpected(name.error());
  auto state = desk.states.load(*domain);
  if (!state) return tl::unexpected(state.error());
  if (!*state) return true;
  const auto keys = desk.keys.load_domain(*domain);
  if (!keys) return tl::unexpected(keys.error());
  std::vector<RotatedKey> made;
  for (const std::string& each : {*name, *name + std::string(kEd25519Suffix)}) {
    const auto found = std::ranges::find(*keys, each, &StoredKey::selector);
    if (found != keys->end()) made.push_back(rotated(*found));
  }
  return apply(desk, add_generation(std::move(**state), std::move(made), system_time()), {});
}

Result<bool> rotate_keys(const RotationDesk& desk, const RotationOrder& order) {
  if (order.domain.empty()) {
    if (order.now) return fail(ErrorKind::Malformed, "name the domain that is to use its standby now");
    return carry_on_keys(desk, order, false);
  }
  const auto domain = parse_domain(order.domain);
  if (!domain) return tl::unexpected(domain.error());
  auto state = order.dry_run ? load_state(desk, order.domain) : load_or_adopt(desk, *domain);
  if (!state) return tl::unexpected(state.error());
  if (order.now) return apply(desk, rotate_now(std::move(*state), system_time()), order);
  return apply(desk, request_rotation(std::move(*state), system_time()), order);
}

Result<bool> carry_on_keys(const RotationDesk& desk, const RotationOrder& order, bool confirm) {
  const auto states = load_states(desk, order.domain);
  if (!states) return tl::unexpected(states.error());
  const auto done = advance_and_print(desk, names_of(*states), order);
  if (!done || !confirm) return done;
  const auto after = load_states(desk, order.domain);
  if (!after) return tl::unexpected(after.error());
  for (const RotationState& state : *after) {
    for (const KeyGeneration& each : state.generations) {
      if (each.phase != KeyPhase::Pending) continue;
      desk.output.add_line(fmt::format("{} {}: its records are not yet on every name server", state.domain.str(),
                                       each.keys.front().selector));
      return false;
    }
  }
  return done;
}

Result<bool> revoke_key(const RotationDesk& desk, const RotationOrder& order) {
  auto state = load_state(desk, order.domain);
  if (!state) return tl::unexpected(state.error());
  const auto selector = parse_selector(order.selector);
  if (!selector) return tl::unexpected(selector.error());
  return apply(desk, revoke_keys(std::move(*state), *selector, system_time()), order);
}

Result<bool> reveal_key(const RotationDesk& desk, const RotationOrder& order) {
  if (!desk.can_reveal)
    return fail(ErrorKind::Denied, "set rotation.reveal_directory to where old private keys shall be published");
  auto state = load_state(desk, order.domain);
  if (!state) return tl::unexpected(state.error());
  const auto selector = parse_selector(order.selector);
  if (!selector) return tl::unexpected(selector.error());
  return apply(desk, request_reveal(std::move(*state), *selector, system_time()), order);
}

Result<bool> plan_keys(const RotationDesk& desk, const std::string& domain) {
  const auto states = load_states(desk, domain);
  if (!states) return tl::unexpected(states.error());
  for (const RotationState& state : *states)
    for (const PlannedEvent& event : plan_rotation(state, desk.rules)) print_event(state.domain, event, desk.output);
  return true;
}

Result<bool> show_keys(const RotationDesk& desk, const std::string& domain) {
  const auto state = load_state(desk, domain);
  if (!state) return tl::unexpected(state.error());
  print_state(*state, desk.rules, desk.output);
  return true;
}

Result<bool> print_key_log(const RotationDesk& desk, const std::string& text) {
  const auto domain = parse_domain(text);
  if (!domain) return tl::unexpected(domain.error());
  const auto entries = desk.states.log(*domain);
  if (!entries && entries.error().kind == ErrorKind::NotFound) return no_life_cycle(*domain);
  if (!entries) return tl::unexpected(entries.error());
  for (const AuditEntry& entry : *entries) print_entry(*domain, entry, desk.output);
  return true;
}

Result<bool> list_all_keys(const RotationDesk& desk) {
  const auto states = desk.states.load_all();
  if (!states) return tl::unexpected(states.error());
  const auto domains = desk.keys.domains();
  if (!domains) return tl::unexpected(domains.error());
  std::map<DomainName, const RotationState*> all;
  for (const DomainName& domain : *domains) all[domain] = nullptr;
  for (const RotationState& state : *states) all[state.domain] = &state;
  for (const auto& [domain, state] : all) {
    if (state != nullptr) {
      print_state_lines(*state, desk.output);
      continue;
    }
    const auto keys = desk.keys.load_domain(domain);
    if (!keys) return tl::unexpected(keys.error());
    list_keys(*keys, desk.output);
  }
  return true;
}

Result<bool> print_records(const RotationDesk& desk, const std::string& domain_text, const std::string& selector,
                           const std::string& format_word) {
  const auto domain = parse_domain(domain_text);
  if (!domain) return tl::unexpected(domain.error());
  const auto format = parse_record_format(format_word.empty() ? "zone" : format_word);
  if (!format) return fail(ErrorKind::Malformed, "there is no such format");
  auto state = desk.states.load(*domain);
  if (!state) return tl::unexpected(state.error());
  if (*state) {
    print_published(desk, **state, selector, *format);
    return true;
  }
  if (format_word.empty()) {
    const auto printed = print_key_records(desk.keys, domain_text, selector, desk.output);
    if (!printed) return tl::unexpected(printed.error());
    return true;
  }
  auto keys = desk.keys.load_domain(*domain);
  if (!keys) return tl::unexpected(keys.error());
  RotationChange by_hand = adopt_keys(*domain, groups_of(std::move(*keys)), system_time());
  print_published(desk, by_hand.state, selector, *format);
  return true;
}

}  // namespace waxwing
