#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "transport/smtp/client_engine.h"

namespace waxwing::testing {

/// What a fake server says. A text that ends in kCut closes the stream after it; an empty text says nothing at all.
struct ServerScript {
  std::string banner = "220 mx.example ESMTP\r\n";
  std::string ehlo = "250-mx.example\r\n250 STARTTLS\r\n";
  std::string starttls = "220 2.0.0 go ahead\r\n";
  std::string secured_ehlo =
      "250-mx.example\r\n250-PIPELINING\r\n250-SIZE 100000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 "
      "ENHANCEDSTATUSCODES\r\n";
  std::vector<std::string> auth;  ///< said to AUTH, and to each response after it
  bool implicit_tls = false;      ///< it speaks inside TLS from the start
  std::string mail = "250 2.1.0 ok\r\n";
  std::vector<std::string> mails;                        ///< instead of `mail`; the last one repeats
  std::vector<std::string> rcpt = {"250 2.1.5 ok\r\n"};  ///< the last one repeats
  std::string data = "354 go\r\n";
  std::string bdat;   ///< said to BDAT at once, and its content is taken for commands; empty: CHUNKING works
  std::string early;  ///< said at the first octet of content
  std::string end_of_data = "250 2.0.0 queued as 1\r\n";
  std::string rset = "250 2.0.0 ok\r\n";
  std::string quit = "221 2.0.0 bye\r\n";
};

inline constexpr std::string_view kCut = "<cut>";

/// Plays a script: reads command lines, and content up to CRLF.CRLF, and answers each as the script says.
class FakeServer {
 public:
  explicit FakeServer(ServerScript script) : script_(std::move(script)), secured_(script_.implicit_tls) {
    say(script_.banner);
  }

  void take(std::string_view octets) {
    for (const char octet : octets) take_octet(octet);
  }
  std::string take_output() { return std::exchange(output_, std::string()); }
  [[nodiscard]] bool cut() const { return cut_; }

  std::vector<std::string> commands;  ///< without CRLF
  std::vector<std::string> messages;  ///< as on the wire, with the final dot

 private:
  void take_octet(char octet) {
    line_ += octet;
    if (in_data_) {
      if (line_.size() == 1 && !script_.early.empty()) say(script_.early);
      if (!line_.ends_with("\r\n.\r\n") && line_ != ".\r\n") return;
      messages.push_back(std::exchange(line_, std::string()));
      in_data_ = false;
      return say(script_.end_of_data);
    }
    if (chunk_left_ > 0) {
      if (line_.size() == 1 && !script_.early.empty()) say(script_.early);
      if (--chunk_left_ > 0) return;
      messages.push_back(std::exchange(line_, std::string()));
      return say(script_.end_of_data);
    }
    if (octet != '\n') return;
    const std::string command = line_.substr(0, line_.size() - 2);
    line_.clear();
    commands.push_back(command);
    if (command.starts_with("AUTH") || (auths_ > 0 && auths_ < script_.auth.size()))
      return say(auths_ < script_.auth.size() ? script_.auth[auths_++] : "503 5.5.1 no\r\n");
    answer(command);
  }

  void answer(const std::string& command) {
    if (command.starts_with("EHLO")) return say(secured_ ? script_.secured_ehlo : script_.ehlo);
    if (command == "STARTTLS") {
      secured_ = true;
      return say(script_.starttls);
    }
    if (command.starts_with("MAIL")) {
      recipients_ = 0;
      if (script_.mails.empty()) return say(script_.mail);
      return say(script_.mails[std::min(transactions_++, script_.mails.size() - 1)]);
    }
    if (command.starts_with("RCPT")) return say(script_.rcpt[std::min(recipients_++, script_.rcpt.size() - 1)]);
    if (command == "DATA") {
      in_data_ = script_.data.starts_with("354");
      return say(script_.data);
    }
    if (command.starts_with("BDAT") && script_.bdat.empty()) {
      chunk_left_ = std::stoul(command.substr(5));
      return;
    }
    if (command.starts_with("BDAT")) return say(script_.bdat);
    if (command == "RSET") return say(script_.rset);
    if (command == "QUIT") return say(script_.quit);
    say("500 5.5.1 what?\r\n");
  }

