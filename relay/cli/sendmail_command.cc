#include "relay/cli/sendmail_command.h"

#include <fmt/format.h>
#include <pwd.h>
#include <sysexits.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <istream>
#include <optional>
#include <ostream>
#include <vector>

#include "policy/domain_name.h"
#include "relay/cli/command_line.h"
#include "relay/cli/drop_message.h"
#include "relay/cli/local_submission.h"
#include "relay/cli/sendmail_arguments.h"
#include "relay/cli/sendmail_message.h"
#include "relay/observe/escape.h"

namespace waxwing {
namespace {

constexpr const char* kSocket = "/run/waxwing/submission";
constexpr const char* kDropDirectory = "/var/spool/waxwing";
// The relay refuses what is over its own limit; this keeps an endless input from filling the memory.
constexpr std::size_t kMaxInputOctets = 1ULL << 30;

std::string path_from(const char* variable, const char* otherwise) {
  const char* value = std::getenv(variable);
  return value == nullptr || *value == '\0' ? otherwise : value;
}

std::string first_word(const char* path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

// Debian's policy names /etc/mailname as what completes addresses.
std::string mail_name() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  for (const std::string& name : {first_word("/etc/mailname"), std::string(host.data())}) {
    if (const auto domain = DomainName::parse(name)) return domain->str();
  }
  return "localhost";
}

Caller caller() {
  Caller result;
  result.mail_name = mail_name();
  const uid_t uid = ::getuid();
  if (const passwd* entry = ::getpwuid(uid); entry != nullptr) {
    result.user = entry->pw_name;
    const std::string gecos = entry->pw_gecos == nullptr ? "" : entry->pw_gecos;
    result.full_name = printable(gecos.substr(0, gecos.find(',')));
  } else {
    result.user = fmt::format("uid{}", uid);
  }
  return result;
}

std::optional<std::string> read_input(std::istream& in) {
  std::string input;
  std::vector<char> buffer(65'536);
  while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || in.gcount() > 0) {
    input.append(buffer.data(), static_cast<std::size_t>(in.gcount()));
    if (input.size() > kMaxInputOctets) return std::nullopt;
  }
  return in.bad() ? std::nullopt : std::optional(std::move(input));
}

int complain(CliStreams streams, int status, std::string_view sentence) {
  streams.err << "sendmail: " << sentence << '\n';
  return status;
}

int submit(const SendmailArguments& arguments, CliStreams streams) {
  const auto input = read_input(streams.in);
  if (!input) return complain(streams, EX_DATAERR, "the message cannot be read, or is larger than 1 GiB");
  const auto message = compose_local_message(*input, arguments, caller());
  if (!message) return complain(streams, EX_USAGE, message.error().detail);
  std::size_t first = 0;
  const auto submitted = submit_locally(path_from("WAXWING_SUBMISSION_SOCKET", kSocket), *message, arguments, first);
  if (submitted) return EX_OK;
  if (!submitted.error().later) return complain(streams, submitted.error().status, submitted.error().sentence);
  const auto dropped = drop_message(path_from("WAXWING_DROP_DIRECTORY", kDropDirectory), *message, arguments, first);
  if (dropped) return EX_OK;
  return complain(streams, EX_TEMPFAIL,
                  fmt::format("the relay cannot be asked ({}), and the message cannot be left for it ({})",
                              submitted.error().sentence, dropped.error().detail));
}

}  // namespace

bool is_sendmail_name(const std::string& program) {
  return program == "sendmail" || program == "mailq" || program == "newaliases";
}

int run_sendmail(const std::string& program, const std::vector<std::string>& words, CliStreams streams) {
  const auto arguments = parse_sendmail_arguments(program, words);
  if (!arguments) return complain(streams, EX_USAGE, arguments.error());
  switch (arguments->mode) {
    case SendmailArguments::Mode::ListQueue:
      return run_command_line({"queue", "list"}, streams);
    case SendmailArguments::Mode::Dialogue: {
      const auto done = relay_dialogue(path_from("WAXWING_SUBMISSION_SOCKET", kSocket));
      if (done) return EX_OK;
      streams.out << "421 4.3.2 the relay does not run; try again later\r\n" << std::flush;
      return complain(streams, done.error().status, done.error().sentence);
    }
    case SendmailArguments::Mode::Nothing:
      return EX_OK;
    case SendmailArguments::Mode::Submit:
      break;
  }
  return submit(*arguments, streams);
}

}  // namespace waxwing
