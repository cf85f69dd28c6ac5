#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "policy/time_point.h"
#include "relay/queue/due_heap.h"
#include "relay/queue/queue_overview.h"
#include "relay/queue/queue_store.h"
#include "relay/queue/queued_message.h"

namespace waxwing {

/// Recipients of one message in one domain whose time has come: one attempt.
struct DueBatch {
  QueueId message;
  std::string domain;
  std::vector<std::uint32_t> ordinals;  ///< increasing, at least one
  bool expired = false;       ///< their time is over: to be made Expired without another attempt; takes no slot
  std::string destination{};  ///< whose slot it takes: WaitingRecipient::destination, or else the domain
};

/// Decides which waiting recipients are tried now. Time is what the caller says. Tenants take turns, and within a tenant
/// its domains do, so that neither a tenant nor a domain with a million recipients delays another; what a tenant has for
/// one domain is a flow, in which first due is first out. Each flow has a destination, mostly its domain; where that has
/// no slot free, the flows of all tenants and domains that share it wait in line for the next one.
///
/// A recipient is waiting (for its time), ready (its time has come), held, or active (taken). Nothing but finished()
/// ends being active. A recipient whose message expires is given out at that moment, even when its destination has no
/// slot free; where an attempt was due before and the moment for it was missed, because the relay was down or the clock
/// jumped, that attempt comes first.
/// Nothing tries a recipient before its own not_before, neither release() nor retry_now().
/// @limits  about 100 octets for each recipient; every call is O(log n) for each recipient it concerns, and walks the
///          recipients of the one message it names; add() does not when they come in rising order
class Scheduler {
 public:
  struct Limits {
    std::size_t active_per_destination = 20;  ///< batches under way, unless set_destination_limit() says another
    std::size_t active_per_tenant = 500;      ///< batches of one tenant under way
    std::size_t active_total = 1'000;         ///< batches of all destinations under way
    std::size_t recipients_per_batch = 100;   ///< RFC 5321 §4.5.3.1.8: every server takes 100
  };

  explicit Scheduler(const Limits& limits);

  /// Adds a recipient. One that is known already gets the new time, unless it is active: then nothing changes.
  void add(const WaitingRecipient& recipient);

  /// Takes what is due, at most `max_batches`; those recipients are active from then on.
  [[nodiscard]] std::vector<DueBatch> take_due(WallTime now, std::size_t max_batches);

  /// Makes nobody wait beyond `latest`, but for not_before: the clock was set back, and what was due in an hour is not
  /// to wait for a year.
  /// @limits  O(n log n)
  void bring_forward(WallTime latest);

  /// Ends an attempt on `ordinals`, increasing as they were given out: frees its slot and forgets these recipients. Those that are to be tried again are added again.
  /// @return  whether the message is still wanted; false after forget() meanwhile: then nothing must be added again
  bool finished(QueueId message, std::string_view domain, const std::vector<std::uint32_t>& ordinals);

  /// When take_due() will have something: `now` if it has at once, no value if only finished(), add() or release() can
  /// change that.
  [[nodiscard]] std::optional<WallTime> next_due(WallTime now) const;

  /// Keeps a message from being tried and from expiring until release(); attempts under way go on.
  void hold(QueueId message);
  /// Undoes hold(); its recipients are due at once, as far as they may be tried.
  void release(QueueId message);
  /// Makes the waiting recipients of a message due at once, as far as they may be tried. Held ones stay held.
  void retry_now(QueueId message);
  /// Drops all that is known of a message, because it left the queue. For attempts under way see finished().
  void forget(QueueId message);

  /// Allows so many batches of a destination under way from now on, whether it has recipients now or not; 0: none. Limits
  /// other than Limits::active_per_destination are remembered until they are set back to it.
  void set_destination_limit(const std::string& destination, std::size_t batches);

  /// Recipients known, active ones included.
  [[nodiscard]] std::size_t size() const { return entries_.size() - free_entries_.size(); }
  /// Batches under way, without expired ones.
  [[nodiscard]] std::size_t active() const { return active_; }

  /// What it knows of each domain and each tenant that has recipients; O(their number).
  [[nodiscard]] std::vector<DestinationLoad> destination_loads() const;
  [[nodiscard]] std::vector<TenantLoad> tenant_loads() const;