  void say(std::string_view text) {
    if (cut_) return;
    cut_ = text.ends_with(kCut);
    if (cut_) text.remove_suffix(kCut.size());
    output_ += text;
  }

  ServerScript script_;
  std::string line_;
  std::string output_;
  std::size_t auths_ = 0;  // replies that were said
  bool secured_ = false;
  bool in_data_ = false;
  std::size_t chunk_left_ = 0;
  bool cut_ = false;
  std::size_t recipients_ = 0;
  std::size_t transactions_ = 0;
};

/// How octets of the server reach the engine.
enum class Delivery { Whole, ByteByByte };

/// An engine and a fake server under virtual time.
struct Conversation {
  explicit Conversation(ServerScript script, Delivery how = Delivery::Whole)
      : implicit_tls(script.implicit_tls), server(std::move(script)), engine(engine_options(), now), delivery(how) {}

  [[nodiscard]] SmtpClientEngine::Options engine_options() const {
    SmtpClientEngine::Options options;
    options.helo_name = "relay.example";
    options.implicit_tls = implicit_tls;
    return options;
  }

  /// Moves octets until the engine needs something else than octets; when nothing moves, time passes until the expiry.
  void run() {
    while (engine.need() == SmtpClientEngine::Need::Bytes || engine.need() == SmtpClientEngine::Need::TlsHandshake) {
      if (engine.need() == SmtpClientEngine::Need::TlsHandshake) {
        if (!implicit_tls)
          (void)server.take_output();  // what came in clear stays outside, as Connection::start_tls promises
        ++handshakes;
        engine.on_secured(now, std::exchange(login, std::nullopt));
        continue;
      }
      if (!move_octets()) {
        now = engine.expiry();
        engine.on_expiry(now);
      }
    }
  }

  bool move_octets() {
    server.take(engine.take_output());
    const std::string octets = server.take_output();
    if (delivery == Delivery::Whole) {
      if (!octets.empty()) engine.on_bytes(octets, now);
    } else {
      for (const char& octet : octets) engine.on_bytes(std::string_view(&octet, 1), now);
    }
    const bool closing = server.cut() && !closed;
    if (closing) {
      closed = true;
      engine.on_closed("cut by the peer", now);
    }
    return !octets.empty() || closing;
  }

  /// Runs one whole transaction; no value when the connection failed before it.
  std::optional<SmtpTransactionOutcome> deliver(SmtpTransaction transaction, const std::vector<std::string>& content) {
    run();
    if (engine.need() != SmtpClientEngine::Need::Transaction) return std::nullopt;
    engine.begin(std::move(transaction), now);
    std::size_t piece = 0;
    for (;;) {
      run();
      if (engine.need() != SmtpClientEngine::Need::Content) break;
      if (piece == content.size()) {
        engine.end_content(now);
      } else {
        engine.give_content(content[piece++], now);
        move_octets();
      }
    }
    server.take(engine.take_output());
    if (engine.need() != SmtpClientEngine::Need::Outcome) return std::nullopt;
    return engine.take_outcome();
  }

  MonotonicTime now{Milliseconds{1'000}};
  bool implicit_tls;
  FakeServer server;
  SmtpClientEngine engine;
  std::optional<SmtpClientEngine::LoginAttempt> login{};  ///< given when TLS stands
  Delivery delivery;
  bool closed = false;
  int handshakes = 0;
};

inline MailAddress address(std::string_view text) {
  return *MailAddress::parse(text);
}

inline SmtpTransaction transaction_to(std::size_t recipients) {
  SmtpTransaction transaction;
  transaction.reverse_path = address("sender@client.example");
  for (std::size_t i = 0; i < recipients; ++i) {
    transaction.recipients.push_back(address("user" + std::to_string(i) + "@receiver.example"));
  }
  transaction.size_octets = 20;
  return transaction;
}

}  // namespace waxwing::testing
