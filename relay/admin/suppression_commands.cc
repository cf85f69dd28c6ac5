#include "relay/admin/suppression_commands.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "policy/ascii.h"
#include "relay/admin/reply_lines.h"
#include "relay/store/suppression_store.h"

namespace waxwing {
namespace {

constexpr std::uint64_t kMaxKeptSeconds = 100ULL * 366 * 86'400;

nlohmann::ordered_json suppression_json(const Suppression& suppression) {
  const bool ends = suppression.until < kNoSuppressionEnd;
  return {{"tenant", suppression.tenant},
          {"address", suppression.address.str()},
          {"reason", suppression.reason},
          {"since", rfc3339_text(suppression.since)},
          {"until", ends ? nlohmann::ordered_json(rfc3339_text(suppression.until)) : nlohmann::ordered_json(nullptr)}};
}

std::optional<MailAddress> read_address(AdminRequest& request) {
  auto address = MailAddress::parse(request.text("address"));
  if (address) return std::move(*address);
  request.refuse("\"address\" is no mail address: " + address.error().detail);
  return std::nullopt;
}

std::string read_tenant(AdminRequest& request) {
  std::string tenant = request.text("tenant");
  if (tenant.empty()) request.refuse("\"tenant\" is missing");
  return tenant;
}

// Exactly what rfc3339_text() writes.
std::optional<WallTime> parse_time(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00Z";
  if (text.size() != kForm.size()) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (kForm[i] == '0' ? !is_ascii_digit(text[i]) : text[i] != kForm[i]) return std::nullopt;
  }
  const auto number = [text](std::size_t at, std::size_t digits) {
    int value = 0;
    for (const char digit : text.substr(at, digits)) value = 10 * value + (digit - '0');
    return value;
  };
  const std::chrono::year_month_day day(std::chrono::year(number(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(number(8, 2))));
  if (!day.ok() || number(0, 4) < 1970 || number(11, 2) > 23 || number(14, 2) > 59 || number(17, 2) > 59)
    return std::nullopt;
  return WallTime(std::chrono::sys_days(day)) + std::chrono::hours(number(11, 2)) +
         std::chrono::minutes(number(14, 2)) + Seconds(number(17, 2));
}

WallTime read_time(AdminRequest& request, const char* name, WallTime without) {
  const std::string text = request.text(name);
  if (text.empty()) return without;
  const auto time = parse_time(text);
  if (!time) request.refuse(fmt::format("\"{}\" is no time such as 2026-11-26T07:00:00Z", name));
  return time.value_or(without);
}

// One entry as "suppression list" answers it; all but tenant and address may be missing.
Result<void> import_entry(const std::string& text, SqliteQueueStore& store, WallTime now) {
  nlohmann::json object = nlohmann::json::parse(text, nullptr, false);
  if (object.is_object() && object.value("until", nlohmann::json()).is_null()) object.erase("until");
  AdminRequest entry(object);
  const std::string tenant = read_tenant(entry);
  const auto address = read_address(entry);
  std::string reason = entry.text("reason");
  const WallTime since = read_time(entry, "since", now);
  const WallTime until = read_time(entry, "until", kNoSuppressionEnd);
  if (auto good = entry.finish(); !good) return fail(good.error().kind, good.error().detail + ": " + text);
  if (reason.empty()) reason = "listed by the operator";
  return store.suppressions().keep({tenant, *address, std::move(reason), since, until});
}

}  // namespace

Result<AdminReply> suppression_list(AdminRequest& request, SqliteQueueStore& store, WallTime now) {
  const std::string tenant = request.text("tenant");
  SuppressionStore::Position after;
  after.tenant = request.text("after_tenant");
  after.address = request.text("after_address");
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  const auto entries = store.suppressions().list(tenant, after, now, kMaxSuppressionPortion);
  if (!entries) return tl::unexpected(entries.error());
  AdminReply reply;
  for (const Suppression& suppression : *entries) add_line(reply, suppression_json(suppression));
  return reply;
}

Result<AdminReply> suppression_add(AdminRequest& request, SqliteQueueStore& store, WallTime now) {
  const std::string tenant = read_tenant(request);
  const auto address = read_address(request);
  const std::string reason = request.text("reason");
  if (reason.empty()) request.refuse("say why, in \"reason\": who may not send there will ask");
  const std::uint64_t seconds = request.number("keep_for").value_or(0);
  if (seconds > kMaxKeptSeconds) request.refuse("\"keep_for\" is longer than a hundred years");
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  const WallTime until = seconds == 0 ? kNoSuppressionEnd : now + Seconds(static_cast<std::int64_t>(seconds));
  const Suppression suppression{tenant, *address, reason, now, until};
  if (auto kept = store.suppressions().keep(suppression); !kept) return tl::unexpected(std::move(kept.error()));
  AdminReply reply;
  add_line(reply, suppression_json(suppression));
  reply.effects.audit.push_back({"suppression_added", tenant, address->str(), reason});
  return reply;
}

Result<AdminReply> suppression_remove(AdminRequest& request, SqliteQueueStore& store) {
  const std::string tenant = read_tenant(request);
  const auto address = read_address(request);
  const std::string reason = request.text("reason");
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  if (auto removed = store.suppressions().remove(tenant, *address); !removed)
    return tl::unexpected(std::move(removed.error()));
  AdminReply reply;
  add_line(reply, {{"tenant", tenant}, {"address", address->str()}});
  reply.effects.audit.push_back({"suppression_removed", tenant, address->str(), reason});
  return reply;
}

Result<AdminReply> suppression_import(AdminRequest& request, SqliteQueueStore& store, WallTime now) {
  const std::vector<std::string> entries = request.texts("entries", kMaxSuppressionPortion);
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  for (const std::string& entry : entries) {
    if (auto imported = import_entry(entry, store, now); !imported) return tl::unexpected(std::move(imported.error()));
  }
  AdminReply reply;
  add_line(reply, {{"imported", entries.size()}});
  reply.effects.audit.push_back({"suppressions_imported", {}, std::to_string(entries.size()) + " addresses", {}});
  return reply;
}

}  // namespace waxwing
