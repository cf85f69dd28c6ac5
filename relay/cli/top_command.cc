#include "relay/cli/top_command.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string_view>
#include <vector>

#include "relay/cli/json_text.h"
#include "relay/observe/escape.h"

namespace waxwing {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kClear = "\x1b[H\x1b[2J";  // ECMA-48: home, erase all
constexpr std::size_t kRowsOfOutput = 20;             // where nothing limits them
constexpr TerminalSize kWidePage{500, 1'000};

double number(const Json& object, const char* name) {
  const Json& value = json_member(object, name);
  return value.is_number() ? value.get<double>() : 0.0;
}

// What keeps a domain's mail from being tried right now, else why it was deferred last.
std::string standing(const Json& destination) {
  const std::string reason = json_text(destination, "reason");
  const std::string paused = json_text(destination, "paused_until");
  if (!paused.empty()) return fmt::format("paused until {}{}{}", paused, reason.empty() ? "" : ": ", reason);
  const double limit = number(destination, "limit");
  if (limit > 0 && number(destination, "active") >= limit)
    return fmt::format("at its limit{}{}", reason.empty() ? "" : ": ", reason);
  return reason;
}

std::vector<std::string> lines_of(const Json& overview) {
  std::vector<std::string> lines;
  lines.push_back(fmt::format("{}   waiting {}   under way {}   held {}", json_text(overview, "time"),
                              json_text(overview, "recipients"), json_text(overview, "active"),
                              json_text(overview, "held")));
  lines.push_back(
      fmt::format("messages in {:.1f}/s   recipients delivered {:.1f}/s, deferred {:.1f}/s, returned {:.1f}/s",
                  number(overview, "accepted_per_second"), number(overview, "delivered_per_second"),
                  number(overview, "deferred_per_second"), number(overview, "returned_per_second")));
  const Json& tenants = json_member(overview, "tenants");
  if (tenants.is_array() && !tenants.empty()) {
    lines.emplace_back();
    lines.push_back(fmt::format("{:>10} {:>7}  TENANT", "RECIPIENTS", "ATTEMPTS"));
    constexpr std::size_t kTenants = 5;
    for (std::size_t i = 0; i < std::min(kTenants, tenants.size()); ++i) {
      const std::string name = json_text(tenants[i], "tenant");
      lines.push_back(fmt::format("{:>10} {:>8}  {}", json_text(tenants[i], "recipients"),
                                  json_text(tenants[i], "active"), name.empty() ? "(the relay itself)" : name));
    }
  }
  const Json& destinations = json_member(overview, "destinations");
  if (!destinations.is_array() || destinations.empty()) return lines;
  lines.emplace_back();
  lines.push_back(fmt::format("{:>10} {:>8} {:>6}  DOMAIN", "RECIPIENTS", "ATTEMPTS", "LIMIT"));
  for (const Json& destination : destinations) {
    const std::string why = standing(destination);
    lines.push_back(fmt::format("{:>10} {:>8} {:>6}  {}{}{}", json_text(destination, "recipients"),
                                json_text(destination, "active"), json_text(destination, "limit"),
                                json_text(destination, "domain"), why.empty() ? "" : "  ", why));
  }
  return lines;
}

Result<Json> overview_of(const AskRelay& ask, std::size_t rows) {
  auto lines = ask({{"command", "top"}, {"rows", rows}});
  if (!lines) return tl::unexpected(lines.error());
  if (lines->size() == 1) return std::move(lines->front());
  return fail(ErrorKind::Malformed, "the running waxwingd answers something else");
}

}  // namespace

std::string top_view(const Json& overview, const TerminalSize& size) {
  std::string view;
  std::size_t rows = size.rows;
  for (const std::string& line : lines_of(overview)) {
    if (rows-- == 0) break;
    view += printable(line, std::max(size.columns, kCutMark.size())) + "\n";
  }
  return view;
}

Result<void> show_top(const AskRelay& ask, Output& output) {
  const auto overview = overview_of(ask, kRowsOfOutput);
  if (!overview) return tl::unexpected(overview.error());
  output.add_object(*overview);
  std::string_view view;
  const std::string text = top_view(*overview, kWidePage);
  for (view = text; !view.empty(); view.remove_prefix(view.find('\n') + 1))
    output.add_line(view.substr(0, view.find('\n')));
  return {};
}

Result<void> watch_top(const AskRelay& ask, const std::function<TerminalSize()>& size,
                       const std::function<bool()>& pause, CliStreams streams) {
  do {
    const TerminalSize room = size();
    const auto overview = overview_of(ask, room.rows);
    if (!overview) return tl::unexpected(overview.error());
    streams.out << kClear << top_view(*overview, {room.columns, room.rows - 1}) << std::flush;
  } while (streams.out.good() && pause());
  return {};
}

bool is_terminal() {
  return ::isatty(STDOUT_FILENO) == 1;
}

TerminalSize terminal_size() {
  winsize size{};
  TerminalSize result;
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return result;
  if (size.ws_col > 0) result.columns = size.ws_col;
  if (size.ws_row > 1) result.rows = size.ws_row;
  return result;
}

}  // namespace waxwing
