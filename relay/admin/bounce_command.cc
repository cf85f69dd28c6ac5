#include "relay/admin/bounce_command.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "relay/admin/message_selection.h"
#include "relay/admin/reply_lines.h"

namespace waxwing {
namespace {

// RFC 3463 §3.4: it is the system here, and neither the mailbox nor its host.
constexpr std::string_view kStatus = "5.3.0";

struct Order {
  const QueueFilter& filter;
  std::string sentence;
  WallTime now;
  const AdminContext& context;
};

// Ends one recipient, and says whether its sender wants to know.
Result<void> return_recipient(SqliteQueueStore& store, const QueuedMessage& message, const QueuedRecipient& recipient,
                              const Order& order, std::vector<ReportedRecipient>& reported) {
  RecipientUpdate update = unchanged(message.id, recipient);
  update.state = RecipientState::Bounced;
  update.status = kStatus;
  update.reason = order.sentence;
  update.next_attempt = order.now;
  if (is_wanted(ReportedAction::Failed, recipient.notice)) {
    reported.push_back({recipient.address,
                        update.status,
                        update.reason,
                        {},
                        {},
                        order.now,
                        ReportedAction::Failed,
                        recipient.notice.original_recipient});
  }
  return store.update(update);
}

Result<void> bounce_message(SqliteQueueStore& store, QueueId id, const Order& order, AdminReply& reply) {
  const auto message = store.load(id);
  if (!message) return tl::unexpected(message.error());
  BouncedMessage bounced{id, message->message_id, {}, order.sentence, false};
  std::vector<ReportedRecipient> reported;
  for (const QueuedRecipient& recipient : message->recipients) {
    if (!waits(recipient) || !concerns(order.filter, recipient)) continue;
    if (auto done = return_recipient(store, *message, recipient, order, reported); !done) return done;
    bounced.recipients.push_back(recipient.address.str());
  }
  std::vector<QueuedMessage> reports;
  if (!reported.empty()) reports = order.context.compose_reports(*message, reported, order.now);
  for (QueuedMessage& report : reports) {
    report.sealing = Sealing::Due;  // no signature can be waited for inside a batch
    if (auto added = store.add(report); !added) return added;
    reply.effects.reports.push_back(std::move(report));
  }
  auto removed = store.remove(id);
  if (!removed && removed.error().kind != ErrorKind::Conflict) return removed;  // Conflict: others still wait
  bounced.removed = removed.has_value();
  count_change(reply, bounced.recipients.size());
  add_line(reply, {{"id", id.str()},
                   {"bounced", bounced.recipients.size()},
                   {"reports", reports.size()},
                   {"removed", bounced.removed}});
  reply.effects.bounced.push_back(std::move(bounced));
  return {};
}

}  // namespace

Result<AdminReply> queue_bounce(AdminRequest& request, SqliteQueueStore& store, WallTime now,
                                const AdminContext& context) {
  const QueueFilter filter = read_selection(request, now);
  const std::string reason = request.text("reason");
  if (reason.empty()) request.refuse("say why, in \"reason\": the sender will read it");
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  if (!context.compose_reports)
    return fail(ErrorKind::Unavailable, "no waxwingd runs, which tells senders what comes back to them; start it");
  const Order order{filter, "an operator returned it: " + reason, now, context};
  return for_each_message(store, filter, [&](const QueuedMessage& message, AdminReply& reply) {
    return bounce_message(store, message.id, order, reply);
  });
}

}  // namespace waxwing
