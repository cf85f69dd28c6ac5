#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "relay/delivery/first_outcome.h"
#include "relay/queue/attempt_record.h"
#include "relay/queue/queued_message.h"
#include "relay/queue/scheduler.h"
#include "tests/simulation/virtual_time.h"

namespace waxwing {

/// What the relay promised, and what became of it, seen from outside: by clients, receivers and whoever reads the store.
/// Every broken promise is told at the moment at which it shows.
class PromiseLedger {
 public:
  /// @param on_broken  gets a sentence
  explicit PromiseLedger(std::function<void(const std::string&)> on_broken) : on_broken_(std::move(on_broken)) {}

  // Submission.
  void submitted(const QueuedMessage& message);
  void accepted(QueueId id);
  void refused(QueueId id);
  /// The client waits for the first outcome instead of being told that the message is queued.
  void waits(QueueId id);
  void told(QueueId id, FirstOutcome::Kind kind);

  // Delivery.
  void attempt_started(const DueBatch& batch);
  /// The message could be read, so that it is known who of the batch is tried, or given up.
  void attempt_loaded(const DueBatch& batch, const QueuedMessage& message, const std::vector<std::uint32_t>& concerned,
                      const VirtualTime& time);
  /// The message could not be read: nobody was tried.
  void attempt_failed(const DueBatch& batch);
  void received(QueueId id, std::uint32_t ordinal);
  /// The receiver has it, and the relay cannot know.
  void received_unnoticed(QueueId id, std::uint32_t ordinal);

  // The store.
  void recording(const AttemptRecord& record);
  void recorded(const AttemptRecord& record);
  void not_recorded(const AttemptRecord& record);

  // Operators.
  void dropping(QueueId id);

  /// The process dies: what was under way may have happened or not.
  void died();

  /// Everything has been given time enough.
  void settle_up();

  [[nodiscard]] std::size_t delivered() const { return delivered_; }
  [[nodiscard]] std::size_t failed() const { return failed_; }
  [[nodiscard]] std::size_t repeated() const { return repeated_; }
  /// Clients that waited and were told what the receiver said.
  [[nodiscard]] std::size_t answered() const { return answered_; }

 private:
  enum class Answer { None, Accepted, Refused };
  struct Recipient {
    bool trying = false;
    unsigned attempts = 0;
    unsigned received = 0;
    unsigned allowed = 1;  // deliveries that can be explained
    bool outcome_pending = false;
    bool outcome_unknown = false;  // the process died while it was being recorded
    std::vector<RecipientState> outcomes;
  };
  struct Message {
    QueuedMessage message;
    Answer answer = Answer::None;
    bool may_be_dropped = false;
    bool client_waits = false;
    bool failed_silently = false;  // all of it failed without a report: the client must be told
    std::map<std::uint32_t, Recipient> recipients;
  };

  void note_destination(const RecipientUpdate& update, const QueuedMessage& message);
  void add(const QueuedMessage& message, Answer answer);
  static void lose_sight(Recipient& recipient);
  void settle_up(const Message& message);
  [[nodiscard]] Recipient* find(QueueId id, std::uint32_t ordinal);
  void broken(QueueId id, std::uint32_t ordinal, const std::string& what) const;

  std::function<void(const std::string&)> on_broken_;
  std::map<QueueId, Message> messages_;
  std::map<std::string, bool> out_of_reach_;  // domains: whether the last attempt had to be put off
  std::size_t delivered_ = 0;
  std::size_t failed_ = 0;
  std::size_t repeated_ = 0;
  std::size_t answered_ = 0;
};

}  // namespace waxwing
