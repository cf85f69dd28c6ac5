#include "relay/cli/local_submission.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "relay/cli/drop_message.h"
#include "relay/observe/escape.h"

namespace waxwing {
namespace {

constexpr timeval kReplyTimeout{300, 0};
constexpr std::size_t kMaxReplyOctets = 65'536;
constexpr std::size_t kDefaultRecipients = 100;  // RFC 5321 §4.5.3.1.8
constexpr std::size_t kPieceOctets = 65'536;

struct Descriptor {
  explicit Descriptor(int its_number) : number(its_number) {}
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
  Descriptor(Descriptor&& other) noexcept : number(std::exchange(other.number, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  int number;
};

tl::unexpected<LocalRefusal> not_now(std::string sentence) {
  return tl::unexpected(LocalRefusal{EX_TEMPFAIL, std::move(sentence), true});
}

tl::expected<Descriptor, LocalRefusal> connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return not_now(path + " is too long for a socket");
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  Descriptor descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (descriptor.number < 0 ||
      ::connect(descriptor.number, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return not_now(fmt::format("{}: {}", path, std::generic_category().message(errno)));
  (void)::setsockopt(descriptor.number, SOL_SOCKET, SO_RCVTIMEO, &kReplyTimeout, sizeof kReplyTimeout);
  (void)::setsockopt(descriptor.number, SOL_SOCKET, SO_SNDTIMEO, &kReplyTimeout, sizeof kReplyTimeout);
  return descriptor;
}

struct Reply {
  int code = 0;
  std::vector<std::string> lines;  ///< without code

  [[nodiscard]] std::string text() const { return fmt::format("{} {}", code, printable(lines.back())); }
};

// The client side of a dialogue with a server that is trusted as far as this user's own mail goes.
class Dialogue {
 public:
  explicit Dialogue(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  [[nodiscard]] bool send(std::string_view octets) {
    while (!octets.empty()) {
      const ssize_t sent =
          ::send(descriptor_.number, octets.data(), std::min(octets.size(), kPieceOctets), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return false;
      octets.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  [[nodiscard]] std::optional<Reply> read() {
    Reply reply;
    std::size_t octets = 0;
    while (true) {
      const auto line = read_line();
      if (!line || line->size() < 3 || (octets += line->size()) > kMaxReplyOctets) return std::nullopt;
      const auto [end, error] = std::from_chars(line->data(), line->data() + 3, reply.code);
      if (error != std::errc() || end != line->data() + 3) return std::nullopt;
      reply.lines.push_back(line->size() > 4 ? line->substr(4) : std::string());
      if (line->size() == 3 || (*line)[3] == ' ') return reply;
    }
  }

  [[nodiscard]] std::optional<Reply> ask(std::string_view command) { return send(command) ? read() : std::nullopt; }

 private:
  std::optional<std::string> read_line() {
    while (true) {
      const std::size_t end = input_.find("\r\n");
      if (end != std::string::npos) {
        std::string line = input_.substr(0, end);
        input_.erase(0, end + 2);
        return line;
      }
      if (input_.size() > kMaxReplyOctets) return std::nullopt;
      std::array<char, 4'096> buffer{};
      const ssize_t count = ::recv(descriptor_.number, buffer.data(), buffer.size(), 0);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return std::nullopt;
      input_.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }

  Descriptor descriptor_;
  std::string input_;
};

LocalRefusal refusal_of(const Reply& reply, int permanent_status) {
  // What the relay cannot do now passes; what it does not allow this user now is told.
  const std::string& text = reply.lines.back();
  const bool ours = reply.code == 421 || text.starts_with("4.3.");
  if (reply.code < 500) return {EX_TEMPFAIL, reply.text(), ours};
  const bool denied = reply.code == 530 || text.starts_with("5.7.");
  return {denied ? EX_NOPERM : permanent_status, reply.text(), false};
}

std::size_t recipient_limit(const Reply& ehlo) {
  constexpr std::string_view kWord = "RCPTMAX=";
  for (const std::string& line : ehlo.lines) {
    const std::size_t at = line.starts_with("LIMITS ") ? line.find(kWord) : std::string::npos;
    if (at == std::string::npos) continue;
    std::size_t limit = 0;
    const char* begin = line.data() + at + kWord.size();
    std::from_chars(begin, line.data() + line.size(), limit);
    if (limit > 0) return limit;
  }
  return kDefaultRecipients;
}

tl::expected<void, LocalRefusal> submit_some(Dialogue& dialogue, const LocalMessage& message,
                                             const SendmailArguments& arguments, std::size_t first, std::size_t end) {
  const auto lost = [] { return not_now("the relay hung up"); };
  const auto expect = [&](const std::optional<Reply>& reply, int status) -> tl::expected<void, LocalRefusal> {
    if (!reply) return lost();
    if (reply->code != 250) return tl::unexpected(refusal_of(*reply, status));
    return {};
  };
  if (auto good = expect(dialogue.ask(mail_command_of(message, arguments)), EX_UNAVAILABLE); !good) return good;
  for (std::size_t i = first; i < end; ++i) {
    auto good = expect(dialogue.ask(rcpt_command_of(message.recipients[i], arguments)), EX_NOUSER);
    if (!good) return good;
  }
  const std::string chunk = fmt::format("BDAT {} LAST\r\n", message.content.size());
  if (!dialogue.send(chunk) || !dialogue.send(message.content)) return lost();
  return expect(dialogue.read(), EX_DATAERR);
}

}  // namespace

tl::expected<void, LocalRefusal> submit_locally(const std::string& socket_path, const LocalMessage& message,
                                                const SendmailArguments& arguments, std::size_t& first) {
  auto descriptor = connect_to(socket_path);
  if (!descriptor) return tl::unexpected(std::move(descriptor.error()));
  Dialogue dialogue(std::move(*descriptor));
  const auto banner = dialogue.read();
  if (!banner) return not_now("the relay hung up");
  if (banner->code != 220) return tl::unexpected(refusal_of(*banner, EX_UNAVAILABLE));
  const auto ehlo = dialogue.ask("EHLO localhost\r\n");
  if (!ehlo || ehlo->code != 250) return not_now("the relay does not greet");
  const std::size_t most = recipient_limit(*ehlo);
  while (first < message.recipients.size()) {
    const std::size_t end = std::min(first + most, message.recipients.size());
    if (auto done = submit_some(dialogue, message, arguments, first, end); !done) return done;
    first = end;
  }
  (void)dialogue.ask("QUIT\r\n");
  return {};
}

tl::expected<void, LocalRefusal> relay_dialogue(const std::string& socket_path) {
  auto descriptor = connect_to(socket_path);
  if (!descriptor) return tl::unexpected(std::move(descriptor.error()));
  std::array<pollfd, 2> watched = {pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{descriptor->number, POLLIN, 0}};
  std::array<char, kPieceOctets> buffer{};
  const auto copy = [&buffer](int from, int to) {
    const ssize_t count = ::read(from, buffer.data(), buffer.size());
    if (count <= 0) return false;
    for (ssize_t sent = 0; sent < count;) {
      const ssize_t piece = ::write(to, buffer.data() + sent, static_cast<std::size_t>(count - sent));
      if (piece <= 0) return false;
      sent += piece;
    }
    return true;
  };
  while (true) {
    if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) return not_now("the dialogue cannot go on");
    if (watched[1].revents != 0 && !copy(descriptor->number, STDOUT_FILENO)) return {};
    if (watched[0].fd >= 0 && watched[0].revents != 0 && !copy(STDIN_FILENO, descriptor->number)) {
      ::shutdown(descriptor->number, SHUT_WR);
      watched[0].fd = -1;  // what the relay still says goes out
    }
  }
}

}  // namespace waxwing
