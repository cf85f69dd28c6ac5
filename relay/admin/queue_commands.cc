#include "relay/admin/queue_commands.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "relay/admin/message_selection.h"
#include "relay/admin/reply_lines.h"

namespace waxwing {
namespace {

using Json = nlohmann::ordered_json;

// Bounds of the one line that `queue show` answers.
constexpr std::size_t kMaxShownHeaderOctets = 262'144;
constexpr std::size_t kMaxShownReportOctets = 1U << 20;

Json sender_json(const QueuedMessage& message) {
  return message.reverse_path ? Json(message.reverse_path->str()) : Json(nullptr);
}

Json recipient_json(const QueuedRecipient& recipient) {
  const bool scheduled = recipient.state == RecipientState::Queued || recipient.state == RecipientState::Deferred;
  return {{"recipient", recipient.address.str()},
          {"state", recipient_state_name(recipient.state)},
          {"attempts", recipient.attempts},
          {"next_attempt", scheduled ? Json(rfc3339_text(recipient.next_attempt)) : Json(nullptr)},
          {"reason", recipient.reason}};
}

Json deliver_by_json(const QueuedMessage& message) {
  if (!message.deliver_by) return nullptr;
  return {{"time", rfc3339_text(message.deliver_by->time)},
          {"mode", message.deliver_by->mode == ByMode::Return ? "return" : "notify"},
          {"trace", message.deliver_by->trace}};
}

// Makes the recipients of one message due that the filter concerns.
Result<void> retry_message(SqliteQueueStore& store, QueueId id, const QueueFilter& filter, WallTime now,
                           AdminReply& reply) {
  const auto message = store.load(id);  // with the delivery reports, which list() leaves out
  if (!message) return tl::unexpected(message.error());
  std::size_t count = 0;
  for (const QueuedRecipient& recipient : message->recipients) {
    // Who held it knows of something that another attempt does not mend.
    if (!waits(recipient) || recipient.state == RecipientState::Held || !concerns(filter, recipient)) continue;
    if (recipient.not_before > now) continue;  // RFC 4865 §4.2: it is released when its sender said
    RecipientUpdate update = unchanged(id, recipient);
    update.state = recipient.attempts == 0 ? RecipientState::Queued : RecipientState::Deferred;
    update.next_attempt = now;
    if (auto updated = store.update(update); !updated) return updated;
    reply.effects.retry.push_back({id, recipient.ordinal, recipient.address.domain.str(), recipient.attempts, now,
                                   message->expires, message->tenant, recipient.not_before});
    ++count;
  }
  add_line(reply, {{"id", id.str()}, {"retried", count}});
  count_change(reply, count);
  return {};
}

// A message that cannot be read can only go as a whole.
Result<void> discard_damaged(SqliteQueueStore& store, QueueId id, const std::string& reason, AdminReply& reply) {
  if (auto discarded = store.discard(id); !discarded) return discarded;
  add_line(reply, {{"id", id.str()}, {"dropped", nullptr}, {"removed", true}});
  count_change(reply, 1);  // nobody knows how many there were
  reply.effects.dropped.push_back({id, {}, {}, reason, true});
  return {};
}

Result<void> drop_message(SqliteQueueStore& store, QueueId id, const QueueFilter& filter, const std::string& reason,
                          AdminReply& reply) {
  const auto message = store.load(id);
  if (!message && message.error().kind == ErrorKind::Corrupt) return discard_damaged(store, id, reason, reply);
  if (!message) return tl::unexpected(message.error());
  DroppedMessage dropped{id, message->message_id, {}, reason, false};
  for (const QueuedRecipient& recipient : message->recipients) {
    if (!waits(recipient) || !concerns(filter, recipient)) continue;
    RecipientUpdate update = unchanged(id, recipient);
    update.state = RecipientState::Dropped;
    update.reason = reason;
    if (auto updated = store.update(update); !updated) return updated;
    dropped.recipients.push_back(recipient.address.str());
  }
  auto removed = store.remove(id);
  if (!removed && removed.error().kind != ErrorKind::Conflict) return removed;  // Conflict: others still wait
  dropped.removed = removed.has_value();
  add_line(reply, {{"id", id.str()}, {"dropped", dropped.recipients.size()}, {"removed", dropped.removed}});
  count_change(reply, dropped.recipients.size());
  reply.effects.dropped.push_back(std::move(dropped));
  return {};
}

// The state in a word: that of a recipient who waits, else of the first.
RecipientState state_of(const QueuedMessage& message) {
  const auto waiting = std::ranges::find_if(message.recipients, waits);
  return waiting == message.recipients.end() ? message.recipients.front().state : waiting->state;
}

}  // namespace

Result<AdminReply> queue_list(AdminRequest& request, SqliteQueueStore& store, WallTime now) {
  const QueueFilter filter = read_filter(request, now);
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  return for_each_message(store, filter, [&](const QueuedMessage& message, AdminReply& reply) -> Result<void> {
    for (const QueuedRecipient& recipient : message.recipients) {
      if (!concerns(filter, recipient)) continue;
      Json line{{"id", message.id.str()}, {"message_id", message.message_id}, {"sender", sender_json(message)}};
      line.update(recipient_json(recipient));
      add_line(reply, line);
    }
    return {};
  });
}

Result<AdminReply> queue_show(AdminRequest& request, SqliteQueueStore& store) {
  const auto id = read_id(request, "id");
  if (!id) request.refuse("\"id\" is missing");
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  const auto message = store.load(*id);
  if (!message) return tl::unexpected(message.error());
  Json recipients = Json::array();
  std::size_t report_octets = 0;
  for (const QueuedRecipient& recipient : message->recipients) {
    Json shown = recipient_json(recipient);
    shown["status"] = recipient.status;
    shown["report"] = nullptr;
    report_octets += recipient.report.size();
    Json report = report_octets > kMaxShownReportOctets ? Json() : Json::parse(recipient.report, nullptr, false);
    if (!report.is_discarded()) shown["report"] = std::move(report);
    recipients.push_back(std::move(shown));
  }
  AdminReply reply;
  add_line(reply, {{"id", message->id.str()},
                   {"message_id", message->message_id},
                   {"sender", sender_json(*message)},
                   {"account", message->account},
                   {"tenant", message->tenant},
                   {"accepted", rfc3339_text(message->accepted)},
                   {"expires", rfc3339_text(message->expires)},
                   {"needs_8bit", message->needs_8bit},
                   {"needs_smtputf8", message->needs_smtputf8},
                   {"tls_request", tls_request_name(message->tls_request)},
                   {"release", message->release_request},
                   {"deliver_by", deliver_by_json(*message)},
                   {"size_octets", message->header.size() + 2 + message->body_octets},
                   {"header", message->header.substr(0, kMaxShownHeaderOctets)},
                   {"recipients", std::move(recipients)}});
  return reply;
}

Result<AdminReply> queue_ids(AdminRequest& request, SqliteQueueStore& store) {
  QueueFilter filter;
  filter.limit = kMaxAdminMessages + 1;
  filter.after = read_id(request, "after");
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  return for_each_message(store, filter, [&](const QueuedMessage& message, AdminReply& reply) -> Result<void> {
    add_line(reply, {{"id", message.id.str()},
                     {"message_id", message.message_id},
                     {"state", recipient_state_name(state_of(message))},
                     {"recipients", message.recipients.size()},
                     {"waiting", std::ranges::count_if(message.recipients, waits)}});
    return {};
  });
}

Result<AdminReply> queue_retry(AdminRequest& request, SqliteQueueStore& store, WallTime now) {
  const QueueFilter filter = read_selection(request, now);
  (void)request.text("reason");  // for the audit log
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  return for_each_message(store, filter, [&](const QueuedMessage& message, AdminReply& reply) {
    return retry_message(store, message.id, filter, now, reply);
  });
}

Result<AdminReply> queue_drop(AdminRequest& request, SqliteQueueStore& store, WallTime now) {
  const QueueFilter filter = read_selection(request, now);
  std::string reason = request.text("reason");
  if (reason.empty()) reason = "dropped by the operator";
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  // By its id alone a message can be dropped that is too damaged to be listed.
  if (names_one_message(filter)) {
    AdminReply reply;
    auto dropped = drop_message(store, *filter.id, filter, reason, reply);
    if (!dropped) return tl::unexpected(std::move(dropped.error()));
    return reply;
  }
  return for_each_message(store, filter, [&](const QueuedMessage& message, AdminReply& reply) {
    return drop_message(store, message.id, filter, reason, reply);
  });
}

}  // namespace waxwing
