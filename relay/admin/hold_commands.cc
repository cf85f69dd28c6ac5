#include "relay/admin/hold_commands.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "relay/admin/message_selection.h"
#include "relay/admin/reply_lines.h"

namespace waxwing {
namespace {

// A message is held or not, for all its recipients: the scheduler knows no more.
QueueFilter read_messages(AdminRequest& request, WallTime now) {
  QueueFilter filter = read_selection(request, now);
  if (!filter.domain.empty()) request.refuse("messages are held and released as a whole, not for one domain");
  return filter;
}

Result<void> hold_message(SqliteQueueStore& store, QueueId id, const std::string& reason, WallTime now,
                          AdminReply& reply) {
  const auto message = store.load(id);
  if (!message) return tl::unexpected(message.error());
  std::size_t count = 0;
  for (const QueuedRecipient& recipient : message->recipients) {
    if (!waits(recipient) || recipient.state == RecipientState::Held) continue;
    RecipientUpdate update = unchanged(id, recipient);
    update.state = RecipientState::Held;
    update.reason = reason;
    update.next_attempt = now;
    if (auto updated = store.update(update); !updated) return updated;
    ++count;
  }
  add_line(reply, {{"id", id.str()}, {"held", count}});
  count_change(reply, count);
  if (count > 0) reply.effects.held.push_back({id, message->message_id, reason});
  return {};
}

// The time for which a message was held is given back to it, so that it does not expire at once.
WallTime new_end(const QueuedMessage& message, WallTime now) {
  WallTime held_since = now;
  for (const QueuedRecipient& recipient : message.recipients) {
    if (recipient.state == RecipientState::Held) held_since = std::min(held_since, recipient.next_attempt);
  }
  // Less than nothing where the clock was set back meanwhile.
  const Milliseconds held_for = std::max(Milliseconds(0), now - std::max(held_since, message.accepted));
  const WallTime end = message.expires + held_for;
  const std::optional<DeliverBy>& by = message.deliver_by;
  return by && by->mode == ByMode::Return ? std::min(end, by->time) : end;  // RFC 2852 §4: it extends nothing
}

Result<void> release_message(SqliteQueueStore& store, QueueId id, const std::string& reason, WallTime now,
                             AdminReply& reply) {
  const auto message = store.load(id);
  if (!message) return tl::unexpected(message.error());
  const WallTime expires = new_end(*message, now);
  std::size_t count = 0;
  for (const QueuedRecipient& recipient : message->recipients) {
    if (recipient.state != RecipientState::Held) continue;
    RecipientUpdate update = unchanged(id, recipient);
    update.state = RecipientState::Queued;
    update.next_attempt = std::max(now, recipient.not_before);
    if (auto updated = store.update(update); !updated) return updated;
    reply.effects.retry.push_back({id, recipient.ordinal, recipient.address.domain.str(), recipient.attempts,
                                   update.next_attempt, expires, message->tenant, recipient.not_before});
    ++count;
  }
  add_line(reply, {{"id", id.str()}, {"released", count}});
  count_change(reply, count);
  if (count == 0) return {};
  reply.effects.released.push_back({id, message->message_id, reason});
  return store.renew(id, expires);
}

}  // namespace

Result<AdminReply> queue_hold(AdminRequest& request, SqliteQueueStore& store, WallTime now) {
  const QueueFilter filter = read_messages(request, now);
  const std::string reason = request.text("reason");
  if (reason.empty()) request.refuse("say why, in \"reason\": who finds the message held will ask");
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  return for_each_message(store, filter, [&](const QueuedMessage& message, AdminReply& reply) {
    return hold_message(store, message.id, reason, now, reply);
  });
}

Result<AdminReply> queue_release(AdminRequest& request, SqliteQueueStore& store, WallTime now) {
  const QueueFilter filter = read_messages(request, now);
  std::string reason = request.text("reason");
  if (reason.empty()) reason = "released by the operator";
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  return for_each_message(store, filter, [&](const QueuedMessage& message, AdminReply& reply) {
    return release_message(store, message.id, reason, now, reply);
  });
}

}  // namespace waxwing
