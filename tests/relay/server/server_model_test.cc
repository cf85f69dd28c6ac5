#include <catch2/catch.hpp>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "policy/base64.h"
#include "relay/server/server_engine.h"
#include "tests/relay/server/dialogue.h"

// Random commands, one after the other, to the engine and to a model of what the RFCs ask for: a page of plain
// conditions, without input, output, time or limits of length. Both must say the same code to everything, and a message
// must be accepted under the very envelope that the model has in mind.

namespace waxwing {
namespace {

constexpr std::size_t kModelMaxRecipients = 3;

/// What a server knows between two commands.
class Model {
 public:
  /// The code of the reply, 0 when there is none since the connection is over.
  int say(const std::string& command) {
    if (closed_) return 0;
    const int code = answer(command);
    // A wrong password is counted apart, and a message that is refused is no mistake in the dialogue.
    const bool error = code >= 500 && code != 535 && !(code == 550 && command == "DATA bad");
    if (!closed_ && error && ++errors_ > kMaxCommandErrors) return close(421);
    return code;
  }

  bool closed() const { return closed_; }
  const std::string& sender() const { return sender_; }
  const std::vector<std::string>& recipients() const { return recipients_; }

 private:
  int answer(const std::string& command) {
    if (command == "EHLO x") return greet(true);
    if (command == "HELO x") return greet(false);
    if (command == "RSET") return reset(250);
    if (command == "NOOP") return 250;
    if (command == "VRFY x") return 252;
    if (command == "HELP") return 214;
    if (command == "STARTTLS") return 502;
    if (command == "QUIT") return close(221);
    if (command.starts_with("AUTH")) return log_in(command);
    if (command.starts_with("MAIL")) return mail(command);
    if (command.starts_with("RCPT")) return rcpt(command);
    if (command.starts_with("DATA")) return data(command);
    if (command.starts_with("BDAT")) return chunk(command);
    return 500;
  }

  int greet(bool extended) {
    greeted_ = true;
    extended_ = extended;
    return reset(250);
  }

  int log_in(const std::string& command) {
    if (!extended_ || logged_in_ || open_) return 503;
    if (command == "AUTH scram-cancelled" || command == "AUTH scram-malformed") return 501;
    if (command == "AUTH right" || command == "AUTH scram-right") {
      failed_logins_ = 0;
      logged_in_ = true;
      return 235;
    }
    return ++failed_logins_ == kMaxFailedLogins ? close(421) : 535;
  }

  int mail(const std::string& command) {
    if (command == "MAIL wrong") return 501;
    if (!greeted_) return 503;
    if (!logged_in_) return 530;
    if (open_) return 503;
    if (command == "MAIL foreign") return 550;
    if (command == "MAIL large") return 552;
    open_ = true;
    sender_ = command.substr(5);
    return 250;
  }

  int rcpt(const std::string& command) {
    if (command == "RCPT wrong") return 553;
    if (!open_ || chunks_) return 503;
    if (recipients_.size() == kModelMaxRecipients) return 452;
    const std::string recipient = command.substr(5);
    for (const std::string& known : recipients_) {
      if (known == recipient) return 250;
    }
    recipients_.push_back(recipient);
    return 250;
  }

  int data(const std::string& command) {
    if (!open_ || chunks_) return 503;
    if (recipients_.empty()) return 554;
    if (command == "DATA ambiguous") return close(550);
    return reset(command == "DATA good" ? 250 : 550);
  }

  int chunk(const std::string& command) {
    if (command == "BDAT wrong") return close(501);
    if (!logged_in_) return close(530);
    if (!open_) return 503;
    if (recipients_.empty()) return reset(554);
    if (command == "BDAT ambiguous") return close(550);
    if (command == "BDAT bad") return reset(550);
    chunks_ = true;
    return command == "BDAT last" ? reset(250) : 250;
  }

  int reset(int code) {
    open_ = false;
    chunks_ = false;
    sender_.clear();
    recipients_.clear();
    return code;
  }

  int close(int code) {
    closed_ = true;
    return code;
  }

