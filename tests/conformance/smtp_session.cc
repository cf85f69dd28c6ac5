#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "policy/mail_address.h"
#include "policy/spf_record.h"
#include "relay/server/server_engine.h"
#include "tests/conformance/smtp_forms.h"
#include "transport/smtp/client_engine.h"
#include "transport/smtp/reply.h"

namespace waxwing::conformance {
namespace {

using nlohmann::json;

constexpr int kMaxTurns = 100'000;

// A submission server that takes everything from everybody, so that nothing hides behind a refusal.
class OpenServer {
 public:
  explicit OpenServer(SmtpServerEngine::Tls tls) : engine_({.hostname = "relay.example", .tls = tls}, now_) {}

  void say(std::string_view octets) {
    engine_.on_bytes(octets, now_);
    for (int turn = 0; turn < kMaxTurns && answer(); ++turn) output += engine_.take_output();
    output += engine_.take_output();
  }

  SmtpServerEngine& engine() { return engine_; }
  [[nodiscard]] MonotonicTime now() const { return now_; }

  std::string output;

 private:
  // Whether the engine wanted something other than octets.
  bool answer() {
    using Need = SmtpServerEngine::Need;
    switch (engine_.need()) {
      case Need::Authentication:
        engine_.on_authenticated({"app", "", "", {}}, now_);
        return true;
      case Need::CertificateLogin:
      case Need::ScramKeys:
      case Need::ScramVerdict:
        engine_.on_authentication_failed(now_);
        return true;
      case Need::Identity:
        engine_.on_identified(std::nullopt, now_);
        return true;
      case Need::StorageCheck:
        engine_.on_storage(std::nullopt, now_);
        return true;
      case Need::RecipientCheck:
        engine_.on_recipient(std::nullopt, now_);
        return true;
      case Need::Content:
        static_cast<void>(engine_.take_content());
        engine_.resume(now_);
        return true;
      case Need::Acceptance:
        static_cast<void>(engine_.take_content());
        if (engine_.content_refusal()) {
          engine_.on_refused(*engine_.content_refusal(), now_);
        } else {
          engine_.on_accepted("1", now_);
        }
        return true;
      case Need::Bytes:
      case Need::TlsHandshake:
      case Need::Close:
        return false;
    }
    return false;
  }

  MonotonicTime now_{};
  SmtpServerEngine engine_;
};

// Nothing that came in clear is answered once TLS is there.
Verdict check_server(const json& entry, const Document&) {
  OpenServer server(SmtpServerEngine::Tls::StartTls);
  for (const std::string& piece : texts_at(entry, "pre_tls")) server.say(piece);
  if (server.engine().need() == SmtpServerEngine::Need::Close) return {.good = true};
  if (server.engine().need() != SmtpServerEngine::Need::TlsHandshake) {
    return {.expected = "a handshake, or the end", .got = server.output};
  }
  server.output.clear();
  server.engine().on_secured(server.now());
  server.say("");
  return same("", server.output);
}

// Plays a server whose replies the case gives, up to and past the handshake.
class FakeServer {
 public:
  explicit FakeServer(const json& entry)
      : greeting_(text_at(entry, "server_greeting", "220 mx.example ESMTP\r\n")),
        ehlo_(text_at(entry, "server_ehlo", "250-mx.example\r\n250 STARTTLS\r\n")),
        starttls_(text_at(entry, "server_pre_tls", text_at(entry, "server_starttls", "220 go\r\n"))) {}

  void talk(SmtpClientEngine& client) {
    client.on_bytes(greeting_, MonotonicTime{});
    for (int turn = 0; turn < kMaxTurns && client.need() == SmtpClientEngine::Need::Bytes; ++turn) {
      const std::string sent = client.take_output();
      said += sent;
      if (sent.empty()) return;
      client.on_bytes(sent.starts_with("STARTTLS") ? starttls_ : ehlo_, MonotonicTime{});
    }
    said += client.take_output();
  }

  std::string said;  ///< by the client in clear

 private:
  std::string greeting_, ehlo_, starttls_;
};

// Without a handshake no mail is sent; what came in clear before it is no reply to the EHLO inside it.
Verdict check_client(const json& entry, const Document&) {
  using Need = SmtpClientEngine::Need;
  SmtpClientEngine client({.helo_name = "relay.example"}, MonotonicTime{});
  FakeServer server(entry);
  server.talk(client);
  if (server.said.find("MAIL") != std::string::npos) return {.expected = "no mail in clear", .got = server.said};
  if (client.need() == Need::Close)
    return {.good = client.failure().has_value(), .expected = "a failure", .got = "none"};
  if (!has(entry, "server_pre_tls")) return {.expected = "a failure", .got = "the client went on"};
  if (client.need() != Need::TlsHandshake) return {.expected = "a handshake", .got = "the client waits"};
  client.on_secured(MonotonicTime{});
  return {.good = client.need() == Need::Bytes && client.take_output().starts_with("EHLO"),
          .expected = "EHLO anew, and no reply to it yet",
          .got = "another state"};
}

}  // namespace

std::vector<CaseForm> smtp_session_forms() {
  std::vector<CaseForm> forms = {{{"pre_tls"}, check_server}};
  for (const char* member : {"server_pre_tls", "server_ehlo", "server_starttls", "server_greeting"}) {
    forms.push_back({{member}, check_client});
  }
  return forms;
}

void swallow_seed(const std::string& octets) {
  for (const auto tls : {SmtpServerEngine::Tls::None, SmtpServerEngine::Tls::StartTls}) {
    OpenServer server(tls);
    server.say("EHLO app.example\r\nAUTH PLAIN AGFwcABzZWNyZXQ=\r\n");
    server.say(octets);
    std::string with_crlf;
    for (const char c : octets) {
      if (c == '\n' && !with_crlf.ends_with('\r')) with_crlf += '\r';
      with_crlf += c;
    }
    server.say(with_crlf);
  }
  SmtpReplyReader reader;
  static_cast<void>(reader.feed(octets));
  static_cast<void>(MailAddress::parse(octets));
  static_cast<void>(SpfRecord::parse(octets));
}

}  // namespace waxwing::conformance
