#include "relay/queue/scheduler.h"

#include <algorithm>
#include <utility>

namespace waxwing {

Scheduler::Scheduler(const Limits& limits) : limits_(limits) {}

void Scheduler::add(const WaitingRecipient& recipient) {
  Index entry = find_entry(recipient.message, recipient.ordinal);
  if (entry == kNone) {
    entry = new_entry(recipient);
  } else if (entries_[entry].place == Place::Active) {
    return;
  } else {
    leave_place(entry);
    entries_[entry].expires = recipient.expires;
  }
  if (held_.contains(recipient.message.value())) {
    entries_[entry].place = Place::Held;
  } else {
    make_waiting(entry, recipient.next_attempt);
  }
}

std::vector<DueBatch> Scheduler::take_due(WallTime now, std::size_t max_batches) {
  wake(now);
  std::vector<DueBatch> batches;
  while (batches.size() < max_batches && expired_.first != kNone) {
    batches.push_back(take_batch(expired_.first, Place::Expired));
  }
  while (batches.size() < max_batches && active_ < limits_.active_total && !round_.empty()) {
    const Index domain = round_.front();
    round_.pop_front();
    domains_[domain].in_round = false;
    const Index first = domains_[domain].ready.first;
    if (first != kNone && domains_[domain].active < limits_.active_per_domain) {
      batches.push_back(take_batch(first, Place::Ready));
    }
    enter_round(domain);
    release_domain(domain);
  }
  return batches;
}

bool Scheduler::finished(QueueId message, std::string_view domain, const std::vector<std::uint32_t>& ordinals) {
  bool wanted = true;
  delete_of_message(message.value(), [&](Entry& entry) {
    if (entry.place != Place::Active || domains_[entry.domain].name != domain ||
        std::ranges::find(ordinals, entry.ordinal) == ordinals.end()) {
      return false;
    }
    if (entry.forgotten) wanted = false;
    if (entry.has_slot) {
      --domains_[entry.domain].active;
      --active_;
      enter_round(entry.domain);
    }
    return true;
  });
  return wanted;
}

std::optional<WallTime> Scheduler::next_due(WallTime now) const {
  const bool slot_free = active_ < limits_.active_total && !round_.empty();
  if (expired_.first != kNone || slot_free) return now;
  if (heap_.empty()) return std::nullopt;
  return std::max(now, heap_.first_time());
}

void Scheduler::hold(QueueId message) {
  held_.insert(message.value());
  const auto first = first_of_message_.find(message.value());
  if (first == first_of_message_.end()) return;
  for (Index entry = first->second; entry != kNone; entry = entries_[entry].next_of_message) {
    if (entries_[entry].place == Place::Active) continue;
    leave_place(entry);
    entries_[entry].place = Place::Held;
  }
}

void Scheduler::release(QueueId message) {
  held_.erase(message.value());
  const auto first = first_of_message_.find(message.value());
  if (first == first_of_message_.end()) return;
  for (Index entry = first->second; entry != kNone; entry = entries_[entry].next_of_message) {
    if (entries_[entry].place == Place::Held) make_ready(entry);
  }
}

void Scheduler::retry_now(QueueId message) {
  const auto first = first_of_message_.find(message.value());
  if (first == first_of_message_.end()) return;
  for (Index entry = first->second; entry != kNone; entry = entries_[entry].next_of_message) {
    if (entries_[entry].place != Place::Waiting) continue;
    leave_place(entry);
    make_ready(entry);
  }
}

void Scheduler::forget(QueueId message) {
  held_.erase(message.value());
  delete_of_message(message.value(), [&](Entry& entry) {
    if (entry.place != Place::Active) return true;
    entry.forgotten = true;
    return false;
  });
}

Scheduler::Index Scheduler::domain_index(const std::string& name) {
  if (const auto known = domain_by_name_.find(name); known != domain_by_name_.end()) return known->second;
  Index index = static_cast<Index>(domains_.size());
  if (free_domains_.empty()) {
    domains_.emplace_back();
  } else {
    index = free_domains_.back();
    free_domains_.pop_back();
  }
  domains_[index].name = name;
  domain_by_name_.emplace(name, index);
  return index;
}

// A domain in the round is kept until its turn, so that the round never names one that is gone.
void Scheduler::release_domain(Index domain) {
  Domain& unused = domains_[domain];
  if (unused.recipients > 0 || unused.in_round || unused.name.empty()) return;
  domain_by_name_.erase(unused.name);
  unused = Domain{};
  free_domains_.push_back(domain);
}

Scheduler::Index Scheduler::find_entry(QueueId message, std::uint32_t ordinal) const {
  const auto first = first_of_message_.find(message.value());
  if (first == first_of_message_.end()) return kNone;
  Index entry = first->second;
  while (entry != kNone && entries_[entry].ordinal != ordinal) entry = entries_[entry].next_of_message;
  return entry;
}

Scheduler::Index Scheduler::new_entry(const WaitingRecipient& recipient) {
  Index index = static_cast<Index>(entries_.size());
  if (free_entries_.empty()) {
    entries_.emplace_back();
  } else {
    index = free_entries_.back();
    free_entries_.pop_back();
  }
  Entry& entry = entries_[index];
  entry = Entry{};
  entry.message = recipient.message.value();
  entry.ordinal = recipient.ordinal;
  entry.expires = recipient.expires;
  entry.domain = domain_index(recipient.domain);
  ++domains_[entry.domain].recipients;
  const auto [first, is_new] = first_of_message_.try_emplace(entry.message, index);
  if (!is_new) entry.next_of_message = std::exchange(first->second, index);
  return index;
}

// Its place and its message's chain must have been left.
void Scheduler::delete_entry(Index entry) {
  const Index domain = entries_[entry].domain;
  entries_[entry] = Entry{};
  free_entries_.push_back(entry);
  --domains_[domain].recipients;
  release_domain(domain);
}

void Scheduler::push(ReadyList& list, Index entry) {
  entries_[entry].previous = list.last;
  entries_[entry].next = kNone;
  (list.last == kNone ? list.first : entries_[list.last].next) = entry;
  list.last = entry;
}

void Scheduler::unlink(ReadyList& list, Index entry) {
  const Entry& gone = entries_[entry];
  (gone.previous == kNone ? list.first : entries_[gone.previous].next) = gone.next;
  (gone.next == kNone ? list.last : entries_[gone.next].previous) = gone.previous;
}

void Scheduler::leave_place(Index entry) {
  if (entries_[entry].place == Place::Ready) unlink(domains_[entries_[entry].domain].ready, entry);
  if (entries_[entry].place == Place::Expired) unlink(expired_, entry);
  heap_.erase(entry);
}

void Scheduler::make_waiting(Index entry, WallTime next_attempt) {
  entries_[entry].place = Place::Waiting;
  heap_.insert(entry, std::min(next_attempt, entries_[entry].expires));
}

void Scheduler::make_ready(Index entry) {
  entries_[entry].place = Place::Ready;
  push(domains_[entries_[entry].domain].ready, entry);
  heap_.insert(entry, entries_[entry].expires);
  enter_round(entries_[entry].domain);
}

void Scheduler::enter_round(Index domain) {
  Domain& candidate = domains_[domain];
  if (candidate.in_round || candidate.ready.first == kNone || candidate.active >= limits_.active_per_domain) return;
  candidate.in_round = true;
  round_.push_back(domain);
}

// Moves everything whose time has come.
void Scheduler::wake(WallTime now) {
  while (!heap_.empty() && heap_.first_time() <= now) {
    const Index entry = heap_.first();
    leave_place(entry);
    if (entries_[entry].expires <= now) {
      entries_[entry].place = Place::Expired;
      push(expired_, entry);
    } else {
      make_ready(entry);
    }
  }
}

// Takes `first` and whatever else of its message and domain is in the same place.
DueBatch Scheduler::take_batch(Index first, Place from) {
  const Index domain = entries_[first].domain;
  DueBatch batch{QueueId(entries_[first].message), domains_[domain].name, {}, from == Place::Expired};
  const auto take = [&](Index entry) {
    leave_place(entry);
    entries_[entry].place = Place::Active;
    batch.ordinals.push_back(entries_[entry].ordinal);
  };
  take(first);
  if (!batch.expired) {
    entries_[first].has_slot = true;
    ++domains_[domain].active;
    ++active_;
  }
  Index entry = first_of_message_.at(entries_[first].message);
  for (; entry != kNone && batch.ordinals.size() < limits_.recipients_per_batch;
       entry = entries_[entry].next_of_message) {
    if (entries_[entry].domain == domain && entries_[entry].place == from) take(entry);
  }
  std::ranges::sort(batch.ordinals);
  return batch;
}

// Deletes the entries of a message for which `wanted` says so.
template <class Predicate>
void Scheduler::delete_of_message(std::uint64_t message, const Predicate& wanted) {
  const auto first = first_of_message_.find(message);
  if (first == first_of_message_.end()) return;
  Index* link = &first->second;
  while (*link != kNone) {
    const Index entry = *link;
    if (!wanted(entries_[entry])) {
      link = &entries_[entry].next_of_message;
      continue;
    }
    *link = entries_[entry].next_of_message;
    leave_place(entry);
    delete_entry(entry);
  }
  if (first->second == kNone) first_of_message_.erase(first);
}

}  // namespace waxwing