  bool closed_ = false;
  bool greeted_ = false;
  bool extended_ = false;
  bool logged_in_ = false;
  bool open_ = false;
  bool chunks_ = false;
  unsigned failed_logins_ = 0;
  unsigned errors_ = 0;
  std::string sender_;
  std::vector<std::string> recipients_;
};

const std::vector<std::string> kVocabulary = {"EHLO x",
                                              "HELO x",
                                              "RSET",
                                              "NOOP",
                                              "VRFY x",
                                              "HELP",
                                              "STARTTLS",
                                              "QUIT",
                                              "AUTH right",
                                              "AUTH wrong",
                                              "AUTH scram-right",
                                              "AUTH scram-wrong",
                                              "AUTH scram-cancelled",
                                              "AUTH scram-malformed",
                                              "MAIL a",
                                              "MAIL b",
                                              "MAIL wrong",
                                              "MAIL foreign",
                                              "MAIL large",
                                              "RCPT a",
                                              "RCPT b",
                                              "RCPT c",
                                              "RCPT d",
                                              "RCPT wrong",
                                              "DATA good",
                                              "DATA bad",
                                              "DATA ambiguous",
                                              "BDAT more",
                                              "BDAT last",
                                              "BDAT bad",
                                              "BDAT ambiguous",
                                              "BDAT wrong",
                                              "NONSENSE"};

/// What goes over the wire; content of DATA follows when it is asked for.
std::string octets_of(const std::string& command) {
  if (command == "AUTH right") return "AUTH PLAIN " + encode_base64(std::string("\0app\0secret", 11)) + "\r\n";
  if (command == "AUTH wrong") return "AUTH PLAIN " + encode_base64(std::string("\0app\0wrong", 10)) + "\r\n";
  if (command == "MAIL wrong") return "MAIL FROM:a@example.org\r\n";
  if (command == "MAIL foreign") return "MAIL FROM:<a@example.com>\r\n";
  if (command == "MAIL large") return "MAIL FROM:<a@example.org> SIZE=99999999999\r\n";
  if (command.starts_with("MAIL")) return "MAIL FROM:<" + command.substr(5) + "@example.org>\r\n";
  if (command == "RCPT wrong") return "RCPT TO:<b@>\r\n";
  if (command.starts_with("RCPT")) return "RCPT TO:<" + command.substr(5) + "@example.net>\r\n";
  if (command.starts_with("AUTH scram")) return "AUTH SCRAM-SHA-256 " + ScramScript().first() + "\r\n";
  if (command.starts_with("DATA")) return "DATA\r\n";
  // The octets of chunks are commands, so that one that is taken for a command shows.
  if (command == "BDAT more") return "BDAT 6\r\nRSET\r\n";
  if (command == "BDAT last") return "BDAT 6 LAST\r\nRSET\r\n";
  if (command == "BDAT bad") return std::string("BDAT 6\r\nRSET\0\0", 14);
  if (command == "BDAT ambiguous") return "BDAT 6\r\nRSET\n\n";
  if (command == "BDAT wrong") return "BDAT 6x\r\n";
  return command + "\r\n";
}

int code_of(const std::string& replies) {
  // The last line begins behind the last but one LF, or where npos + 1 is.
  return replies.empty() ? 0 : std::stoi(replies.substr(replies.rfind('\n', replies.size() - 2) + 1));
}

/// Goes on with what a challenge asks for.
std::string say_rest_of_login(Dialogue& dialogue, const std::string& command, const std::string& challenge) {
  if (command == "AUTH scram-cancelled") return dialogue.say("*\r\n");
  if (command == "AUTH scram-malformed") return dialogue.say("RSET\r\n");
  const ScramScript script{"n,,", "app", command == "AUTH scram-right" ? "secret" : "wrong", ""};
  const std::string replies = dialogue.say(script.last(challenge.substr(4, challenge.size() - 6)) + "\r\n");
  return replies.starts_with("334") ? dialogue.say("\r\n") : replies;
}

/// Says a command to the engine and gives the code of its last reply; content follows where it is asked for.
int say(Dialogue& dialogue, const std::string& command) {
  std::string replies = dialogue.say(octets_of(command));
  if (replies.starts_with("334")) replies = say_rest_of_login(dialogue, command, replies);
  if (!replies.starts_with("354")) return code_of(replies);
  std::string content = "From: a@example.org\r\n\r\nRSET\r\n.\r\n";
  if (command == "DATA bad") content[0] = '\0';
  if (command == "DATA ambiguous") content.insert(5, "\n.\r\n");
  return code_of(dialogue.say(content));
}

void check_envelope(const Envelope& accepted, const Model& before) {
  REQUIRE(accepted.reverse_path);
  REQUIRE(accepted.reverse_path->local_part == before.sender());
  REQUIRE(accepted.recipients.size() == before.recipients().size());
  for (std::size_t i = 0; i < accepted.recipients.size(); ++i)
    REQUIRE(accepted.recipients[i].address.local_part == before.recipients()[i]);
}

void run_sequences(std::uint64_t count, std::uint32_t seed) {
  constexpr std::size_t kMaxCommands = 60;
  std::mt19937 random(seed);
  SmtpServerEngine::Options options;
  options.max_recipients = kModelMaxRecipients;
  options.scram = true;
  for (std::uint64_t sequence = 0; sequence < count; ++sequence) {
    Dialogue dialogue(options);
    dialogue.account.allowed_senders = {"example.org"};
    Model model;
    std::string said;
    // Half of the sequences begin where the interesting part does.
    if (random() % 2 == 0) {
      for (const char* command : {"EHLO x", "AUTH right"}) REQUIRE(say(dialogue, command) == model.say(command));
    }
    for (std::size_t i = 0; i < kMaxCommands && !model.closed(); ++i) {
      const std::string& command = kVocabulary[random() % kVocabulary.size()];
      if ((command == "QUIT" || command.ends_with("ambiguous")) && random() % 8 != 0) continue;
      said += command + "; ";
      const Model before = model;
      dialogue.accepted_envelope = {};
      const int expected = model.say(command);
      const int code = say(dialogue, command);
      if (code != expected) FAIL("sequence " << sequence << ": " << said << "gives " << code << ", not " << expected);
      const bool accepts = code == 250 && (command == "DATA good" || command == "BDAT last");
      if (accepts) check_envelope(dialogue.accepted_envelope, before);
      if ((dialogue.engine().need() == SmtpServerEngine::Need::Close) != model.closed())
        FAIL("sequence " << sequence << ": " << said << "one of the two has closed the connection");
    }
  }
}

TEST_CASE("the engine answers random commands as the model does") {
  run_sequences(3'000, 20'261'126);
}

TEST_CASE("the engine answers a million sequences of random commands as the model does", "[.million]") {
  run_sequences(1'000'000, 1);
}

}  // namespace
}  // namespace waxwing
