#include "relay/signing/passphrase_question.h"

#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>

namespace waxwing {
namespace {

struct Session {
  std::string shown;   ///< all that stood on the terminal
  std::string result;  ///< the passphrase, or why there is none
};

// Asks in a process whose terminal is ours, and types an answer to each question.
Session converse(const std::vector<std::string>& answers) {
  int pipe_ends[2];
  REQUIRE(::pipe(pipe_ends) == 0);
  int terminal = -1;
  const pid_t child = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  REQUIRE(child >= 0);
  if (child == 0) {
    const auto passphrase = ask_for_passphrase();
    const std::string text = passphrase ? std::string(passphrase->reveal()) : passphrase.error().detail;
    (void)!::write(pipe_ends[1], text.data(), text.size());
    ::_exit(0);
  }
  ::close(pipe_ends[1]);
  Session session;
  std::size_t answered = 0;
  char buffer[1'024];
  ssize_t count = 0;
  while ((count = ::read(terminal, buffer, sizeof buffer)) > 0) {
    session.shown.append(buffer, static_cast<std::size_t>(count));
    if (!session.shown.ends_with(": ") || answered == answers.size()) continue;
    const std::string& answer = answers[answered++];
    REQUIRE(::write(terminal, answer.data(), answer.size()) == static_cast<ssize_t>(answer.size()));
  }
  while ((count = ::read(pipe_ends[0], buffer, sizeof buffer)) > 0)
    session.result.append(buffer, static_cast<std::size_t>(count));
  ::close(terminal);
  ::close(pipe_ends[0]);
  ::waitpid(child, nullptr, 0);
  return session;
}

TEST_CASE("a passphrase is typed twice and never shown", "[passphrase]") {
  const Session session = converse({"a passphrase of mine\n", "a passphrase of mine\n"});
  CHECK(session.result == "a passphrase of mine");
  CHECK(session.shown == "Passphrase of the signing keys: \r\nAgain: \r\n");
}

TEST_CASE("a slip of the finger seals nothing", "[passphrase]") {
  CHECK(converse({"a passphrase of mine\n", "a passphrase of mime\n"}).result.find("not the same") !=
        std::string::npos);
  CHECK(converse({"\n"}).result.find("empty") != std::string::npos);
}

TEST_CASE("without a terminal nobody is asked", "[passphrase]") {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setsid();  // leaves the terminal, if there was one
    const auto passphrase = ask_for_passphrase();
    ::_exit(!passphrase && passphrase.error().kind == ErrorKind::NotFound ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

}  // namespace
}  // namespace waxwing
