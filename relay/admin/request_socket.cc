#include "relay/admin/request_socket.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <utility>

namespace waxwing {
namespace {

using Json = nlohmann::json;

constexpr int kAnswerTimeoutSeconds = 60;
constexpr std::size_t kReadOctets = 65'536;

}  // namespace

RequestSocket::RequestSocket() : descriptor_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const timeval timeout{kAnswerTimeoutSeconds, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
}

RequestSocket::~RequestSocket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

int RequestSocket::connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (descriptor_ < 0) return errno;
  if (path.size() >= sizeof address.sun_path) return ENAMETOOLONG;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

bool RequestSocket::send(std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t sent = ::send(descriptor_, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    octets.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// Next line without its end; no value when the stream is over, too slow, or the line too long.
std::optional<std::string> RequestSocket::read_line() {
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

Result<ReplyEnd> RequestSocket::ask(const Json& request, std::vector<Json>& lines) {
  const auto silent = [] {
    return fail(ErrorKind::Unavailable, "the running waxwingd does not answer on its control socket; see its log");
  };
  const std::string text = request.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  if (text.size() > kMaxRequestOctets) return fail(ErrorKind::Malformed, "the request is longer than 1 MiB");
  // Who is refused may have been answered before the request was written.
  (void)send(text);
  for (;;) {
    const auto line = read_line();
    if (!line) return silent();
    Json object = Json::parse(*line, nullptr, false);
    if (!object.is_object())
      return fail(ErrorKind::Malformed, "the running waxwingd answers with something else than JSON");
    if (auto end = parse_reply_end(object)) return std::move(*end);
    if (lines.size() >= kMaxAdminLines) return fail(ErrorKind::Exhausted, "the answer is too long; narrow the command");
    lines.push_back(std::move(object));
  }
}

}  // namespace waxwing
