#include "relay/rotation/rotation_driver.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <system_error>
#include <utility>

#include "keys/key_name.h"
#include "keys/key_proof.h"

namespace waxwing {
namespace {

using Kind = RotationAction::Kind;

WallTime system_time() {
  return std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
}

std::string record_of(const StoredKey& key) {
  return format_dkim_key_record(key.key->type(), key.key->public_key());
}

// Complete or not at all, and readable by everybody.
Result<void> write_public_file(const std::string& path, std::string_view content) {
  const auto failure = [&] {
    return fail(ErrorKind::Unavailable, fmt::format("cannot write '{}': {}; look at rotation.reveal_directory", path,
                                                    std::system_category().message(errno)));
  };
  const std::string partial = path + ".new";
  const int descriptor = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (descriptor < 0) return failure();
  const bool written = ::write(descriptor, content.data(), content.size()) == static_cast<ssize_t>(content.size()) &&
                       ::fsync(descriptor) == 0;
  ::close(descriptor);
  if (!written || std::rename(partial.c_str(), path.c_str()) != 0) return failure();
  return {};
}

template <class Item>
void add_once(std::vector<Item>& list, const Item& item) {
  if (std::ranges::find(list, item) == list.end()) list.push_back(item);
}

bool is_progress(const RotationStep& step) {
  return !step.transitions.empty() ||
         std::ranges::any_of(step.actions, [](const RotationAction& each) { return each.kind == Kind::Make; });
}

}  // namespace

RotationDriver::RotationDriver(KeyDirectory& keys, const RotationStore& states, const RecordObserver& observer,
                               Publisher& publisher, std::function<Result<bool>(const std::string&)> is_needed,
                               Options options)
    : keys_(keys),
      states_(states),
      observer_(observer),
      publisher_(publisher),
      is_needed_(std::move(is_needed)),
      options_(std::move(options)) {}

std::vector<RotationState> RotationDriver::load(const std::vector<DomainName>& domains,
                                                std::map<DomainName, DomainProgress>& progress) const {
  std::vector<RotationState> states;
  for (const DomainName& domain : domains) {
    auto state = states_.load(domain);
    DomainProgress& entry = progress.at(domain);
    if (!state) {
      entry.troubles.push_back(state.error().detail);
    } else if (*state) {
      entry.state = **state;
      states.push_back(std::move(**state));
    }
  }
  return states;
}

void RotationDriver::prove(const RotationState& state, Sightings& sightings) {
  const auto stored = keys_.load_domain(state.domain);
  for (auto& [selector, sighting] : sightings) {
    if (sighting.seen != RecordSighting::Seen::Everywhere) continue;
    Result<void> proven = fail(ErrorKind::NotFound, "the private half is not in the store");
    if (!stored) proven = tl::unexpected(stored.error());
    for (const StoredKey& key : stored ? *stored : std::vector<StoredKey>())
      if (key.selector == selector) proven = prove_key(*key.key, sighting.record);
    if (proven) continue;
    sighting.seen = RecordSighting::Seen::Partly;
    sighting.evidence += "; " + proven.error().detail;
  }
}

std::vector<RotationDriver::Sightings> RotationDriver::look(const std::vector<RotationState>& states, bool with_proof) {
  std::vector<ObservedRecord> wanted;
  std::vector<std::pair<std::size_t, std::string>> places;
  for (std::size_t i = 0; i < states.size(); ++i) {
    for (const KeyGeneration& generation : states[i].generations) {
      if (is_final(generation.phase)) continue;
      for (const RotatedKey& key : generation.keys) {
        const auto name = key_record_name(key.selector, states[i].domain);
        if (key.record.empty() || !name) continue;
        const bool leaves = generation.withdrawing.has_value();
        wanted.push_back({*name, key.record, leaves ? ExpectedRecord::Absent : ExpectedRecord::Present});
        places.emplace_back(i, key.selector);
      }
    }
  }
  std::vector<Sightings> result(states.size());
  auto sightings = observer_.observe(wanted);
  for (std::size_t i = 0; i < places.size(); ++i) result[places[i].first][places[i].second] = std::move(sightings[i]);
  if (!with_proof) return result;
  for (std::size_t i = 0; i < states.size(); ++i) prove(states[i], result[i]);
  return result;
}

Result<RotationFacts> RotationDriver::gather(const RotationState& state, Sightings sightings,
                                             std::vector<std::string>& troubles) {
  RotationFacts facts;
  facts.sightings = std::move(sightings);
  const auto stored = keys_.load_domain(state.domain);
  if (!stored) return tl::unexpected(stored.error());
  for (const StoredKey& key : *stored) facts.made[key.selector] = record_of(key);
  facts.taken_back = taken_back_[state.domain];
  facts.queued.emplace();
  for (const KeyGeneration& generation : state.generations) {
    if (generation.phase != KeyPhase::Retiring || generation.withdrawing || !facts.queued) continue;
    for (const RotatedKey& key : generation.keys) {
      const auto name = key_record_name(key.selector, state.domain);
      const auto needed = name ? is_needed_(*name) : Result<bool>(false);
      if (!needed) {
        add_once(troubles, needed.error().detail);
        facts.queued.reset();
        break;
      }
      if (*needed) facts.queued->insert(key.selector);
    }
  }
  return facts;
}

// Whether there may be more to do at once.
bool RotationDriver::take_step(const RotationState& state, const Sightings& sightings, DomainProgress& progress) {
  const auto facts = gather(state, sightings, progress.troubles);
  if (!facts) {
    progress.troubles.push_back(facts.error().detail);
    return false;
  }
  const WallTime now = system_time();
  RotationStep step = advance_rotation(state, *facts, options_.rules, now);
  progress.next = step.next;
  for (const std::string& each : step.troubles) add_once(progress.troubles, each);
  const std::size_t troubles = progress.troubles.size();
  if (!(step.state == state) || !step.transitions.empty()) {
    auto kept = states_.save({step.state, step.transitions}, options_.who, now);
    if (!kept && kept.error().kind == ErrorKind::Conflict) return true;  // somebody was faster: look again
    if (!kept) {
      progress.troubles.push_back(kept.error().detail);
      return false;
    }
    step.state = std::move(*kept);
  }
  progress.state = step.state;
  progress.transitions.insert(progress.transitions.end(), step.transitions.begin(), step.transitions.end());
  for (const RotationAction& action : step.actions) act(step.state, action, progress);
  return is_progress(step) && progress.troubles.size() == troubles;
}

void RotationDriver::act(const RotationState& state, const RotationAction& action, DomainProgress& progress) {
  Result<void> done;
  switch (action.kind) {
    case Kind::Make:
      done = make(state, action);
      break;
    case Kind::Publish:
    case Kind::Withdraw:
    case Kind::Revoke:
      done = publisher_.carry_out(action, publication_name(state, action.selector), state);
      if (done && action.kind == Kind::Publish) taken_back_[state.domain].erase(action.selector);
      if (done && action.kind != Kind::Publish) taken_back_[state.domain].insert(action.selector);
      break;
    case Kind::Reveal:
      done = reveal(state, action);
      break;
    case Kind::Destroy:
      done = keys_.destroy(state.domain, action.selector);
      break;
  }
  if (!done) {
    add_once(progress.troubles, fmt::format("{} {}: {}", state.domain.str(), action.selector, done.error().detail));
  } else {
    add_once(progress.actions, action);
  }
}

Result<void> RotationDriver::make(const RotationState& state, const RotationAction& action) {
  auto key = SigningKey::generate(action.type, options_.rsa_bits);
  if (!key) return tl::unexpected(key.error());
  auto added = keys_.add(state.domain, action.selector, *key, system_time());
  if (!added && added.error().kind == ErrorKind::Conflict) return {};  // made by somebody else at the same time
  return added;
}

Result<void> RotationDriver::reveal(const RotationState& state, const RotationAction& action) {
  if (options_.reveal_directory.empty())
    return fail(ErrorKind::Denied, "set rotation.reveal_directory, so that old private keys can be published");
  const auto pem = keys_.read_pem(state.domain, action.selector);
  if (!pem && pem.error().kind == ErrorKind::NotFound) return {};
  if (!pem) return tl::unexpected(pem.error());
  const std::string path =
      fmt::format("{}/{}._domainkey.{}.pem", options_.reveal_directory, action.selector, state.domain.str());
  auto written = write_public_file(path, pem->reveal());
  if (!written) return written;
  return keys_.destroy(state.domain, action.selector);
}

std::vector<DomainProgress> RotationDriver::advance(const std::vector<DomainName>& domains) {
  std::map<DomainName, DomainProgress> progress;
  for (const DomainName& domain : domains) progress.try_emplace(domain, DomainProgress{domain, {}, {}, {}, {}, {}});
  std::vector<DomainName> left = domains;
  for (int round = 0; round < kMaxRounds && !left.empty(); ++round) {
    const std::vector<RotationState> states = load(left, progress);
    const std::vector<Sightings> sightings = look(states, true);
    std::vector<DomainName> again;
    std::set<DomainName> published;
    for (std::size_t i = 0; i < states.size(); ++i) {
      DomainProgress& entry = progress.at(states[i].domain);
      const std::size_t before = entry.actions.size();
      const bool more = take_step(states[i], sightings[i], entry);
      // What was published just now may be seen already.
      if (more || entry.actions.size() > before) again.push_back(states[i].domain);
    }
    if (auto finished = publisher_.finish(); !finished) {
      for (const DomainName& domain : again) progress.at(domain).troubles.push_back(finished.error().detail);
      break;
    }
    left = std::move(again);
  }
  std::vector<DomainProgress> result;
  for (auto& [domain, entry] : progress) result.push_back(std::move(entry));
  return result;
}

std::vector<DomainProgress> RotationDriver::foresee(const std::vector<DomainName>& domains) {
  std::map<DomainName, DomainProgress> progress;
  for (const DomainName& domain : domains) progress.try_emplace(domain, DomainProgress{domain, {}, {}, {}, {}, {}});
  const std::vector<RotationState> states = load(domains, progress);
  const std::vector<Sightings> sightings = look(states, true);
  for (std::size_t i = 0; i < states.size(); ++i) {
    DomainProgress& entry = progress.at(states[i].domain);
    const auto facts = gather(states[i], sightings[i], entry.troubles);
    if (!facts) {
      entry.troubles.push_back(facts.error().detail);
      continue;
    }
    RotationStep step = advance_rotation(states[i], *facts, options_.rules, system_time());
    entry.transitions = std::move(step.transitions);
    entry.actions = std::move(step.actions);
    for (const std::string& each : step.troubles) add_once(entry.troubles, each);
    entry.next = step.next;
  }
  std::vector<DomainProgress> result;
  for (auto& [domain, entry] : progress) result.push_back(std::move(entry));
  return result;
}

}  // namespace waxwing
