#include "relay/cli/salvage_command.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "relay/store/salvage.h"

namespace waxwing {
namespace {

using Json = nlohmann::json;

void print_for_programs(const SalvageReport& report, Output& output) {
  Json lost = Json::array();
  for (const LostMessage& message : report.lost) lost.push_back({{"id", message.id.str()}, {"what", message.what}});
  output.add_object({{"messages", report.messages},
                     {"recipients", report.recipients},
                     {"doubtful", report.doubtful},
                     {"accounts", report.accounts},
                     {"pages", report.pages},
                     {"pages_in_log", report.pages_in_log},
                     {"unread_pages", report.unread_pages},
                     {"integrity", report.integrity},
                     {"lost_messages", report.lost_messages},
                     {"lost", std::move(lost)}});
}

void print_for_people(const SalvageReport& report, const SalvageOrder& order, Output& output) {
  for (const std::string& line : report.integrity) output.add_line("SQLite says: " + line);
  output.add_line(fmt::format("Pages: {}, {} of them from the log, {} cannot be read", report.pages,
                              report.pages_in_log, report.unread_pages));
  output.add_line(fmt::format("Rescued: {} messages with {} recipients, {} accounts", report.messages,
                              report.recipients, report.accounts));
  if (report.doubtful > 0) {
    output.add_line(
        fmt::format("Held, since they may have been delivered already: {} of these messages; look at them "
                    "with \"waxwing queue list\"",
                    report.doubtful));
  }
  for (const LostMessage& message : report.lost)
    output.add_line(fmt::format("Lost: {}: {}", message.id.str(), message.what));
  if (report.lost_messages > report.lost.size())
    output.add_line(fmt::format("Lost: {} more", report.lost_messages - report.lost.size()));
  output.add_line(
      fmt::format("What was rescued is in {}; suppression lists, limits, tokens and what is known of TLS were "
                  "left behind",
                  order.target));
}

}  // namespace

Result<bool> salvage_queue(const SalvageOrder& order, Output& output) {
  const auto report = salvage(order.state_directory, order.target);
  if (!report) return tl::unexpected(report.error());
  print_for_programs(*report, output);
  print_for_people(*report, order, output);
  return report->lost_messages == 0;
}

}  // namespace waxwing
