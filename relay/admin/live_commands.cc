#include "relay/admin/live_commands.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "relay/admin/admin_request.h"
#include "relay/admin/reply_lines.h"

namespace waxwing {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kUsualRows = 20;

Json destination_json(const DestinationLoad& load) {
  return {{"domain", load.domain},
          {"recipients", load.recipients},
          {"active", load.active},
          {"limit", load.limit},
          {"paused_until", load.paused_until ? Json(rfc3339_text(*load.paused_until)) : Json(nullptr)},
          {"reason", load.reason}};
}

Json overview_json(const QueueOverview& overview, std::uint64_t held) {
  Json destinations = Json::array();
  for (const DestinationLoad& load : overview.destinations) destinations.push_back(destination_json(load));
  Json tenants = Json::array();
  for (const TenantLoad& load : overview.tenants)
    tenants.push_back({{"tenant", load.tenant}, {"recipients", load.recipients}, {"active", load.active}});
  return {{"time", rfc3339_text(overview.time)},
          {"recipients", overview.recipients},
          {"active", overview.active},
          {"held", held},
          {"accepted_per_second", overview.accepted_per_second},
          {"delivered_per_second", overview.delivered_per_second},
          {"deferred_per_second", overview.deferred_per_second},
          {"returned_per_second", overview.returned_per_second},
          {"destinations", std::move(destinations)},
          {"tenants", std::move(tenants)}};
}

std::string command_of(const nlohmann::json& request) {
  const auto command = request.find("command");
  return command != request.end() && command->is_string() ? command->get<std::string>() : std::string();
}

}  // namespace

bool is_live_command(const nlohmann::json& request) {
  const std::string command = command_of(request);
  return command == "top" || command == "destinations";
}

Result<AdminReply> run_live_command(const nlohmann::json& request, const LiveQueue& queue, std::uint64_t held) {
  AdminRequest arguments(request);
  const bool is_top = arguments.text("command") == "top";
  (void)arguments.text("operator");
  const std::uint64_t rows = is_top ? arguments.number("rows").value_or(kUsualRows) : 0;
  if (auto good = arguments.finish(); !good) return tl::unexpected(std::move(good.error()));
  AdminReply reply;
  if (is_top) {
    add_line(reply, overview_json(queue.overview(std::min<std::uint64_t>(rows, kMaxOverviewRows)), held));
    return reply;
  }
  for (const DestinationLoad& load : queue.held_back()) add_line(reply, destination_json(load));
  return reply;
}

}  // namespace waxwing
