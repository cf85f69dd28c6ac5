#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/egress/egress_pauses.h"
#include "relay/queue/bounce.h"
#include "relay/queue/queue_store.h"
#include "relay/queue/queued_message.h"
#include "relay/store/audit_store.h"
#include "relay/store/sqlite_queue_store.h"

namespace waxwing {

/// A message that an operator took out of the queue, for the log.
struct DroppedMessage {
  QueueId id;
  std::string message_id;
  std::vector<std::string> recipients;  ///< those who will not get it now
  std::string reason;
  bool removed = false;  ///< nobody waits for it any more: the scheduler forgets it
};

/// A message that an operator keeps from being sent, or lets go again, for the log.
struct HeldMessage {
  QueueId id;
  std::string message_id;
  std::string reason;
};

/// A message that an operator returned to its sender, for the log.
struct BouncedMessage {
  QueueId id;
  std::string message_id;
  std::vector<std::string> recipients;
  std::string reason;
  bool removed = false;  ///< as DroppedMessage::removed
};

/// A report about TLS that an operator wants to be sent.
struct TlsReportDay {
  WallTime day;  ///< 00:00 UTC
  std::string domain;
};

/// What an operator did to something other than a message, for the log.
struct OperatorAct {
  std::string event;
  std::string tenant;   ///< empty: not about one
  std::string subject;  ///< to what it was done
  std::string reason;   ///< may be empty
};

/// What a running relay must do after a command whose changes are durable.
struct AdminEffects {
  std::vector<WaitingRecipient> retry;  ///< to be added to the scheduler: their new time is now
  std::vector<DroppedMessage> dropped;
  std::vector<TlsReportDay> tls_reports;  ///< to be sent now
  std::vector<HeldMessage> held;          ///< the scheduler leaves them alone
  std::vector<OperatorAct> audit;
  std::vector<BouncedMessage> bounced;
  std::vector<QueuedMessage> reports;        ///< to senders: the scheduler takes them
  std::optional<OperatorAction> on_queue{};  ///< what was done to the queue, for the log
  bool plans_are_stale = false;              ///< workers must look at destinations anew
  std::vector<HeldMessage> released;         ///< the scheduler takes them again, with what is in `retry`
  std::vector<EgressPause> egress_paused;
  std::vector<EgressPause> egress_resumed;  ///< their reason is that of the order
};

/// The answer to a command.
struct AdminReply {
  std::vector<std::string> lines;  ///< one JSON object each
  std::size_t octets = 0;          ///< of all lines
  std::optional<QueueId> next;     ///< there are more messages: the same request with this as "after" goes on
  AdminEffects effects;
  std::uint64_t changed_messages = 0;
  std::uint64_t changed_recipients = 0;
};

/// For whom a command is run, and with what.
struct AdminContext {
  std::uint32_t uid = 0;  ///< of the other side of the control socket
  /// Composes what tells a sender of recipients that failed, as for any failure; empty: no relay runs.
  std::function<std::vector<QueuedMessage>(QueuedMessage, const std::vector<ReportedRecipient>&, WallTime)>
      compose_reports{};
};

/// Runs one command on the store. The same code serves the control socket, inside a batch of the store thread, and the
/// command line when no relay runs. Requests are objects with a member "command"; an unknown member is an error.
///
///   queue list    FILTER                       a line per recipient: id, message_id, sender (null: DSN), recipient,
///                                              state, attempts, next_attempt (null: none), reason
///   queue show    id                           everything about one message but its body, with the last delivery
///                                              report of each recipient
///   queue ids                                  a line per message: id, message_id, state, recipients, waiting
///   queue retry   (FILTER | all) [reason]      makes those who wait due now; a line per message
///   queue hold    (FILTER | all) reason        keeps messages from being sent and from expiring; a line per message
///   queue release (FILTER | all) [reason]      lets held messages go, due now, to be sealed anew; the time for which
///                                              they were held does not count; a line per message
///   queue drop    (FILTER | all) [reason]      a line per message; final, without a report to the sender
///   queue bounce  (FILTER | all) reason        ends the recipients as bounced, and has their senders told; a line per
///                                              message; only while the relay runs
///   audit list    [before] [limit]             a line per command that changed the queue, newest first, at most
///                                              kMaxAuditPortion: entry, time, operator, uid, command, filter, messages,
///                                              recipients, reason; "before" is the entry of the last line
///   account add   name (password_hash | uid | both) [scram_keys] [tenant] [allowed_senders]
///   account passwd  name password_hash [scram_keys]
///   account list                               a line per account, without the hash and the keys; "scram" tells whether it has
///                                              those, where a password opens it
///   account show  name                         with limits, what was used in the last day, and whether it is held
///   account limit name [messages_per_hour] … [over_limit]
///                                              changes those that are given (quota.h), 0 for none
///   account hold  name reason                  keeps what it submits from now on from being sent
///   account release name                       undoes that for what it will submit
///   account token name digest                  lets who shows the token with this SHA-256 send by HTTP
///   account revoke name                        makes all its tokens worthless
///   tenant add, list, show, limit, hold, release
///                                              the same for all accounts of a tenant together
///   report tls list                            a line per day and recipient domain: day, domain, successes, failures
///   report tls send  domain [day]              has the report about a domain sent now: day, domain
///   report tls show  domain [day] [organization_name] [contact_info]
///                                              the report about a domain (RFC 8460 §4.4)
///   tls list                                   a line per domain that was authenticated: domain, method, first_proven,
///                                              last_proven
///   suppression list [tenant] [after_tenant after_address]
///                                              a line per address to which nobody of a tenant may submit: tenant, address,
///                                              reason, since, until (null: for good); kMaxSuppressionPortion lines, and
///                                              the next ones with those of the last line
///   suppression add  tenant address reason [keep_for]
///                                              keep_for in seconds; without it, for good
///   suppression remove tenant address [reason]
///   suppression import entries                 at most kMaxSuppressionPortion texts, each a line of "suppression list"
///   egress list                                a line per source and provider with what the source sent today while it is
///                                              warmed up (kind "use": source, provider, used), and a line per pause (kind
///                                              "pause": source, provider, until, rule, reason; provider null: all, rule
///                                              null: an operator's)
///   egress pause  source pause_for reason [provider]
///                                              pause_for in seconds; without provider, at all
///   egress resume source [provider] [reason]   a line per pause that was ended; without provider, all of the source
///   tls forget    domain                       what a domain publishes now is all that counts: domain
///
/// FILTER is one or more of id, account, tenant, sender ("<>": none), domain (of recipients), saying (part of the reason
/// for which a recipient waits), older_than (seconds); those that are given together must all hold. hold and release
/// take no domain, since messages are held as a whole. retry, hold, release, bounce and drop are kept in the audit log. Every
/// request may say who asks, in "operator". Those five with "dry_run" say what they would
/// do, and change nothing. Commands about several messages take "after" (AdminReply::next), so
/// that none keeps the store for long. Times are RFC 3339 in UTC.
/// @errors  Malformed: the request; NotFound, Conflict: what it names; errors of the store
/// @limits  a reply ends after kMaxAdminMessages messages or, with the message under way, kMaxAdminReplyOctets
[[nodiscard]] Result<AdminReply> run_admin_command(const nlohmann::json& request, SqliteQueueStore& store, WallTime now,
                                                   const AdminContext& context = {});

inline constexpr std::size_t kMaxAdminMessages = 1'000;
inline constexpr std::size_t kMaxAdminReplyOctets = 4U << 20;

}  // namespace waxwing
