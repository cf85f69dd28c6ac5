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
    entries_[entry].not_before = recipient.not_before;
    entries_[entry].is_last = false;
  }
  if (held_.contains(recipient.message.value())) {
    entries_[entry].place = Place::Held;
  } else {
    make_waiting(entry, std::max(recipient.next_attempt, recipient.not_before));
  }
}

std::vector<DueBatch> Scheduler::take_due(WallTime now, std::size_t max_batches) {
  wake(now);
  std::vector<DueBatch> batches;
  while (batches.size() < max_batches && expired_.first != kNone) {
    batches.push_back(take_batch(expired_.first, Place::Expired));
  }
  while (batches.size() < max_batches && active_ < limits_.active_total && !round_.empty()) {
    const Index tenant = round_.front();
    round_.pop_front();
    tenants_[tenant].in_round = false;
    take_turn(tenant, batches);
    enter_round(tenant);
  }
  return batches;
}

// One flow of the tenant gives a batch, or turns out to have none to give now.
void Scheduler::take_turn(Index tenant, std::vector<DueBatch>& batches) {
  const Index flow = pop_front(tenants_[tenant].round);
  flows_[flow].place = FlowPlace::Idle;
  const Index destination = flows_[flow].destination;
  const Index first = flows_[flow].ready.first;
  if (first == kNone) {
    call_next_in_line(destination);  // the slot for which this flow may have been called is for another
    return release_flow(flow);
  }
  if (destinations_[destination].active < destinations_[destination].limit)
    batches.push_back(take_batch(first, Place::Ready));
  enter(flow);
}

void Scheduler::bring_forward(WallTime latest) {
  for (Index entry = 0; entry < entries_.size(); ++entry) {
    if (entries_[entry].flow == kNone || entries_[entry].place != Place::Waiting) continue;
    const WallTime due = std::max(latest, entries_[entry].not_before);
    if (heap_.time_of(entry) <= due) continue;
    leave_place(entry);
    make_waiting(entry, due);
  }
}

