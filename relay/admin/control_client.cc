#include "relay/admin/control_client.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "relay/admin/control_protocol.h"
#include "relay/admin/live_commands.h"
#include "relay/admin/request_socket.h"
#include "relay/store/password.h"
#include "relay/store/sqlite_queue_store.h"

namespace waxwing {
namespace {

using Json = nlohmann::json;

// One exchange: appends the lines of the answer and returns its end.
using Ask = std::function<Result<ReplyEnd>(const Json& request, std::vector<Json>& lines)>;

// Without a relay nothing is under way, and nothing held back.
Result<ReplyEnd> answer_for_nobody(const Json& request) {
  if (request.value("command", "") == "destinations") return ReplyEnd{};
  return fail(ErrorKind::Unavailable, "no waxwingd runs; start it");
}

Result<ReplyEnd> ask_store(SqliteQueueStore& store, const Json& request, std::vector<Json>& lines) {
  if (is_live_command(request)) return answer_for_nobody(request);
  const WallTime now = std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
  if (auto begun = store.begin(); !begun) return tl::unexpected(std::move(begun.error()));
  auto reply = run_admin_command(request, store, now, {::getuid(), {}});
  if (!reply) return tl::unexpected(std::move(reply.error()));  // closing the store undoes the batch
  if (auto committed = store.commit(); !committed) return tl::unexpected(std::move(committed.error()));
  if (lines.size() + reply->lines.size() > kMaxAdminLines) {
    return fail(ErrorKind::Exhausted, "the answer is too long; narrow the command");
  }
  for (const std::string& line : reply->lines) lines.push_back(Json::parse(line, nullptr, false));
  ReplyEnd end;
  if (reply->next) end.next = reply->next->str();
  return end;
}

// Whom to ask: the relay when it listens, else the store.
Result<Ask> choose(const std::string& run_directory, const std::string& state_directory) {
  const std::string path = control_socket_path(run_directory);
  const int connected = RequestSocket().connect(path);
  if (connected == 0) {
    return Ask([path](const Json& request, std::vector<Json>& lines) -> Result<ReplyEnd> {
      RequestSocket socket;
      if (socket.connect(path) != 0) return fail(ErrorKind::Unavailable, "waxwingd went away during the command");
      return socket.ask(request, lines);
    });
  }
  if (connected != ENOENT && connected != ECONNREFUSED) {
    return fail(connected == EACCES || connected == EPERM ? ErrorKind::Denied : ErrorKind::Unavailable,
                fmt::format("cannot connect to {}: {}; run the command as root or as the user of waxwingd", path,
                            std::generic_category().message(connected)));
  }
  struct stat status {};
  if (::stat(state_directory.c_str(), &status) != 0 && errno == ENOENT) {
    return fail(
        ErrorKind::NotFound,
        fmt::format("no waxwingd listens in {}, and there is no state directory {}; start waxwingd, or name its "
                    "configuration file",
                    run_directory, state_directory));
  }
  auto store = SqliteQueueStore::open(state_directory);
  if (!store) return tl::unexpected(std::move(store.error()));
  return Ask([store = std::shared_ptr<SqliteQueueStore>(std::move(*store))](
                 const Json& request, std::vector<Json>& lines) { return ask_store(*store, request, lines); });
}

Result<void> hash_password_member(Json& request) {
  const auto password = request.find("password");
  if (password == request.end()) return {};
  if (!password->is_string()) return fail(ErrorKind::Malformed, "\"password\" is not a text");
  auto hash = hash_password(password->get_ref<const std::string&>());
  if (!hash) return tl::unexpected(std::move(hash.error()));
  request.erase(password);
  request["password_hash"] = std::move(*hash);
  return {};
}

}  // namespace

Result<std::vector<Json>> run_admin(const std::string& run_directory, const std::string& state_directory,
                                    Json request) {
  if (!request.is_object()) return fail(ErrorKind::Malformed, "a request is a JSON object");
  if (auto hashed = hash_password_member(request); !hashed) return tl::unexpected(std::move(hashed.error()));
  const auto ask = choose(run_directory, state_directory);
  if (!ask) return tl::unexpected(ask.error());
  std::vector<Json> lines;
  for (;;) {
    auto end = (*ask)(request, lines);
    if (!end) return tl::unexpected(std::move(end.error()));
    if (end->error) return tl::unexpected(std::move(*end->error));
    if (!end->next) return lines;
    request["after"] = *end->next;
  }
}

}  // namespace waxwing
