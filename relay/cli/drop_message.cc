#include "relay/cli/drop_message.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>

#include "relay/server/drop_file.h"

namespace waxwing {
namespace {

tl::unexpected<Error> failure(const std::string& path, int number) {
  const ErrorKind kind = number == ENOENT                       ? ErrorKind::NotFound
                         : number == EACCES || number == EPERM  ? ErrorKind::Denied
                         : number == ENOSPC || number == EDQUOT ? ErrorKind::Exhausted
                                                                : ErrorKind::Unavailable;
  return fail(kind, fmt::format("{}: {}", path, std::generic_category().message(number)));
}

bool write_all(int descriptor, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t written = ::write(descriptor, octets.data(), octets.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    octets.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

void sync_directory(const std::string& directory) {
  // Whoever may write there need not be allowed to read it, and then cannot sync it; the file itself is synced.
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

// Readable for the relay, which has no right to read what it does not own; the name keeps others away.
Result<void> write_file(const std::string& directory, const std::string& name, std::string_view head,
                        std::string_view content) {
  const std::string path = directory + "/" + name;
  const std::string unfinished = path + ".part";
  const int descriptor = ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return failure(directory, errno);
  const bool written = write_all(descriptor, head) && write_all(descriptor, content) &&
                       ::fchmod(descriptor, 0644) == 0 && ::fsync(descriptor) == 0;
  const int number = errno;
  ::close(descriptor);
  if (written && ::rename(unfinished.c_str(), path.c_str()) == 0) {
    sync_directory(directory);
    return {};
  }
  const int last = written ? errno : number;
  ::unlink(unfinished.c_str());
  return failure(unfinished, last);
}

}  // namespace

std::string mail_command_of(const LocalMessage& message, const SendmailArguments& arguments) {
  std::string command = fmt::format("MAIL FROM:<{}>", message.sender);
  if (message.body_8bit) command += " BODY=8BITMIME";
  if (message.smtputf8) command += " SMTPUTF8";
  if (!arguments.returned_content.empty()) command += " RET=" + arguments.returned_content;
  if (!arguments.envelope_id.empty()) command += " ENVID=" + arguments.envelope_id;
  return command + "\r\n";
}

std::string rcpt_command_of(const std::string& recipient, const SendmailArguments& arguments) {
  std::string command = fmt::format("RCPT TO:<{}>", recipient);
  if (!arguments.notify.empty()) command += " NOTIFY=" + arguments.notify;
  return command + "\r\n";
}

Result<void> drop_message(const std::string& directory, const LocalMessage& message, const SendmailArguments& arguments,
                          std::size_t first) {
  while (first < message.recipients.size()) {
    const std::size_t end = std::min(first + kMaxDropRecipients, message.recipients.size());
    const auto name = make_drop_name();
    if (!name) return tl::unexpected(name.error());
    std::string head = drop_file_mark(*name) + mail_command_of(message, arguments);
    for (; first < end; ++first) head += rcpt_command_of(message.recipients[first], arguments);
    if (auto written = write_file(directory, *name, head + "DATA\r\n", message.content); !written) return written;
  }
  return {};
}

}  // namespace waxwing
