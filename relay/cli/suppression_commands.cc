#include "relay/cli/suppression_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "relay/admin/suppression_commands.h"
#include "relay/cli/json_text.h"

namespace waxwing {
namespace {

using Json = nlohmann::json;

// Asks for one portion after the other.
template <class Each>
Result<void> each_suppression(const AskRelay& ask, const std::string& tenant, const Each& each) {
  Json request = {{"command", "suppression list"}};
  if (!tenant.empty()) request["tenant"] = tenant;
  for (;;) {
    const auto lines = ask(request);
    if (!lines) return tl::unexpected(lines.error());
    for (const Json& line : *lines) each(line);
    if (lines->size() < kMaxSuppressionPortion) return {};
    request["after_tenant"] = json_text(lines->back(), "tenant");
    request["after_address"] = json_text(lines->back(), "address");
  }
}

std::string entry_line(const Json& entry) {
  const std::string until = json_text(entry, "until");
  return fmt::format("{}  {}  since {}, {}: {}", json_text(entry, "tenant"), json_text(entry, "address"),
                     json_text(entry, "since"), until.empty() ? "for good" : "until " + until,
                     json_text(entry, "reason"));
}

Result<void> send_entries(const AskRelay& ask, std::vector<std::string>& entries) {
  if (entries.empty()) return {};
  const auto lines = ask({{"command", "suppression import"}, {"entries", std::exchange(entries, {})}});
  if (!lines) return tl::unexpected(lines.error());
  return {};
}

std::string as_entry(std::string line, const SuppressionOrder& order) {
  if (!line.empty() && line.back() == '\r') line.pop_back();
  if (line.empty() || line.front() == '{') return line;
  Json entry = {{"tenant", order.tenant}, {"address", line}};
  if (!order.reason.empty()) entry["reason"] = order.reason;
  return entry.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

Result<void> list_suppressions(const AskRelay& ask, const SuppressionOrder& order, Output& output) {
  return each_suppression(ask, order.tenant, [&output](const Json& entry) {
    output.add_object(entry);
    output.add_line(entry_line(entry));
  });
}

Result<void> export_suppressions(const AskRelay& ask, const SuppressionOrder& order, std::ostream& out) {
  return each_suppression(ask, order.tenant, [&out](const Json& entry) { out << entry.dump() << '\n'; });
}

Result<void> add_suppression(const AskRelay& ask, const SuppressionOrder& order, Output& output) {
  Json request = {
      {"command", "suppression add"}, {"tenant", order.tenant}, {"address", order.address}, {"reason", order.reason}};
  if (order.keep_for) request["keep_for"] = static_cast<std::uint64_t>(order.keep_for->count());
  const auto lines = ask(std::move(request));
  if (!lines) return tl::unexpected(lines.error());
  for (const Json& line : *lines) {
    output.add_object(line);
    output.add_line(entry_line(line));
  }
  return {};
}

Result<void> remove_suppression(const AskRelay& ask, const SuppressionOrder& order, Output& output) {
  Json request = {{"command", "suppression remove"}, {"tenant", order.tenant}, {"address", order.address}};
  if (!order.reason.empty()) request["reason"] = order.reason;
  const auto lines = ask(std::move(request));
  if (!lines) return tl::unexpected(lines.error());
  for (const Json& line : *lines) {
    output.add_object(line);
    output.add_line(
        fmt::format("{} of {} is not suppressed any more", json_text(line, "address"), json_text(line, "tenant")));
  }
  return {};
}

Result<void> import_suppressions(const AskRelay& ask, const SuppressionOrder& order, CliStreams streams,
                                 Output& output) {
  std::ifstream file(order.file);
  if (!order.file.empty() && !file) return fail(ErrorKind::NotFound, order.file + " cannot be read");
  std::istream& in = order.file.empty() ? streams.in : file;
  std::vector<std::string> entries;
  std::size_t count = 0;
  for (std::string line; std::getline(in, line);) {
    line = as_entry(std::move(line), order);
    if (line.empty()) continue;
    ++count;
    entries.push_back(std::move(line));
    if (entries.size() < kMaxSuppressionPortion) continue;
    if (auto sent = send_entries(ask, entries); !sent) return sent;
  }
  if (auto sent = send_entries(ask, entries); !sent) return sent;
  output.add_object({{"imported", count}});
  output.add_line(fmt::format("imported: {}", count));
  return {};
}

}  // namespace waxwing
