#include "relay/admin/admin_commands.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "policy/date_time.h"
#include "relay/admin/account_commands.h"
#include "relay/admin/admin_request.h"
#include "relay/admin/audit_commands.h"
#include "relay/admin/bounce_command.h"
#include "relay/admin/egress_commands.h"
#include "relay/admin/hold_commands.h"
#include "relay/admin/queue_commands.h"
#include "relay/admin/quota_commands.h"
#include "relay/admin/reply_lines.h"
#include "relay/admin/report_commands.h"
#include "relay/admin/suppression_commands.h"
#include "relay/admin/tls_commands.h"

namespace waxwing {

namespace {

Result<AdminReply> dispatch(const std::string& command, AdminRequest& arguments, SqliteQueueStore& store, WallTime now,
                            const AdminContext& context) {
  if (command == "queue list") return queue_list(arguments, store, now);
  if (command == "queue show") return queue_show(arguments, store);
  if (command == "queue ids") return queue_ids(arguments, store);
  if (command == "queue retry") return queue_retry(arguments, store, now);
  if (command == "queue hold") return queue_hold(arguments, store, now);
  if (command == "queue release") return queue_release(arguments, store, now);
  if (command == "queue bounce") return queue_bounce(arguments, store, now, context);
  if (command == "queue drop") return queue_drop(arguments, store, now);
  if (command == "audit list") return audit_list(arguments, store);
  if (command == "account add") return account_add(arguments, store);
  if (command == "account passwd") return account_passwd(arguments, store);
  if (command == "account list") return account_list(arguments, store);
  if (command == "account show") return quota_show(arguments, store, QuotaOwner::Account, now);
  if (command == "account limit") return quota_limit(arguments, store, QuotaOwner::Account);
  if (command == "account hold") return quota_hold(arguments, store, QuotaOwner::Account);
  if (command == "account release") return quota_release(arguments, store, QuotaOwner::Account);
  if (command == "account token") return account_token(arguments, store, now);
  if (command == "account certificates") return account_certificates(arguments, store);
  if (command == "account revoke") return account_revoke(arguments, store);
  if (command == "tenant add") return tenant_add(arguments, store);
  if (command == "tenant list") return tenant_list(arguments, store);
  if (command == "tenant show") return quota_show(arguments, store, QuotaOwner::Tenant, now);
  if (command == "tenant limit") return quota_limit(arguments, store, QuotaOwner::Tenant);
  if (command == "tenant hold") return quota_hold(arguments, store, QuotaOwner::Tenant);
  if (command == "tenant release") return quota_release(arguments, store, QuotaOwner::Tenant);
  if (command == "report tls list") return report_tls_list(arguments, store);
  if (command == "report tls send") return report_tls_send(arguments, store);
  if (command == "report tls show") return report_tls_show(arguments, store);
  if (command == "suppression list") return suppression_list(arguments, store, now);
  if (command == "suppression add") return suppression_add(arguments, store, now);
  if (command == "suppression remove") return suppression_remove(arguments, store);
  if (command == "suppression import") return suppression_import(arguments, store, now);
  if (command == "egress list") return egress_list(arguments, store, now);
  if (command == "egress pause") return egress_pause(arguments, store, now);
  if (command == "egress resume") return egress_resume(arguments, store, now);
  if (command == "tls list") return tls_list(arguments, store);
  if (command == "tls forget") return tls_forget(arguments, store);
  arguments.refuse("\"command\" is missing or unknown");
  return tl::unexpected(arguments.finish().error());
}

bool changes_the_queue(const std::string& command) {
  return command == "queue retry" || command == "queue hold" || command == "queue release" ||
         command == "queue bounce" || command == "queue drop";
}

// The command is run in full, so that it says what it would say, and then undone.
Result<AdminReply> rehearse(const std::string& command, AdminRequest& arguments, SqliteQueueStore& store, WallTime now,
                            const AdminContext& context) {
  Result<AdminReply> reply = fail(ErrorKind::Unavailable, "the database does not allow to try it");
  (void)store.apart([&]() -> Result<void> {
    reply = dispatch(command, arguments, store, now, context);
    return fail(ErrorKind::Conflict, "nothing is to be changed");
  });
  if (reply) reply->effects = {};
  return reply;
}

}  // namespace

Result<AdminReply> run_admin_command(const nlohmann::json& request, SqliteQueueStore& store, WallTime now,
                                     const AdminContext& context) {
  AdminRequest arguments(request);
  const std::string command = arguments.text("command");
  const std::string operator_name = arguments.text("operator");
  const bool changes = changes_the_queue(command);
  if (changes && arguments.flag("dry_run")) return rehearse(command, arguments, store, now, context);
  auto reply = dispatch(command, arguments, store, now, context);
  if (!reply || !changes) return reply;
  if (auto noted = note_in_audit_log(request, operator_name, context, store, now, *reply); !noted)
    return tl::unexpected(std::move(noted.error()));
  return reply;
}

void count_change(AdminReply& reply, std::uint64_t recipients) {
  if (recipients == 0) return;
  ++reply.changed_messages;
  reply.changed_recipients += recipients;
}

void add_line(AdminReply& reply, const nlohmann::ordered_json& object) {
  std::string line = object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  reply.octets += line.size();
  reply.lines.push_back(std::move(line));
}

std::string rfc3339_text(WallTime time) {
  return utc_date_time_text(time);
}

}  // namespace waxwing
