// Whatever a server says, nothing but EHLO and STARTTLS leaves in clear, a recipient counts as delivered only after a
// positive answer to the final dot, every recipient has one outcome, and the session comes to an end. With a login no
// mail goes before the server has accepted it.
//
// Input: the lines of the server, one for each time that the client waits. They are played to a client without a login,
// to one with a login, and to one with implicit TLS.

#include <cstdint>
#include <memory>
#include <string>

#include "tests/fuzz/finding.h"
#include "tests/fuzz/octet_source.h"
#include "transport/smtp/client_engine.h"

using namespace waxwing;
using fuzz::require;

namespace {

constexpr int kTransactions = 3;
constexpr int kMaxSteps = 100'000;
constexpr std::string_view kContent = "Subject: x\r\n\r\n.a line with a dot\r\n\xc3\xa4\r\n";

MailAddress address(std::string_view text) {
  return MailAddress::parse(text).value();
}

/// Each message asks more of the server than the last.
SmtpTransaction transaction(int number) {
  SmtpTransaction transaction;
  transaction.reverse_path = address("ann@sender.example");
  transaction.recipients = {address("bob@receiver.example"), address("eve@receiver.example")};
  transaction.size_octets = kContent.size();
  transaction.needs_8bit = number > 0;
  transaction.require_tls = number > 1;
  return transaction;
}

enum class Client { WithoutLogin, WithLogin, WithImplicitTls };

// The nonce of RFC 7677 §3, so that a seed can hold the right answers.
SmtpClientEngine::LoginAttempt login() {
  return {std::make_shared<const SmtpLogin>(SmtpLogin{"user", Secret("pencil")}), "rOprNGfwEbeRWgbNEkqO"};
}

SmtpClientEngine::Options options_of(Client client) {
  SmtpClientEngine::Options options;
  options.helo_name = "relay.example";
  options.implicit_tls = client == Client::WithImplicitTls;
  return options;
}

/// Owns the engine as a delivery does.
class Session {
 public:
  Session(fuzz::OctetSource server, Client client)
      : server_(server), client_(client), engine_(options_of(client), now_) {}

  void run() {
    for (int step = 0; step < kMaxSteps; ++step) {
      check_output(engine_.take_output());
      if (engine_.need() == SmtpClientEngine::Need::Close) return;
      act();
    }
    require(false, "a session comes to an end");
  }

 private:
  void act() {
    using Need = SmtpClientEngine::Need;
    switch (engine_.need()) {
      case Need::Bytes:
        return listen();
      case Need::TlsHandshake:
        secured_ = true;
        if (client_ == Client::WithoutLogin) return engine_.on_secured(now_);
        return engine_.on_secured(now_, login());
      case Need::Transaction:
        return begun_ < kTransactions ? engine_.begin(transaction(begun_++), now_) : engine_.quit(now_);
      case Need::Content:
        engine_.give_content(kContent, now_);
        if (engine_.need() == Need::Content) engine_.end_content(now_);
        return;
      case Need::Outcome:
        return check(engine_.take_outcome());
      case Need::Close:
        return;
    }
  }
  void listen() {
    if (server_.empty()) return engine_.on_closed("cut", now_);
    const std::string line = std::string(server_.line()) + "\n";
    accepted_ = accepted_ || (secured_ && line.starts_with("235"));
    engine_.on_bytes(line, now_);
  }
  void check_output(std::string_view output) {
    require(output.empty() || output.ends_with("\r\n"), "a client sends whole lines");
    while (!output.empty()) {
      const std::string_view line = output.substr(0, output.find("\r\n"));
      require(line.find_first_of("\r\n") == std::string_view::npos, "no CR or LF stands alone");
      require(secured_ || line.starts_with("EHLO ") || line == "STARTTLS", "nothing else leaves in clear");
      require(client_ == Client::WithoutLogin || accepted_ || !line.starts_with("MAIL"), "mail waits for the login");
      require(client_ != Client::WithoutLogin || !line.starts_with("AUTH"), "there is nothing to log in with");
      output.remove_prefix(line.size() + 2);
    }
  }
  static void check(const SmtpTransactionOutcome& outcome) {
    require(outcome.recipients.size() == 2, "every recipient has an outcome");
    for (const auto& failure : outcome.recipients) {
      if (!failure) {
        require(outcome.final_reply && outcome.final_reply->code / 100 == 2, "a final reply says what was delivered");
        continue;
      }
      require(!failure->status.empty() && !failure->detail.empty(), "a failure says what and why");
      const bool permanent = failure->kind == SmtpFailure::Kind::Permanent;
      require(!failure->reply || !permanent || failure->reply->code / 100 == 5, "only a 5yz reply is permanent");
    }
  }

  fuzz::OctetSource server_;
  Client client_;
  MonotonicTime now_{};
  SmtpClientEngine engine_;
  bool secured_ = false;
  bool accepted_ = false;  // the login, as far as can be told from outside
  int begun_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  for (const Client client : {Client::WithoutLogin, Client::WithLogin, Client::WithImplicitTls})
    Session(fuzz::OctetSource(octets, size), client).run();
  return 0;
}
