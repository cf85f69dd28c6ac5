#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "policy/result.h"
#include "relay/admin/admin_commands.h"
#include "relay/admin/admin_request.h"
#include "relay/queue/queue_store.h"
#include "relay/store/sqlite_queue_store.h"

namespace waxwing {

/// Reads the id of a message; no value when the member is missing or wrong, which the request notes.
[[nodiscard]] std::optional<QueueId> read_id(AdminRequest& request, const char* name);

/// Reads which messages a command shows: id, after, account, domain, tenant, sender, saying, older_than.
[[nodiscard]] QueueFilter read_filter(AdminRequest& request, WallTime now);

/// The filter of a command that changes something: to concern everything must be said.
[[nodiscard]] QueueFilter read_selection(AdminRequest& request, WallTime now);

/// Whether a filter is for one message by its id and nothing else.
[[nodiscard]] bool names_one_message(const QueueFilter& filter);

/// Whether something can still happen to a recipient.
[[nodiscard]] bool waits(const QueuedRecipient& recipient);

/// Whether a recipient is in the domain of the filter, and waits for the reason of the filter.
[[nodiscard]] bool concerns(const QueueFilter& filter, const QueuedRecipient& recipient);

/// An update that leaves a recipient as it is, to be changed in what differs.
[[nodiscard]] RecipientUpdate unchanged(QueueId id, const QueuedRecipient& recipient);

/// Calls `each` for the messages that match, until the reply is full; then notes where to go on.
/// @errors  NotFound: the filter names a message that is not there
template <class Each>
Result<AdminReply> for_each_message(SqliteQueueStore& store, const QueueFilter& filter, const Each& each) {
  const auto messages = store.list(filter);
  if (!messages) return tl::unexpected(messages.error());
  if (messages->empty() && filter.id) {
    return fail(ErrorKind::NotFound, "there is no such message as " + filter.id->str() + " in the queue");
  }
  AdminReply reply;
  std::size_t count = 0;
  for (const QueuedMessage& message : *messages) {
    if (count++ == kMaxAdminMessages || reply.octets > kMaxAdminReplyOctets) return reply;
    if (auto done = each(message, reply); !done) return tl::unexpected(std::move(done.error()));
    reply.next = &message == &messages->back() ? std::nullopt : std::optional(message.id);
  }
  return reply;
}

}  // namespace waxwing
