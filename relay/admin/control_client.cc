#include "relay/admin/control_client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "relay/admin/control_protocol.h"
#include "relay/store/password.h"
#include "relay/store/sqlite_queue_store.h"

namespace waxwing {
namespace {

using Json = nlohmann::json;

constexpr int kAnswerTimeoutSeconds = 60;

// One exchange: appends the lines of the answer and returns its end.
using Ask = std::function<Result<ReplyEnd>(const Json& request, std::vector<Json>& lines)>;

class UnixSocket {
 public:
  UnixSocket() : descriptor_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval timeout{kAnswerTimeoutSeconds, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  }
  ~UnixSocket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  UnixSocket(const UnixSocket&) = delete;
  UnixSocket& operator=(const UnixSocket&) = delete;

  // 0, or errno.
  [[nodiscard]] int connect(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (descriptor_ < 0) return errno;
    if (path.size() >= sizeof address.sun_path) return ENAMETOOLONG;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
  }

  [[nodiscard]] bool send(std::string_view octets) {
    while (!octets.empty()) {
      const ssize_t sent = ::send(descriptor_, octets.data(), octets.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return false;
      octets.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // Next line without its end; no value when the stream is over, too slow, or the line too long.
  [[nodiscard]] std::optional<std::string> read_line() {
    std::size_t end = buffer_.find('\n');
    while (end == std::string::npos) {
      if (buffer_.size() > kMaxReplyLineOctets) return std::nullopt;
      const std::size_t searched = buffer_.size();
      buffer_.resize(searched + kReadOctets);
      const ssize_t received = ::recv(descriptor_, buffer_.data() + searched, kReadOctets, 0);
      buffer_.resize(searched + static_cast<std::size_t>(std::max<ssize_t>(received, 0)));
      if (received < 0 && errno == EINTR) continue;
      if (received <= 0) return std::nullopt;
      end = buffer_.find('\n', searched);
    }
    std::string line = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    return line;
  }

 private:
  static constexpr std::size_t kReadOctets = 65'536;
  int descriptor_;
  std::string buffer_;
};

std::string dumped(const Json& request) {
  return request.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<ReplyEnd> ask_relay(UnixSocket& socket, const Json& request, std::vector<Json>& lines) {
  const auto silent = [] {
    return fail(ErrorKind::Unavailable, "the running waxwingd does not answer on its control socket; see its log");
  };
  const std::string text = dumped(request);
  if (text.size() > kMaxRequestOctets) return fail(ErrorKind::Malformed, "the request is longer than 1 MiB");
  if (!socket.send(text)) return silent();
  for (;;) {
    const auto line = socket.read_line();
    if (!line) return silent();
    Json object = Json::parse(*line, nullptr, false);
    if (!object.is_object())
      return fail(ErrorKind::Malformed, "the running waxwingd answers with something else than JSON");
    if (auto end = parse_reply_end(object)) return std::move(*end);
    if (lines.size() >= kMaxAdminLines) return fail(ErrorKind::Exhausted, "the answer is too long; narrow the command");
    lines.push_back(std::move(object));
  }
}

Result<ReplyEnd> ask_store(SqliteQueueStore& store, const Json& request, std::vector<Json>& lines) {
  const WallTime now = std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
  if (auto begun = store.begin(); !begun) return tl::unexpected(std::move(begun.error()));
  auto reply = run_admin_command(request, store, now);
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
  const int connected = UnixSocket().connect(path);
  if (connected == 0) {
    return Ask([path](const Json& request, std::vector<Json>& lines) -> Result<ReplyEnd> {
      UnixSocket socket;
      if (socket.connect(path) != 0) return fail(ErrorKind::Unavailable, "waxwingd went away during the command");
      return ask_relay(socket, request, lines);
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