 private:
  using Index = std::uint32_t;
  static constexpr Index kNone = DueHeap::kNone;

  enum class Place : std::uint8_t { Waiting, Ready, Expired, Held, Active };
  struct Entry {
    std::uint64_t message = 0;
    WallTime expires;
    WallTime not_before;
    std::uint32_t ordinal = 0;
    Index flow = kNone;
    Index next_of_message = kNone;
    Index previous = kNone;  // in a ReadyList
    Index next = kNone;
    Place place = Place::Waiting;
    bool has_slot = false;   // on one entry of each active batch
    bool is_last = false;    // its end came while it could not be tried: ready without an end
    bool forgotten = false;  // while active
  };
  struct ReadyList {
    Index first = kNone;
    Index last = kNone;
  };
  // Through Flow::next: a flow is in one list at most.
  struct FlowList {
    Index first = kNone;
    Index last = kNone;
    [[nodiscard]] bool empty() const { return first == kNone; }
  };
  struct Tenant {
    std::string name;
    FlowList round;  // its flows that may have their turn
    std::size_t flows = 0;
    std::size_t active = 0;
    bool in_round = false;
  };
  struct Domain {
    std::string name;
    std::size_t flows = 0;
  };
  struct Destination {
    std::string name;
    FlowList line;  // flows that wait for a slot
    std::size_t flows = 0;
    std::size_t active = 0;
    std::size_t limit = 0;
  };
  enum class FlowPlace : std::uint8_t { Idle, InRound, InLine };
  struct Flow {
    Index tenant = kNone;
    Index domain = kNone;
    Index destination = kNone;
    ReadyList ready;
    std::size_t recipients = 0;
    Index next = kNone;
    FlowPlace place = FlowPlace::Idle;
  };

  // Things that are found by their name; an index stays the same while something uses it.
  template <class Named>
  struct Directory {
    [[nodiscard]] Index find_or_add(const std::string& name);
    void remove(Index index);
    Named& operator[](Index index) { return all[index]; }
    const Named& operator[](Index index) const { return all[index]; }

    std::vector<Named> all;
    std::vector<Index> free;
    std::unordered_map<std::string, Index> by_name;
  };

  [[nodiscard]] Index flow_index(const WaitingRecipient& recipient);
  void release_flow(Index flow);
  [[nodiscard]] Index find_entry(QueueId message, std::uint32_t ordinal) const;
  [[nodiscard]] Index new_entry(const WaitingRecipient& recipient);
  void join_message(Index entry);
  void delete_entry(Index entry);
  void push(ReadyList& list, Index entry);
  void unlink(ReadyList& list, Index entry);
  void leave_place(Index entry);
  void make_waiting(Index entry, WallTime next_attempt);
  void make_ready(Index entry);
  void push_back(FlowList& list, Index flow);
  void push_front(FlowList& list, Index flow);
  [[nodiscard]] Index pop_front(FlowList& list);
  void enter(Index flow);
  void enter_round(Index tenant);
  void call_next_in_line(Index destination);
  void take_turn(Index tenant, std::vector<DueBatch>& batches);
  void wake(WallTime now);
  [[nodiscard]] DueBatch take_batch(Index first, Place from);
  template <class Predicate>
  void delete_of_message(std::uint64_t message, const Predicate& wanted);

  Limits limits_;
  std::vector<Entry> entries_;
  std::vector<Index> free_entries_;
  Directory<Tenant> tenants_;
  Directory<Domain> domains_;
  Directory<Destination> destinations_;
  std::vector<Flow> flows_;
  std::vector<Index> free_flows_;
  std::unordered_map<std::string, std::size_t> destination_limits_;  // other than the usual one
  std::unordered_map<std::uint64_t, Index> flow_by_pair_;            // of tenant and domain
  std::unordered_map<std::uint64_t, Index> first_of_message_;
  std::unordered_set<std::uint64_t> held_;
  DueHeap heap_;  // waiting: next attempt or expiry, whichever is first; ready: expiry
  ReadyList expired_;
  std::deque<Index> round_;  // tenants that may have their turn
  std::size_t active_ = 0;
};

/// An end that is noticed later than this was missed: the relay was down, or the clock jumped.
inline constexpr Seconds kNoticedLate{600};

}  // namespace waxwing
