#include "relay/admin/report_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "relay/admin/reply_lines.h"
#include "relay/store/tls_result_store.h"

namespace waxwing {
namespace {

std::string day_text(WallTime time) {
  const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(time)};
  return fmt::format("{:04}-{:02}-{:02}", int{day.year()}, unsigned{day.month()}, unsigned{day.day()});
}

// "2026-01-31".
std::optional<WallTime> read_day(const std::string& text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto number = [&text](std::size_t start, std::size_t size) {
    unsigned value = 0;
    const char* end = text.data() + start + size;
    const auto [stop, error] = std::from_chars(text.data() + start, end, value);
    return error == std::errc() && stop == end ? value : 0U;
  };
  const std::chrono::year_month_day day{std::chrono::year(static_cast<int>(number(0, 4))),
                                        std::chrono::month(number(5, 2)), std::chrono::day(number(8, 2))};
  if (!day.ok()) return std::nullopt;
  return WallTime(std::chrono::sys_days(day));
}

// The day that was asked for, or the last one with results.
Result<WallTime> chosen_day(SqliteQueueStore& store, const DomainName& domain, std::optional<WallTime> asked) {
  const auto days = store.tls_results().list();
  if (!days) return tl::unexpected(days.error());
  std::optional<WallTime> found;
  for (const TlsResultStore::Day& day : *days) {
    if (day.domain == domain.str() && (!asked || day.start == *asked)) found = day.start;
  }
  if (found) return *found;
  return fail(ErrorKind::NotFound,
              fmt::format("no TLS session with {} was counted{}; \"waxwing report tls list\" shows what was",
                          domain.str(), asked ? " on " + day_text(*asked) : std::string()));
}

}  // namespace

Result<AdminReply> report_tls_list(AdminRequest& request, SqliteQueueStore& store) {
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  const auto days = store.tls_results().list();
  if (!days) return tl::unexpected(days.error());
  AdminReply reply;
  for (const TlsResultStore::Day& day : *days) {
    add_line(reply, {{"day", day_text(day.start)},
                     {"domain", day.domain},
                     {"successes", day.successes},
                     {"failures", day.failures}});
  }
  return reply;
}

Result<AdminReply> report_tls_send(AdminRequest& request, SqliteQueueStore& store) {
  const auto domain = DomainName::parse(request.text("domain"));
  const std::string day_member = request.text("day");
  const auto asked = read_day(day_member);
  if (!domain) request.refuse("\"domain\" is not a domain name");
  if (!day_member.empty() && !asked) request.refuse("\"day\" is not a day such as 2026-01-31");
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  const auto day = chosen_day(store, *domain, asked);
  if (!day) return tl::unexpected(day.error());
  AdminReply reply;
  add_line(reply, {{"day", day_text(*day)}, {"domain", domain->str()}});
  reply.effects.tls_reports.push_back({*day, domain->str()});
  return reply;
}

Result<AdminReply> report_tls_show(AdminRequest& request, SqliteQueueStore& store) {
  const auto domain = DomainName::parse(request.text("domain"));
  const std::string day_member = request.text("day");
  TlsReportFrame frame;
  frame.organization_name = request.text("organization_name");
  frame.contact_info = request.text("contact_info");
  const auto asked = read_day(day_member);
  if (!domain) request.refuse("\"domain\" is not a domain name");
  if (!day_member.empty() && !asked) request.refuse("\"day\" is not a day such as 2026-01-31");
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  const auto day = chosen_day(store, *domain, asked);
  if (!day) return tl::unexpected(day.error());
  const auto tally = store.tls_results().tally(*day, *domain);
  if (!tally) return tl::unexpected(tally.error());
  frame.start = *day;
  frame.end = *day + std::chrono::days(1) - Seconds(1);
  frame.report_id = fmt::format("{}.{}", day_text(*day), domain->str());
  AdminReply reply;
  add_line(reply,
           nlohmann::ordered_json::parse(compose_tls_report(frame, *tally), nullptr, /*allow_exceptions=*/false));
  return reply;
}

}  // namespace waxwing
