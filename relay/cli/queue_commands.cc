#include "relay/cli/queue_commands.h"

#include <fmt/format.h>

#include <map>
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

Json make_request(std::string_view command, const QueueSelection& selection, const std::string& reason = {}) {
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
  if (!reason.empty()) request["reason"] = reason;
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

// Domains whose mail waits for more than its time, by name; empty when no relay runs.
std::map<std::string, Json> domains_held_back(const AskRelay& ask) {
  std::map<std::string, Json> domains;
  const auto lines = ask({{"command", "destinations"}});
  if (!lines) return domains;  // of a relay of another version
  for (const Json& line : *lines) domains[json_text(line, "domain")] = line;
  return domains;
}

// Adds `waits_for` to a recipient: null, or what keeps it from being tried whatever its time is.
void add_wait(Json& recipient, const std::map<std::string, Json>& held_back) {
  if (!recipient.is_object()) return;
  recipient["waits_for"] = nullptr;
  const std::string address = json_text(recipient, "recipient");
  const auto known = held_back.find(address.substr(address.rfind('@') + 1));
  if (known == held_back.end() || json_text(recipient, "state") == "held" || !waits(recipient)) return;
  const Json& paused = json_member(known->second, "paused_until");
  recipient["waits_for"] = paused.is_string() ? Json{{"paused_until", paused}}
                                              : Json{{"attempts_under_way", json_member(known->second, "active")}};
}

std::string wait_sentence(const Json& wait) {
  const std::string until = json_text(wait, "paused_until");
  if (!until.empty()) return fmt::format("its domain is paused until {}", until);
  const std::string attempts = json_text(wait, "attempts_under_way");
  return fmt::format("its domain is at its limit of attempts under way: {}", attempts);
}

void print_recipient(const Json& recipient, Output& output) {
  output.add_line(recipient_line(recipient));
  if (const Json& wait = json_member(recipient, "waits_for"); wait.is_object())
    output.add_line("        " + wait_sentence(wait));
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
  const std::map<std::string, Json> held_back = lines->empty() ? std::map<std::string, Json>() : domains_held_back(ask);
  std::size_t messages = 0;
  std::string last_id;
  for (Json line : *lines) {
    if (!waits(line)) continue;
    const std::string id = json_text(line, "id");
    if (messages == 0 || id != last_id) {
      if (messages++ == limit) break;
      output.add_line(
          fmt::format("{}  from {}  {}", id, or_else(json_text(line, "sender"), "<>"), json_text(line, "message_id")));
    }
    last_id = id;
    add_wait(line, held_back);
    output.add_object(line);
    print_recipient(line, output);
  }
  if (messages == 0) output.add_line("Nothing waits.");
  return {};
}

Result<void> show_message(const AskRelay& ask, const std::string& id, Output& output) {
  const auto lines = ask(make_request("queue show", {.id = id}));
  if (!lines) return tl::unexpected(lines.error());
  const std::map<std::string, Json> held_back = domains_held_back(ask);
  for (Json message : *lines) {
    const bool has_recipients = json_member(message, "recipients").is_array();
    if (has_recipients)
      for (Json& recipient : message["recipients"]) add_wait(recipient, held_back);
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

Result<void> retry_messages(const AskRelay& ask, const QueueSelection& selection, const std::string& reason,
                            Output& output) {
  const auto lines = ask(make_request("queue retry", selection, reason));
  if (!lines) return tl::unexpected(lines.error());
  for (const Json& line : *lines) {
    output.add_object(line);
    output.add_line(fmt::format("{}  recipients due now: {}", json_text(line, "id"), json_text(line, "retried")));
  }
  return {};
}

Result<void> hold_messages(const AskRelay& ask, const QueueSelection& selection, const std::string& reason,
                           Output& output) {
  const auto lines = ask(make_request("queue hold", selection, reason));
  if (!lines) return tl::unexpected(lines.error());
  for (const Json& line : *lines) {
    output.add_object(line);
    output.add_line(fmt::format("{}  recipients held now: {}", json_text(line, "id"), json_text(line, "held")));
  }
  return {};
}

Result<void> release_messages(const AskRelay& ask, const QueueSelection& selection, const std::string& reason,
                              Output& output) {
  const auto lines = ask(make_request("queue release", selection, reason));
  if (!lines) return tl::unexpected(lines.error());
  for (const Json& line : *lines) {
    output.add_object(line);
    output.add_line(fmt::format("{}  recipients released: {}", json_text(line, "id"), json_text(line, "released")));
  }
  return {};
}

Result<void> bounce_messages(const AskRelay& ask, const QueueSelection& selection, const std::string& reason,
                             Output& output) {
  const auto lines = ask(make_request("queue bounce", selection, reason));
  if (!lines) return tl::unexpected(lines.error());
  for (const Json& line : *lines) {
    output.add_object(line);
    const bool removed = json_member(line, "removed") == Json(true);
    output.add_line(fmt::format("{}  recipients returned: {}, reports: {}{}", json_text(line, "id"),
                                json_text(line, "bounced"), json_text(line, "reports"),
                                removed ? "" : "; others still wait"));
  }
  return {};
}

Result<void> drop_messages(const AskRelay& ask, const QueueSelection& selection, const std::string& reason,
                           Output& output) {
  const auto lines = ask(make_request("queue drop", selection, reason));
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
