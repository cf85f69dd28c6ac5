#include "relay/admin/egress_commands.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "policy/ascii.h"
#include "relay/admin/reply_lines.h"
#include "relay/egress/egress_source.h"
#include "relay/store/egress_store.h"

namespace waxwing {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMaxPauseSeconds = 10ULL * 366 * 86'400;
constexpr std::size_t kMaxNameOctets = 255;

Json pause_json(const EgressPause& pause) {
  return {{"kind", "pause"},
          {"source", pause.source},
          {"provider", pause.provider.empty() ? Json(nullptr) : Json(pause.provider)},
          {"until", rfc3339_text(pause.until)},
          {"rule", pause.rule.empty() ? Json(nullptr) : Json(pause.rule)},
          {"reason", pause.reason}};
}

struct Target {
  std::string source;
  std::string provider;
};
Target read_target(AdminRequest& request) {
  Target target{request.text("source"), ascii_lower(request.text("provider"))};
  if (target.source.empty()) request.refuse("\"source\" is missing");
  if (target.source.size() > kMaxNameOctets || target.provider.size() > kMaxNameOctets)
    request.refuse("\"source\" or \"provider\" is too long");
  return target;
}

}  // namespace

Result<AdminReply> egress_list(AdminRequest& request, SqliteQueueStore& store, WallTime now) {
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  const auto uses = store.egress().uses(day_of(now));
  if (!uses) return tl::unexpected(uses.error());
  const auto pauses = store.egress().pauses(now);
  if (!pauses) return tl::unexpected(pauses.error());
  AdminReply reply;
  for (const WarmUpUse& use : *uses)
    add_line(reply, {{"kind", "use"}, {"source", use.source}, {"provider", use.provider}, {"used", use.used}});
  for (const EgressPause& pause : *pauses) add_line(reply, pause_json(pause));
  return reply;
}

Result<AdminReply> egress_pause(AdminRequest& request, SqliteQueueStore& store, WallTime now) {
  const Target target = read_target(request);
  const std::string reason = request.text("reason");
  if (reason.empty()) request.refuse("say why, in \"reason\": who waits for the mail will ask");
  const std::uint64_t seconds = request.number("pause_for").value_or(0);
  if (seconds == 0 || seconds > kMaxPauseSeconds) request.refuse("\"pause_for\" is 1 second to ten years");
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  const EgressPause pause{
      target.source, target.provider, now + Seconds(static_cast<std::int64_t>(seconds)), {}, reason};
  if (auto kept = store.egress().keep_pause(pause); !kept) return tl::unexpected(std::move(kept.error()));
  AdminReply reply;
  add_line(reply, pause_json(pause));
  reply.effects.egress_paused.push_back(pause);
  return reply;
}

// Without a provider, all pauses of the source end.
Result<AdminReply> egress_resume(AdminRequest& request, SqliteQueueStore& store, WallTime now) {
  const Target target = read_target(request);
  const std::string reason = request.text("reason");
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  const auto pauses = store.egress().pauses(now);
  if (!pauses) return tl::unexpected(pauses.error());
  AdminReply reply;
  for (const EgressPause& pause : *pauses) {
    const bool meant = pause.source == target.source && (target.provider.empty() || target.provider == pause.provider);
    if (!meant) continue;
    const auto removed = store.egress().remove_pause(pause.source, pause.provider);
    if (!removed) return tl::unexpected(removed.error());
    add_line(reply, pause_json(pause));
    EgressPause& ended = reply.effects.egress_resumed.emplace_back(pause);
    ended.reason = reason;
  }
  if (!reply.lines.empty()) return reply;
  return fail(ErrorKind::NotFound,
              fmt::format("{} is not paused{}; \"waxwing egress list\" shows who is", target.source,
                          target.provider.empty() ? std::string() : " at " + target.provider));
}

}  // namespace waxwing
