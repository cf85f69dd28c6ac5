#include "relay/cli/password_input.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <system_error>
#include <utility>

#include "relay/signing/hidden_typing.h"

namespace waxwing {
namespace {

Result<Secret> first_line(std::string_view octets) {
  std::string_view line = octets.substr(0, octets.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) return fail(ErrorKind::Malformed, "the password is empty; write it on the first line");
  if (line.size() > kMaxPasswordInputOctets) return fail(ErrorKind::Malformed, "the password is too long");
  return Secret(line);
}

Result<Secret> read_from_file(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    const auto kind = errno == ENOENT   ? ErrorKind::NotFound
                      : errno == EACCES ? ErrorKind::Denied
                                        : ErrorKind::Unavailable;
    return fail(kind,
                fmt::format("the password file {} cannot be read: {}", path, std::generic_category().message(errno)));
  }
  Secret buffer = Secret::zeros(kMaxPasswordInputOctets + 2);
  std::size_t size = 0;
  ssize_t count = 0;
  while (size < buffer.size() && (count = ::read(descriptor, buffer.writable() + size, buffer.size() - size)) > 0) {
    size += static_cast<std::size_t>(count);
  }
  ::close(descriptor);
  if (count < 0) return fail(ErrorKind::Unavailable, fmt::format("the password file {} cannot be read", path));
  return first_line(buffer.reveal().substr(0, size));
}

Result<Secret> read_from_stream(std::istream& in) {
  Secret buffer = Secret::zeros(kMaxPasswordInputOctets + 2);
  in.getline(buffer.writable(), static_cast<std::streamsize>(buffer.size()));
  const bool too_long = in.fail() && in.gcount() + 1 == static_cast<std::streamsize>(buffer.size());
  if (too_long) return fail(ErrorKind::Malformed, "the password is too long");
  const auto size = static_cast<std::size_t>(in.gcount());
  // gcount() counts the line feed that getline() took, in whose place it wrote a zero; zeros inside are kept.
  return first_line(buffer.reveal().substr(0, in.eof() || size == 0 ? size : size - 1));
}

Result<Secret> ask(std::string_view question, CliStreams streams) {
  streams.err << question << std::flush;
  auto answer = read_from_stream(streams.in);
  streams.err << '\n';
  return answer;
}

Result<Secret> ask_twice(CliStreams streams) {
  const HiddenTyping hidden(STDIN_FILENO);
  auto first = ask("Password: ", streams);
  if (!first) return first;
  const auto second = ask("Again: ", streams);
  if (second && second->reveal() == first->reveal()) return first;
  return fail(ErrorKind::Malformed, "the two passwords are not the same; nothing was changed, try again");
}

}  // namespace

Result<Secret> read_password(const std::string& file, CliStreams streams) {
  if (!file.empty()) return read_from_file(file);
  const bool is_terminal = &streams.in == &std::cin && ::isatty(STDIN_FILENO) == 1;
  return is_terminal ? ask_twice(streams) : read_from_stream(streams.in);
}

}  // namespace waxwing
