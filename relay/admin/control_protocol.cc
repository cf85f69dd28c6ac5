#include "relay/admin/control_protocol.h"

#include <sysexits.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

namespace waxwing {
namespace {

struct KindStatus {
  ErrorKind kind;
  int status;
};

// One status for each kind, so that the kind can be told from it.
constexpr std::array<KindStatus, 7> kStatuses{{{ErrorKind::Malformed, EX_DATAERR},
                                               {ErrorKind::NotFound, EX_NOINPUT},
                                               {ErrorKind::Conflict, EX_CANTCREAT},
                                               {ErrorKind::Denied, EX_NOPERM},
                                               {ErrorKind::Unavailable, EX_UNAVAILABLE},
                                               {ErrorKind::Exhausted, EX_TEMPFAIL},
                                               {ErrorKind::Corrupt, EX_IOERR}}};

int status_of(ErrorKind kind) {
  return std::ranges::find(kStatuses, kind, &KindStatus::kind)->status;
}

ErrorKind kind_of(std::int64_t status) {
  const auto* known = std::ranges::find(kStatuses, status, &KindStatus::status);
  return known == kStatuses.end() ? ErrorKind::Unavailable : known->kind;
}

}  // namespace

std::string control_socket_path(const std::string& run_directory) {
  return run_directory + "/control";
}

Result<nlohmann::json> parse_request(std::string_view line) {
  auto request = nlohmann::json::parse(line, nullptr, false);
  if (!request.is_object()) return fail(ErrorKind::Malformed, "a request is a JSON object on one line");
  return request;
}

std::string reply_text(const Result<AdminReply>& reply) {
  nlohmann::ordered_json end{{"done", true}, {"exit", EX_OK}};
  std::string text;
  if (reply) {
    text.reserve(reply->octets + reply->lines.size() + 128);
    for (const std::string& line : reply->lines) text.append(line).push_back('\n');
    if (reply->next) end["next"] = reply->next->str();
  } else {
    end["exit"] = status_of(reply.error().kind);
    end["error"] = reply.error().detail;
  }
  return text + end.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::optional<ReplyEnd> parse_reply_end(const nlohmann::json& line) {
  if (!line.is_object() || !line.contains("done") || line["done"] != true) return std::nullopt;
  const auto text = [&](const char* name) {
    const auto member = line.find(name);
    return member != line.end() && member->is_string() ? member->get<std::string>() : std::string();
  };
  const auto exit = line.find("exit");
  const std::int64_t status = exit != line.end() && exit->is_number_integer() ? exit->get<std::int64_t>() : EX_SOFTWARE;
  ReplyEnd end;
  if (status != EX_OK) end.error = Error{kind_of(status), text("error")};
  if (const std::string next = text("next"); !next.empty()) end.next = next;
  return end;
}

}  // namespace waxwing