bool Scheduler::finished(QueueId message, std::string_view domain, const std::vector<std::uint32_t>& ordinals) {
  bool wanted = true;
  delete_of_message(message.value(), [&](Entry& entry) {
    if (entry.place != Place::Active || domains_[flows_[entry.flow].domain].name != domain ||
        !std::ranges::binary_search(ordinals, entry.ordinal)) {
      return false;
    }
    if (entry.forgotten) wanted = false;
    if (entry.has_slot) {
      const Flow& flow = flows_[entry.flow];
      --destinations_[flow.destination].active;
      --tenants_[flow.tenant].active;
      --active_;
      enter_round(flow.tenant);
      call_next_in_line(flow.destination);
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
    if (entries_[entry].place == Place::Held) make_waiting(entry, entries_[entry].not_before);
  }
}

void Scheduler::retry_now(QueueId message) {
  const auto first = first_of_message_.find(message.value());
  if (first == first_of_message_.end()) return;
  for (Index entry = first->second; entry != kNone; entry = entries_[entry].next_of_message) {
    if (entries_[entry].place != Place::Waiting) continue;
    leave_place(entry);
    make_waiting(entry, entries_[entry].not_before);
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

void Scheduler::set_destination_limit(const std::string& destination, std::size_t batches) {
  if (batches == limits_.active_per_destination) {
    destination_limits_.erase(destination);
  } else {
    destination_limits_[destination] = batches;
  }
  const auto known = destinations_.by_name.find(destination);
  if (known == destinations_.by_name.end()) return;
  const Index index = known->second;
  destinations_[index].limit = batches;
  for (std::size_t free = batches - std::min(batches, destinations_[index].active); free > 0; --free)
    call_next_in_line(index);
}

template <class Named>
Scheduler::Index Scheduler::Directory<Named>::find_or_add(const std::string& name) {
  if (const auto known = by_name.find(name); known != by_name.end()) return known->second;
  Index index = static_cast<Index>(all.size());
  if (free.empty()) {
    all.emplace_back();
  } else {
    index = free.back();
    free.pop_back();
  }
  all[index].name = name;
  by_name.emplace(name, index);
  return index;
}

template <class Named>
void Scheduler::Directory<Named>::remove(Index index) {
  by_name.erase(all[index].name);
  all[index] = Named{};
  free.push_back(index);
}

Scheduler::Index Scheduler::flow_index(const WaitingRecipient& recipient) {
  const Index tenant = tenants_.find_or_add(recipient.tenant);
  const Index domain = domains_.find_or_add(recipient.domain);
  const auto [known, is_new] = flow_by_pair_.try_emplace((std::uint64_t{tenant} << 32) | domain, kNone);
  if (!is_new) return known->second;
  Index index = static_cast<Index>(flows_.size());
  if (free_flows_.empty()) {
    flows_.emplace_back();
  } else {
    index = free_flows_.back();
    free_flows_.pop_back();
  }
  flows_[index].tenant = tenant;
  flows_[index].domain = domain;
  const std::string& name = recipient.destination.empty() ? recipient.domain : recipient.destination;
  const Index destination = flows_[index].destination = destinations_.find_or_add(name);
  const auto limit = destination_limits_.find(name);
  destinations_[destination].limit =
      limit == destination_limits_.end() ? limits_.active_per_destination : limit->second;
  ++tenants_[tenant].flows;
  ++domains_[domain].flows;
  ++destinations_[destination].flows;
  return known->second = index;
}

// A flow in a round or a line is kept until its turn, so that neither names one that is gone.
void Scheduler::release_flow(Index flow) {
  const Flow unused = flows_[flow];
  if (unused.recipients > 0 || unused.place != FlowPlace::Idle || unused.tenant == kNone) return;
  flow_by_pair_.erase((std::uint64_t{unused.tenant} << 32) | unused.domain);
  flows_[flow] = Flow{};
  free_flows_.push_back(flow);
  if (--domains_[unused.domain].flows == 0) domains_.remove(unused.domain);
  if (--destinations_[unused.destination].flows == 0) destinations_.remove(unused.destination);
  Tenant& tenant = tenants_[unused.tenant];
  if (--tenant.flows == 0 && !tenant.in_round) tenants_.remove(unused.tenant);
}

Scheduler::Index Scheduler::find_entry(QueueId message, std::uint32_t ordinal) const {
  const auto first = first_of_message_.find(message.value());
  if (first == first_of_message_.end()) return kNone;
  Index entry = first->second;
  while (entry != kNone && entries_[entry].ordinal > ordinal) entry = entries_[entry].next_of_message;
  return entry != kNone && entries_[entry].ordinal == ordinal ? entry : kNone;
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
  entry.not_before = recipient.not_before;
  entry.flow = flow_index(recipient);
  ++flows_[entry.flow].recipients;
  join_message(index);
  return index;
}

// The recipients of a message are chained from the highest ordinal down: they come in rising order, so that each is known to
// be new, and finds its place, at the first look, however many there are.
void Scheduler::join_message(Index entry) {
  Index* link = &first_of_message_.try_emplace(entries_[entry].message, kNone).first->second;
  while (*link != kNone && entries_[*link].ordinal > entries_[entry].ordinal) link = &entries_[*link].next_of_message;
  entries_[entry].next_of_message = std::exchange(*link, entry);
}

// Its place and its message's chain must have been left.
void Scheduler::delete_entry(Index entry) {
  const Index flow = entries_[entry].flow;
  entries_[entry] = Entry{};
  free_entries_.push_back(entry);
  --flows_[flow].recipients;
  release_flow(flow);
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
  if (entries_[entry].place == Place::Ready) unlink(flows_[entries_[entry].flow].ready, entry);
  if (entries_[entry].place == Place::Expired) unlink(expired_, entry);
  heap_.erase(entry);
}

void Scheduler::make_waiting(Index entry, WallTime next_attempt) {
  entries_[entry].place = Place::Waiting;
  heap_.insert(entry, std::min(next_attempt, entries_[entry].expires));
}

void Scheduler::make_ready(Index entry) {
  entries_[entry].place = Place::Ready;
  push(flows_[entries_[entry].flow].ready, entry);
  if (!entries_[entry].is_last) heap_.insert(entry, entries_[entry].expires);
  enter(entries_[entry].flow);
}

void Scheduler::push_back(FlowList& list, Index flow) {
  flows_[flow].next = kNone;
  (list.empty() ? list.first : flows_[list.last].next) = flow;
  list.last = flow;
}

void Scheduler::push_front(FlowList& list, Index flow) {
  flows_[flow].next = list.first;
  if (list.empty()) list.last = flow;
  list.first = flow;
}

Scheduler::Index Scheduler::pop_front(FlowList& list) {
  const Index flow = list.first;
  list.first = flows_[flow].next;
  if (list.empty()) list.last = kNone;
  return flow;
}

// A flow that has something ready goes where it gets its turn.
void Scheduler::enter(Index flow) {
  Flow& candidate = flows_[flow];
  if (candidate.place != FlowPlace::Idle || candidate.ready.first == kNone) return;
  Destination& destination = destinations_[candidate.destination];
  if (destination.active >= destination.limit) {
    candidate.place = FlowPlace::InLine;
    push_back(destination.line, flow);
    return;
  }
  candidate.place = FlowPlace::InRound;
  push_back(tenants_[candidate.tenant].round, flow);
  enter_round(candidate.tenant);
}

void Scheduler::enter_round(Index tenant) {
  Tenant& candidate = tenants_[tenant];
  if (candidate.in_round || candidate.round.empty() || candidate.active >= limits_.active_per_tenant) return;
  candidate.in_round = true;
  round_.push_back(tenant);
}

// A destination has a slot free. It is for the first in line whose tenant may use it; those before it, whose tenants have as
// much under way as they may, go where they are found when that changes.
void Scheduler::call_next_in_line(Index destination) {
  FlowList& line = destinations_[destination].line;
  bool called = destinations_[destination].active >= destinations_[destination].limit;
  while (!called && !line.empty()) {
    const Index flow = pop_front(line);
    Tenant& tenant = tenants_[flows_[flow].tenant];
    flows_[flow].place = FlowPlace::InRound;
    push_front(tenant.round, flow);  // before the tenant uses up its share for others
    enter_round(flows_[flow].tenant);
    called = tenant.active < limits_.active_per_tenant;
  }
}

// Moves everything whose time has come.
void Scheduler::wake(WallTime now) {
  while (!heap_.empty() && heap_.first_time() <= now) {
    const Index entry = heap_.first();
    const bool is_ready = entries_[entry].place == Place::Ready;
    const WallTime end = entries_[entry].expires;
    entries_[entry].is_last = end <= now && (heap_.first_time() < end || now - end > kNoticedLate);
    if (entries_[entry].is_last && is_ready) {
      heap_.erase(entry);
      continue;
    }
    leave_place(entry);
    if (entries_[entry].expires <= now && !entries_[entry].is_last) {
      entries_[entry].place = Place::Expired;
      push(expired_, entry);
    } else {
      make_ready(entry);
    }
  }
}

// Takes `first` and whatever else of its message and domain is in the same place.
DueBatch Scheduler::take_batch(Index first, Place from) {
  const Index flow = entries_[first].flow;
  Destination& destination = destinations_[flows_[flow].destination];
  DueBatch batch{QueueId(entries_[first].message),
                 domains_[flows_[flow].domain].name,
                 {},
                 from == Place::Expired,
                 destination.name};
  const auto take = [&](Index entry) {
    leave_place(entry);
    entries_[entry].place = Place::Active;
    batch.ordinals.push_back(entries_[entry].ordinal);
  };
  take(first);
  if (!batch.expired) {
    entries_[first].has_slot = true;
    ++destination.active;
    ++tenants_[flows_[flow].tenant].active;
    ++active_;
  }
  Index entry = first_of_message_.at(entries_[first].message);
  for (; entry != kNone && batch.ordinals.size() < limits_.recipients_per_batch;
       entry = entries_[entry].next_of_message) {
    if (entries_[entry].flow == flow && entries_[entry].place == from) take(entry);
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
