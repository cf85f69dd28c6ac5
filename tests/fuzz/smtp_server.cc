// A session answers in whole lines, does the same however its input is cut, and hands over nothing without login.
//
// Input: how to cut, the listener's TLS, then what the client sends. The password "p" is right, and so is a proof made with
// thirty-two "c" as the ClientKey.

#include "relay/server/server_engine.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "tests/fuzz/finding.h"
#include "tests/fuzz/octet_source.h"

using namespace waxwing;
using fuzz::require;

namespace {

// Fixed, as the nonce is, so that seeds can hold a proof.
ScramKeys scram_keys() {
  return {kMinScramIterations, "salt", scram_stored_key(std::string(kScramKeyOctets, 'c')),
          Secret(std::string(kScramKeyOctets, 's'))};
}

ServerReply suppressed() {
  return {550, "5.7.1", {"nothing is sent there"}};
}

/// Does what the engine asks for, and writes down all that it says.
class Session {
 public:
  explicit Session(SmtpServerEngine::Tls tls) : engine_(options(tls), now_) { serve(); }

  void feed(std::string_view octets) {
    if (engine_.need() != SmtpServerEngine::Need::Bytes) return;
    engine_.on_bytes(octets, now_);
    serve();
  }
  void end() {
    for (std::size_t at = 0; at < output_.size();) {
      const std::size_t line_end = output_.find("\r\n", at);
      require(line_end != std::string::npos, "replies are whole lines");
      require(line_end - at <= 510, "a reply line has at most 512 octets");
      const std::string line = output_.substr(at, line_end - at);
      require(line.size() >= 4 && line[0] >= '2' && line[0] <= '5', "a reply line begins with a code");
      require(std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c < 0x7F; }),
              "replies are printable");
      at = line_end + 2;
    }
  }
  [[nodiscard]] std::string transcript() const { return transcript_ + output_; }

 private:
  static SmtpServerEngine::Options options(SmtpServerEngine::Tls tls) {
    SmtpServerEngine::Options options;
    options.hostname = "relay.example";
    options.tls = tls;
    options.takes_xclient = true;
    options.checks_recipients = true;
    options.timing = {Seconds(86'400), Seconds(60)};
    options.began = WallTime(Seconds(1'769'860'800));
    options.scram = true;
    if (tls == SmtpServerEngine::Tls::Implicit) options.channel_binding = ScramServer::ChannelBinding::Offered;
    if (tls == SmtpServerEngine::Tls::Implicit) options.certificate = SmtpServerEngine::Certificate::Verified;
    options.max_message_octets = 2'000;
    options.max_recipients = 5;
    return options;
  }

  void serve() {
    using Need = SmtpServerEngine::Need;
    while (true) {
      output_ += engine_.take_output();
      switch (engine_.need()) {
        case Need::Bytes:
        case Need::Close:
          return;
        case Need::TlsHandshake:
          transcript_ += "<tls>";
          engine_.on_secured(now_);
          break;
        case Need::Authentication:
          authenticate();
          break;
        case Need::ScramKeys:
          engine_.on_scram_keys(scram_keys(), "nonce",
                                engine_.scram().channel_binding_type() == "tls-exporter"
                                    ? std::optional(Secret("channel"))
                                    : std::nullopt,
                                now_);
          break;
        case Need::ScramVerdict:
          require(!engine_.scram().is_proven() || engine_.scram_denial().empty(), "who is denied has proven nothing");
          if (engine_.scram().is_proven())
            engine_.on_authenticated(Account(), now_);
          else
            engine_.on_authentication_failed(now_);
          break;
        case Need::CertificateLogin:
          if (engine_.authorization_identity().empty())
            engine_.on_authenticated(Account(), now_);
          else
            engine_.on_authentication_failed(now_);
          break;
        case Need::Identity:
          engine_.on_identified(engine_.claimed_login() == "u" ? std::optional(Account()) : std::nullopt, now_);
          break;
        case Need::StorageCheck:
          require(engine_.account().has_value(), "nothing is stored for a stranger");
          engine_.on_storage(std::nullopt, now_);
          break;
        case Need::RecipientCheck:
          require(engine_.in_transaction(), "nobody is asked about a recipient without a sender");
          engine_.on_recipient(engine_.recipient().str().starts_with('s') ? std::optional(suppressed()) : std::nullopt,
                               now_);
          break;
        case Need::Content:
          take_content();
          engine_.resume(now_);
          break;
        case Need::Acceptance:
          accept();
          break;
      }
    }
  }
  void authenticate() {
    if (engine_.credentials().password.reveal() != "p") return engine_.on_authentication_failed(now_);
    engine_.on_authenticated(Account{}, now_);
  }
  void take_content() {
    require(engine_.account().has_value(), "nobody submits without login");
    const Envelope& envelope = engine_.envelope();
    require(!envelope.recipients.empty() && envelope.recipients.size() <= 5, "recipients are counted");
    content_ += engine_.take_content();
  }
  void accept() {
    take_content();
    if (engine_.content_refusal()) {
      transcript_ += "<refused>";  // what was handed over before does not count, and depends on chunks
      engine_.on_refused(*engine_.content_refusal(), now_);
    } else {
      transcript_ += "<accepted " + content_ + ">";
      engine_.on_accepted("Q1", now_);
    }
    content_.clear();
  }

  MonotonicTime now_{};
  SmtpServerEngine engine_;
  std::string content_;
  std::string output_;
  std::string transcript_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  fuzz::OctetSource source(octets, size);
  const std::uint8_t chunk_seed = source.octet();
  const std::string_view listener = source.line();
  const std::string_view stream = source.rest();
  const auto tls = listener == "starttls"   ? SmtpServerEngine::Tls::StartTls
                   : listener == "implicit" ? SmtpServerEngine::Tls::Implicit
                                            : SmtpServerEngine::Tls::None;
  Session pieces(tls);
  fuzz::in_chunks(stream, chunk_seed, [&](std::string_view chunk) { pieces.feed(chunk); });
  pieces.end();
  // What comes in one read with STARTTLS is dropped, so only sessions without it may be compared.
  if (tls == SmtpServerEngine::Tls::StartTls) return 0;
  Session whole(tls);
  whole.feed(stream);
  whole.end();
  require(whole.transcript() == pieces.transcript(), "chunks do not change a session");
  return 0;
}
