#include "relay/admin/audit_commands.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "relay/admin/reply_lines.h"
#include "relay/store/audit_store.h"

namespace waxwing {
namespace {

using Json = nlohmann::json;

// What selected the messages: all but what stands in the entry by itself, and where a command in portions goes on.
std::string filter_text(const Json& request) {
  Json filter = request;
  for (const char* other : {"command", "reason", "operator", "after", "dry_run"}) filter.erase(other);
  return filter.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string text_of(const Json& request, const char* name) {
  const auto member = request.find(name);
  return member != request.end() && member->is_string() ? member->get<std::string>() : std::string();
}

}  // namespace

Result<AdminReply> audit_list(AdminRequest& request, SqliteQueueStore& store) {
  const std::uint64_t before = request.number("before").value_or(0);
  const std::uint64_t limit =
      std::min<std::uint64_t>(request.number("limit").value_or(kMaxAuditPortion), kMaxAuditPortion);
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  const auto entries = store.audits().list(before, limit);
  if (!entries) return tl::unexpected(entries.error());
  AdminReply reply;
  for (const OperatorAction& entry : *entries) {
    Json filter = Json::parse(entry.filter, nullptr, false);
    add_line(reply, {{"entry", entry.id},
                     {"time", rfc3339_text(entry.time)},
                     {"operator", entry.operator_name},
                     {"uid", entry.uid},
                     {"command", entry.command},
                     {"filter", filter.is_discarded() ? Json(entry.filter) : std::move(filter)},  // cut, when too long
                     {"messages", entry.messages},
                     {"recipients", entry.recipients},
                     {"reason", entry.reason}});
  }
  return reply;
}

Result<void> note_in_audit_log(const Json& request, const std::string& operator_name, const AdminContext& context,
                               SqliteQueueStore& store, WallTime now, AdminReply& reply) {
  OperatorAction entry{0,
                       now,
                       context.uid,
                       operator_name,
                       text_of(request, "command"),
                       filter_text(request),
                       reply.changed_messages,
                       reply.changed_recipients,
                       text_of(request, "reason")};
  if (auto added = store.audits().add(entry); !added) return added;
  reply.effects.on_queue = std::move(entry);
  return {};
}

}  // namespace waxwing
