#include "relay/signing/signer_server.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace waxwing {
namespace {

constexpr std::size_t kReadOctets = 65'536;
constexpr int kBacklog = 128;
constexpr std::size_t kMaxAnswersTogether = 4;
constexpr mode_t kSocketMode = 0666;

MonotonicTime monotonic_now() {
  return std::chrono::time_point_cast<Milliseconds>(std::chrono::steady_clock::now());
}

bool send_all(int descriptor, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t count = ::send(descriptor, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    octets.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

bool somebody_listens(const sockaddr_un& address) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool listens = probe >= 0 && ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (probe >= 0) ::close(probe);
  return listens;
}

}  // namespace

Result<int> bind_signer_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail(ErrorKind::Malformed, fmt::format("the path '{}' is too long for a socket", path));
  std::memcpy(address.sun_path, path.data(), path.size());
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) {
    if (somebody_listens(address))
      return fail(ErrorKind::Conflict, fmt::format("another process listens on '{}'; stop it first", path));
    ::unlink(path.c_str());
  }
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor >= 0 && ::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::chmod(path.c_str(), kSocketMode) == 0 && ::listen(descriptor, kBacklog) == 0) {
    return descriptor;
  }
  const int error = errno;
  if (descriptor >= 0) ::close(descriptor);
  return fail(error == ENOENT ? ErrorKind::NotFound : ErrorKind::Denied,
              fmt::format("cannot listen on '{}': {}; the folder must exist and belong to the signer's user", path,
                          std::system_category().message(error)));
}

SignerServer::~SignerServer() {
  for (Connection& connection : connections_) ::shutdown(connection.descriptor, SHUT_RDWR);
  for (Connection& connection : connections_) {
    connection.thread.join();
    ::close(connection.descriptor);
  }
}

void SignerServer::reap() {
  for (auto it = connections_.begin(); it != connections_.end();) {
    if (!it->ended) {
      ++it;
      continue;
    }
    it->thread.join();
    ::close(it->descriptor);
    it = connections_.erase(it);
  }
}

bool SignerServer::may_ask(int descriptor) const {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  if (peer.uid == 0 || peer.uid == relay_user_ || peer.uid == ::geteuid()) return true;
  log_.write(Severity::Warning, "signer_peer_refused",
             {{"uid", static_cast<std::int64_t>(peer.uid)},
              {"pid", static_cast<std::int64_t>(peer.pid)},
              {"reason", "only the user that signer.relay_user names may ask for signatures"}});
  return false;
}

void SignerServer::accept_from(int listener) {
  reap();
  const int descriptor = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (descriptor < 0) return;
  const timeval read_timeout{kIdleTimeout.count(), 0};
  const timeval write_timeout{kWriteTimeout.count(), 0};
  (void)::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &read_timeout, sizeof read_timeout);
  (void)::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &write_timeout, sizeof write_timeout);
  const bool is_full = connections_.size() >= kMaxConnections;
  if (is_full) {
    log_refusal({"", {ErrorKind::Exhausted, fmt::format("there are {} connections already", kMaxConnections)}});
  }
  if (is_full || !may_ask(descriptor)) {
    ::close(descriptor);
    return;
  }
  Connection& connection = connections_.emplace_back();
  connection.descriptor = descriptor;
  connection.thread = std::thread([this, &connection] {
    serve(connection.descriptor);
    ::shutdown(connection.descriptor, SHUT_RDWR);
    connection.ended = true;
  });
}

void SignerServer::serve(int descriptor) {
  SigningSession session(service_);
  std::string buffer(kReadOctets, '\0');
  while (!session.is_over()) {
    const ssize_t count = ::recv(descriptor, buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    session.append(std::string_view(buffer).substr(0, static_cast<std::size_t>(count)));
    // Who asked for several things at once waits for all, and is woken once.
    std::string answers;
    std::size_t together = 0;
    while (const auto answer = session.next(monotonic_now())) {
      for (const Refusal& refusal : session.take_refusals()) log_refusal(refusal);
      answers += *answer;
      if (++together < kMaxAnswersTogether) continue;
      if (!send_all(descriptor, answers)) return;
      answers.clear();
      together = 0;
    }
    if (!send_all(descriptor, answers)) return;
  }
}

// A flood must not fill the disk of the log.
void SignerServer::log_refusal(const Refusal& refusal) {
  const std::lock_guard lock(refusals_mutex_);
  const MonotonicTime now = monotonic_now();
  if (now - refusals_since_ >= Seconds(1)) {
    if (refusals_dropped_ > 0)
      log_.write(Severity::Warning, "signer_refusals_not_logged", {{"count", refusals_dropped_}});
    refusals_since_ = now;
    refusals_logged_ = 0;
    refusals_dropped_ = 0;
  }
  if (refusals_logged_ >= kMaxRefusalsLogged) {
    ++refusals_dropped_;
    return;
  }
  ++refusals_logged_;
  log_.write(Severity::Warning, "signature_refused", {{"domain", refusal.domain}, {"reason", refusal.error.detail}});
}

}  // namespace waxwing
