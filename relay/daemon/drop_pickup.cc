#include "relay/daemon/drop_pickup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "relay/daemon/report_mail.h"
#include "relay/daemon/suppression_check.h"
#include "relay/server/drop_file.h"
#include "relay/server/envelope_rules.h"

namespace waxwing {
namespace {

constexpr std::size_t kPieceOctets = 65'536;
// Of the header, kept for a bounce.
constexpr std::size_t kMaxHeadOctets = 32'768;

ServerReply refuse_file(std::string text) {
  return {550, "5.6.0", {reply_text(text)}};
}

}  // namespace

// A file that is being taken in.
struct DropPickup::File {
  ~File() {
    if (descriptor >= 0) ::close(descriptor);
  }
  std::string name;
  int descriptor = -1;
  std::uint64_t content_octets = 0;
  ContentDecoder decoder{{BareLineEnds::Fix, LongLines::Fix, ContentFraming::Chunks}};
  std::shared_ptr<MessageIntake> intake;
  Envelope envelope;
  Account account;
  std::string head;  ///< how the content begins
};

DropPickup::DropPickup(IntakeServices& services, std::string directory)
    : services_(services),
      directory_(std::move(directory)),
      timer_(services.loop, [this] { look(); }),
      alive_(std::make_shared<bool>(true)) {
  rules_.name = "sendmail";
  rules_.bare_line_ends = ListenerConfig::BareLineEnds::Fix;
  timer_.start(Milliseconds(0));
}

DropPickup::~DropPickup() {
  *alive_ = false;
}

void DropPickup::stop() {
  stopped_ = true;
  timer_.stop();
  names_.clear();
}

void DropPickup::look() {
  if (stopped_) return;
  const MonotonicTime now = services_.loop.now();
  std::erase_if(deferred_, [now](const auto& item) { return item.second <= now; });
  std::error_code error;
  std::size_t seen = 0;
  for (std::filesystem::directory_iterator entry(directory_, error), end; !error && entry != end;
       entry.increment(error)) {
    std::string name = entry->path().filename().string();
    if (!is_drop_name(name)) continue;
    if (deferred_.contains(name)) continue;
    names_.push_back(std::move(name));
    if (++seen == kMaxDropFiles) break;
  }
  take_next();
}

void DropPickup::take_next() {
  if (stopped_) return;
  if (names_.empty()) return timer_.start(kDropInterval);
  const std::string name = std::move(names_.back());
  names_.pop_back();
  auto file = open(name);
  if (!file) return settle(name, file.error());
  read_on(*file);
}

// Whoever may write to the directory may put anything there: the owner of a file says for whom it is, so it must be a
// plain file with one name that says that it was made for this.
tl::expected<std::shared_ptr<DropPickup::File>, ServerReply> DropPickup::open(const std::string& name) const {
  auto file = std::make_shared<File>();
  file->name = name;
  file->descriptor = ::open((directory_ + "/" + name).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  struct stat status {};
  if (file->descriptor < 0 || ::fstat(file->descriptor, &status) != 0) {
    if (errno == ELOOP || errno == EACCES) return tl::unexpected(refuse_file("the file cannot be read by the relay"));
    return tl::unexpected(ServerReply{451, "4.3.0", {reply_text(std::generic_category().message(errno))}});
  }
  if (!S_ISREG(status.st_mode) || status.st_nlink != 1) return tl::unexpected(refuse_file("it is not a plain file"));
  std::string head(kMaxDropEnvelopeOctets, '\0');
  const ssize_t count = ::pread(file->descriptor, head.data(), head.size(), 0);
  if (count < 0) return tl::unexpected(ServerReply{451, "4.3.0", {"the file cannot be read"}});
  head.resize(static_cast<std::size_t>(count));
  auto envelope = parse_drop_envelope(name, head);
  if (!envelope) return tl::unexpected(refuse_file(envelope.error().detail));
  auto account = services_.reader.find_account_of(status.st_uid);
  if (!account) {
    const bool unknown = account.error().kind == ErrorKind::NotFound;
    return tl::unexpected(unknown ? ServerReply{550, "5.7.1", {fmt::format("uid {} has no account", status.st_uid)}}
                                  : ServerReply{451, "4.3.0", {"the accounts cannot be read now"}});
  }
  if (auto refusal = check_envelope(*account, envelope->envelope, kMaxDropRecipients))
    return tl::unexpected(std::move(*refusal));
  if (auto refusal = check_suppression(services_.reader, *account, envelope->envelope, services_.loop.wall_now()))
    return tl::unexpected(std::move(*refusal));
  if (auto full = services_.storage_check()) return tl::unexpected(std::move(*full));
  if (auto over = services_.limits.check(services_.reader, *account, services_.loop.wall_now()))
    return tl::unexpected(std::move(*over));
  if (::lseek(file->descriptor, static_cast<off_t>(envelope->octets), SEEK_SET) < 0)
    return tl::unexpected(ServerReply{451, "4.3.0", {"the file cannot be read"}});
  const auto loopback = IpAddress::parse("127.0.0.1");
  file->envelope = envelope->envelope;
  file->account = *account;
  file->intake = std::make_shared<MessageIntake>(
      services_, MessageIntake::Submission{std::move(envelope->envelope), std::move(*account), "localhost", *loopback,
                                           "", rules_});
  return file;
}

// A piece for each turn of the loop, so that others are served meanwhile.
void DropPickup::read_on(const std::shared_ptr<File>& file) {
  std::string piece(kPieceOctets, '\0');
  const ssize_t count = ::read(file->descriptor, piece.data(), piece.size());
  if (count < 0) return settle(file->name, ServerReply{451, "4.3.0", {"the file cannot be read"}});
  std::string content;
  const auto take = [&file, &content] {
    file->content_octets += content.size();
    file->head += content.substr(0, kMaxHeadOctets - std::min(kMaxHeadOctets, file->head.size()));
    if (!content.empty()) file->intake->feed(content);
  };
  if (count == 0) {
    file->decoder.finish(content);
    take();
    return finish(file);
  }
  file->decoder.decode(std::string_view(piece).substr(0, static_cast<std::size_t>(count)), content);
  take();
  if (file->content_octets > services_.config.max_message_octets)
    return refuse(file, ServerReply{552, "5.3.4", {"the message is too large"}});
  services_.loop.post([this, file, alive = alive_] {
    if (*alive) read_on(file);
  });
}

void DropPickup::finish(const std::shared_ptr<File>& file) {
  if (!file->decoder.flaw().empty()) return refuse(file, refuse_file(std::string(file->decoder.flaw())));
  std::exchange(file->intake, nullptr)
      ->finish([this, file, alive = alive_](const tl::expected<Acceptance, ServerReply>& answer) {
        if (!*alive) return;
        answer ? settle(file->name, std::nullopt) : refuse(file, answer.error());
      });
}

// Whoever called sendmail was told that the message is taken, and has gone: what becomes of it only a bounce can tell.
void DropPickup::refuse(const std::shared_ptr<File>& file, const ServerReply& refusal) {
  if (refusal.code >= 500) {
    const std::string header = file->head.substr(0, file->head.find("\r\n\r\n") + 2);
    report_refused(services_, {file->envelope, file->account, header, refusal});
  }
  settle(file->name, refusal);
}

void DropPickup::settle(const std::string& name, const std::optional<ServerReply>& refusal) {
  const std::string path = directory_ + "/" + name;
  deferred_.erase(name);
  if (!refusal) {
    ::unlink(path.c_str());
  } else {
    const bool for_good = refusal->code >= 500;
    if (for_good)
      ::rename(path.c_str(), (path + ".refused").c_str());
    else
      deferred_[name] = services_.loop.now() + kDropRetry;
    services_.log.write(for_good ? Severity::Error : Severity::Warning, for_good ? "drop_refused" : "drop_deferred",
                        {{"file", path}, {"reason", refusal->lines.front()}});
  }
  // Not deeper into the stack with each file.
  services_.loop.post([this, alive = alive_] {
    if (*alive) take_next();
  });
}

}  // namespace waxwing
