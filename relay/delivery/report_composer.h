#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "policy/mail_address.h"
#include "policy/time_point.h"
#include "relay/queue/bounce.h"
#include "relay/queue/queued_message.h"

namespace waxwing {

/// Composes what senders are told about their mail, whoever ended it. Thread-safe.
class ReportComposer {
 public:
  struct Options {
    std::string hostname;
    Seconds lifetime{0};     ///< of a report in the queue
    std::uint64_t seed = 0;  ///< random
    /// Who is told of a failure: the sender that an envelope sender of ours was made from, else the same. Empty: senders
    /// are not rewritten.
    std::function<MailAddress(const MailAddress&)> original_sender{};
  };

  ReportComposer(QueueIdSource& ids, Options options) : ids_(ids), options_(std::move(options)) {}

  /// As compose_bounces(): nothing for a null reverse-path; not signed yet.
  [[nodiscard]] std::vector<QueuedMessage> compose(QueuedMessage original,
                                                   const std::vector<ReportedRecipient>& reported, WallTime now);

 private:
  QueueIdSource& ids_;
  const Options options_;
  std::atomic<std::uint64_t> made_{0};
};

}  // namespace waxwing
