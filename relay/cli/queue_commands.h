#pragma once

#include <cstddef>
#include <iosfwd>
#include <optional>
#include <string>

#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/cli/ask_relay.h"
#include "relay/cli/output.h"

namespace waxwing {

/// Which messages a command concerns; filters that are given together must all hold.
struct QueueSelection {
  std::string id{};
  std::string domain{};  ///< of recipients
  std::string account{};
  std::string tenant{};
  std::string sender{};                 ///< envelope sender; "<>": none
  std::string saying{};                 ///< part of the reason for which recipients wait
  std::optional<Seconds> older_than{};  ///< since they were accepted
  bool all = false;
  bool dry_run = false;  ///< of what changes the queue: say what would be done
};

/// Prints the recipients that wait, of at most `limit` messages, and for what besides their time, where the relay knows it:
/// a pause of their domain, or a slot.
[[nodiscard]] Result<void> list_queue(const AskRelay& ask, const QueueSelection& selection, std::size_t limit,
                                      Output& output);

/// Prints one message with all its recipients.
[[nodiscard]] Result<void> show_message(const AskRelay& ask, const std::string& id, Output& output);

/// Prints the ids of at most `limit` messages.
[[nodiscard]] Result<void> list_queue_ids(const AskRelay& ask, std::size_t limit, Output& output);

/// Makes messages due now.
/// @param reason  for the audit log, as below; may be empty
[[nodiscard]] Result<void> retry_messages(const AskRelay& ask, const QueueSelection& selection,
                                          const std::string& reason, Output& output);

/// Returns messages to their senders.
/// @param reason  for the senders and the log
[[nodiscard]] Result<void> bounce_messages(const AskRelay& ask, const QueueSelection& selection,
                                           const std::string& reason, Output& output);

/// Keeps messages from being sent until they are released.
/// @param selection  without a domain
[[nodiscard]] Result<void> hold_messages(const AskRelay& ask, const QueueSelection& selection,
                                         const std::string& reason, Output& output);

/// Lets held messages go.
/// @param selection  without a domain
/// @param reason     for the log; may be empty
[[nodiscard]] Result<void> release_messages(const AskRelay& ask, const QueueSelection& selection,
                                            const std::string& reason, Output& output);

/// Takes messages out of the queue.
/// @param reason  for the log; may be empty
[[nodiscard]] Result<void> drop_messages(const AskRelay& ask, const QueueSelection& selection,
                                         const std::string& reason, Output& output);

/// Prints a message as it would be sent: header, empty line, body, with CRLF line ends. The store is read directly, also
/// while the relay runs.
/// @errors  Malformed: no queue id; NotFound; Corrupt; Unavailable
[[nodiscard]] Result<void> export_message(const std::string& state_directory, const std::string& id, std::ostream& out);

}  // namespace waxwing
