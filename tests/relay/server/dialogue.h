#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "policy/base64.h"
#include "relay/server/server_engine.h"
#include "tests/relay/server/scram_dialogue.h"

namespace waxwing {

/// A client that knows one account, "app" with "secret" (also by SCRAM), and keeps what the engine takes over.
class Dialogue {
 public:
  explicit Dialogue(SmtpServerEngine::Options options = {}) : engine_(with_name(std::move(options)), now_) { serve(); }

  /// Sends octets and returns all that the server answered.
  std::string say(std::string_view octets) {
    engine_.on_bytes(octets, now_);
    return serve();
  }

  std::string log_in() {
    say("EHLO app.example.org\r\n");
    return say("AUTH PLAIN " + encode_base64(std::string("\0app\0secret", 11)) + "\r\n");
  }

  std::string serve() {
    std::string output;
    while (true) {
      output += engine_.take_output();
      if (engine_.need() == SmtpServerEngine::Need::Authentication) {
        if (engine_.credentials().user == "app" && engine_.credentials().password.reveal() == "secret")
          engine_.on_authenticated(account, now_);
        else
          engine_.on_authentication_failed(now_);
      } else if (engine_.need() == SmtpServerEngine::Need::ScramKeys ||
                 engine_.need() == SmtpServerEngine::Need::ScramVerdict) {
        serve_scram(engine_, account, now_);
      } else if (engine_.need() == SmtpServerEngine::Need::StorageCheck) {
        engine_.on_storage(storage_refusal, now_);
      } else if (engine_.need() == SmtpServerEngine::Need::RecipientCheck) {
        const bool refused = engine_.recipient().str() == refused_recipient;
        engine_.on_recipient(refused ? std::optional(ServerReply{550, "5.7.1", {"not there"}}) : std::nullopt, now_);
      } else if (engine_.need() == SmtpServerEngine::Need::Content) {
        content += engine_.take_content();
        engine_.resume(now_);
      } else if (engine_.need() == SmtpServerEngine::Need::Acceptance) {
        content += engine_.take_content();
        accepted_envelope = engine_.envelope();
        if (engine_.content_refusal())
          engine_.on_refused(*engine_.content_refusal(), now_);
        else
          engine_.on_accepted("0000000000001", now_);
      } else {
        return output + engine_.take_output();
      }
    }
  }

  SmtpServerEngine& engine() { return engine_; }
  void pass(Milliseconds time) { now_ += time; }
  MonotonicTime now() const { return now_; }

  Account account{"app", "tenant", "", {}};
  std::string refused_recipient;  ///< where recipients are checked
  std::optional<ServerReply> storage_refusal;
  std::string content;
  Envelope accepted_envelope;

 private:
  static SmtpServerEngine::Options with_name(SmtpServerEngine::Options options) {
    options.hostname = "relay.example";
    return options;
  }
  MonotonicTime now_{};
  SmtpServerEngine engine_;
};

}  // namespace waxwing
