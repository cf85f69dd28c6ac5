#include "relay/cli/queue_commands.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>
#include <ranges>
#include <string_view>
#include <utility>

#include "relay/cli/json_text.h"
#include "relay/daemon/queued_content.h"
#include "relay/store/queue_reader.h"

namespace waxwing {
namespace {

using Json = nlohmann::json;

Json make_request(std::string_view command, const QueueSelection& selection) {
  Json request = {{"command", command}};
  if (!selection.id.empty()) request["id"] = selection.id;
  if (!selection.domain.empty()) request["domain"] = selection.domain;
  if (!selection.account.empty()) request["account"] = selection.account;
  if (!selection.tenant.empty()) request["tenant"] = selection.tenant;
  if (!selection.sender.empty()) request["sender"] = selection.sender;
  if (!selection.saying.empty()) request["saying"] = selection.saying;
  if (selection.older_than) request["older_than"] = std::to_string(selection.older_than->count());
  if (selection.all) request["all"] = true;
  if (selection.dry_run) request["dry_run"] = true;
  return request;
}

bool waits(const Json& recipient) {
  const std::string state = json_text(recipient, "state");
  return state == "queued" || state == "deferred" || state == "held";
}

std::string or_else(std::string text, std::string_view nothing) {
  return text.empty() ? std::string(nothing) : text;
}

std::string recipient_line(const Json& recipient) {
  std::string line = fmt::format("    {}  {}, attempts {}", json_text(recipient, "recipient"),
                                 json_text(recipient, "state"), json_text(recipient, "attempts"));
  if (const std::string next = json_text(recipient, "next_attempt"); !next.empty())
    line += fmt::format(", next {}", next);
  return line;
}

void print_recipient(const Json& recipient, Output& output) {
  output.add_line(recipient_line(recipient));
  if (const std::string reason = json_text(recipient, "reason"); !reason.empty()) output.add_line("        " + reason);
}

void print_report(const Json& report, Output& output) {
  for (const auto& [name, value] : report.items()) {
    const std::string text = json_text(report, name);
    if (!text.empty()) output.add_line(fmt::format("        {}: {}", name, text));
  }
}

void print_header(std::string_view header, Output& output) {
  output.add_line("  header:");
  while (!header.empty()) {
    const std::string_view line = header.substr(0, header.find("\r\n"));
    output.add_line(fmt::format("    {}", line));
    header.remove_prefix(std::min(header.size(), line.size() + 2));
  }
}

void print_message(const Json& message, Output& output) {
  output.add_line(json_text(message, "id"));
  output.add_line("  sender: " + or_else(json_text(message, "sender"), "<> (a report of the relay)"));
  for (const auto* name : {"message_id", "account", "tenant", "accepted", "expires", "size_octets"}) {
    output.add_line(fmt::format("  {}: {}", name, json_text(message, name)));
  }
  if (const std::string release = json_text(message, "release"); !release.empty())
    output.add_line("  release asked for: " + release);
  if (const Json& by = json_member(message, "deliver_by"); by.is_object()) {
    const bool returns = json_text(by, "mode") == "return";
    output.add_line(fmt::format("  deliver by: {}, else {}", json_text(by, "time"),
                                returns ? "it goes back" : "its sender is told"));
  }
  output.add_line("  recipients:");
  for (const Json& recipient : json_member(message, "recipients")) {
    print_recipient(recipient, output);
    if (const std::string status = json_text(recipient, "status"); !status.empty())
      output.add_line("        status: " + status);
    print_report(json_member(recipient, "report"), output);
  }
  print_header(json_text(message, "header"), output);
}

}  // namespace

Result<void> list_queue(const AskRelay& ask, const QueueSelection& selection, std::size_t limit, Output& output) {
  const auto lines = ask(make_request("queue list", selection));
  if (!lines) return tl::unexpected(lines.error());
  std::size_t messages = 0;
  std::string last_id;
  for (const Json& line : *lines) {
    if (!waits(line)) continue;
    const std::string id = json_text(line, "id");
    if (messages == 0 || id != last_id) {
      if (messages++ == limit) break;
      output.add_line(
          fmt::format("{}  from {}  {}", id, or_else(json_text(line, "sender"), "<>"), json_text(line, "message_id")));
    }
    last_id = id;
    output.add_object(line);
    print_recipient(line, output);
  }
  if (messages == 0) output.add_line("Nothing waits.");
  return {};
}

Result<void> show_message(const AskRelay& ask, const std::string& id, Output& output) {
  const auto lines = ask(make_request("queue show", {.id = id}));
  if (!lines) return tl::unexpected(lines.error());
  for (const Json& message : *lines) {
    output.add_object(message);
    print_message(message, output);
  }
  return {};
}

Result<void> list_queue_ids(const AskRelay& ask, std::size_t limit, Output& output) {
  const auto lines = ask(make_request("queue ids", {}));
  if (!lines) return tl::unexpected(lines.error());
  for (const Json& line : *lines | std::views::take(limit)) {
    output.add_object(line);
    output.add_line(json_text(line, "id"));
  }
  return {};
}

Result<void> retry_messages(const AskRelay& ask, const QueueSelection& selection, Output& output) {
  const auto lines = ask(make_request("queue retry", selection));
  if (!lines) return tl::unexpected(lines.error());
  for (const Json& line : *lines) {
    output.add_object(line);
    output.add_line(fmt::format("{}  recipients due now: {}", json_text(line, "id"), json_text(line, "retried")));
  }
  return {};
}

Result<void> hold_messages(const AskRelay& ask, const QueueSelection& selection, const std::string& reason,
                           Output& output) {
  Json request = make_request("queue hold", selection);
  request["reason"] = reason;
  const auto lines = ask(std::move(request));
  if (!lines) return tl::unexpected(lines.error());
  for (const Json& line : *lines) {
    output.add_object(line);
    output.add_line(fmt::format("{}  recipients held now: {}", json_text(line, "id"), json_text(line, "held")));
  }
  return {};
}

Result<void> release_messages(const AskRelay& ask, const QueueSelection& selection, const std::string& reason,
                              Output& output) {
  Json request = make_request("queue release", selection);
  if (!reason.empty()) request["reason"] = reason;
  const auto lines = ask(std::move(request));
  if (!lines) return tl::unexpected(lines.error());
  for (const Json& line : *lines) {
    output.add_object(line);
    output.add_line(fmt::format("{}  recipients released: {}", json_text(line, "id"), json_text(line, "released")));
  }
  return {};
}

Result<void> drop_messages(const AskRelay& ask, const QueueSelection& selection, const std::string& reason,
                           Output& output) {
  Json request = make_request("queue drop", selection);
  if (!reason.empty()) request["reason"] = reason;
  const auto lines = ask(std::move(request));
  if (!lines) return tl::unexpected(lines.error());
  for (const Json& line : *lines) {
    output.add_object(line);
    const bool removed = json_member(line, "removed") == Json(true);
    output.add_line(fmt::format("{}  recipients dropped: {}{}", json_text(line, "id"),
                                or_else(json_text(line, "dropped"), "all"), removed ? "" : "; others still wait"));
  }
  return {};
}

Result<void> export_message(const std::string& state_directory, const std::string& id_text, std::ostream& out) {
  const auto id = QueueId::parse(id_text);
  if (!id) return fail(ErrorKind::Malformed, fmt::format("\"{}\" is no queue id: {}", id_text, id.error().detail));
  auto reader = QueueReader::open(state_directory);
  if (!reader) return tl::unexpected(reader.error());
  auto message = reader->load(*id);
  if (!message) return tl::unexpected(message.error());
  auto content = QueuedContent::open(state_directory, std::move(*message));
  if (!content) return tl::unexpected(content.error());
  for (;;) {
    const auto piece = (*content)->next();
    if (!piece) return tl::unexpected(piece.error());
    if (piece->empty()) return {};
    out.write(piece->data(), static_cast<std::streamsize>(piece->size()));
  }
}

}  // namespace waxwing
