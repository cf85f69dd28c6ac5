#include "relay/rotation/run_program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <system_error>

namespace waxwing {
namespace {

constexpr std::size_t kMaxOutput = 65'536;
constexpr int kPollMs = 100;

std::string last_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

// Reads until the program closes its output or the time is over.
std::string read_output(int descriptor, std::chrono::steady_clock::time_point end) {
  std::string output;
  std::array<char, 4'096> buffer;
  while (std::chrono::steady_clock::now() < end) {
    pollfd waiting{descriptor, POLLIN, 0};
    if (::poll(&waiting, 1, kPollMs) <= 0) continue;
    const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
    if (count == 0 || (count < 0 && errno != EINTR)) break;
    if (count > 0 && output.size() < kMaxOutput) output.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return output;
}

// No value: it did not end in time and was ended.
int wait_for(pid_t child, std::chrono::steady_clock::time_point end, bool& in_time) {
  int status = 0;
  while (true) {
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child || (ended < 0 && errno != EINTR)) return status;
    if (std::chrono::steady_clock::now() >= end) {
      in_time = false;
      ::kill(child, SIGKILL);
      ::waitpid(child, &status, 0);
      return status;
    }
    ::usleep(2'000);
  }
}

}  // namespace

Result<void> run_program(const std::vector<std::string>& words) {
  std::array<int, 2> pipe_ends;
  if (::pipe2(pipe_ends.data(), O_CLOEXEC) != 0)
    return fail(ErrorKind::Exhausted, "no descriptor is left for a program");
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::string path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  std::array<char*, 2> environment = {path.data(), nullptr};
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, pipe_ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, pipe_ends[1], STDERR_FILENO);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, words.front().c_str(), &files, nullptr, arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&files);
  ::close(pipe_ends[1]);
  if (error != 0) {
    ::close(pipe_ends[0]);
    return fail(ErrorKind::Unavailable,
                fmt::format("cannot run '{}': {}", words.front(), std::system_category().message(error)));
  }
  const auto end = std::chrono::steady_clock::now() + kProgramTimeLimit;
  const std::string output = read_output(pipe_ends[0], end);
  ::close(pipe_ends[0]);
  bool in_time = true;
  const int status = wait_for(child, end, in_time);
  if (in_time && WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  const std::string how = !in_time            ? fmt::format("did not end within {} s", kProgramTimeLimit.count())
                          : WIFEXITED(status) ? fmt::format("ended with status {}", WEXITSTATUS(status))
                                              : fmt::format("was ended by signal {}", WTERMSIG(status));
  return fail(ErrorKind::Unavailable,
              fmt::format("'{}' {}{}{}", words.front(), how, output.empty() ? "" : ": ", last_line(output)));
}

}  // namespace waxwing
