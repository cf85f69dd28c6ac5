#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/delivery_notice.h"
#include "policy/input_buffer.h"
#include "policy/ip_address.h"
#include "policy/mail_address.h"
#include "policy/scram_server.h"
#include "policy/time_point.h"
#include "relay/queue/account.h"
#include "relay/server/command.h"
#include "relay/server/content_decoder.h"
#include "relay/server/sasl.h"
#include "relay/server/timing_rules.h"

namespace waxwing {

struct EnvelopeRecipient {
  MailAddress address;
  RecipientNotice notice{};
};

/// Sender and recipients of the message that is being received.
struct Envelope {
  std::optional<MailAddress> reverse_path;  ///< no value: <>
  std::vector<EnvelopeRecipient> recipients;
  bool body_8bit = false;
  bool smtputf8 = false;
  bool require_tls = false;  ///< REQUIRETLS of RFC 8689
  MessageNotice notice{};
  DeliveryTiming timing{};
};

/// The server side of one submission connection as a state machine. The owner moves octets and does what need() asks
/// for after every call; the engine decides what a client may do when, and keeps every bound.
///
/// Greeting  -> EHLO -> [STARTTLS -> EHLO] -> AUTH -> { MAIL -> RCPT... -> content -> acceptance }... -> QUIT
/// where content is DATA and octets up to a dot, or BDAT and so many octets, repeated up to the last.
class SmtpServerEngine {
 public:
  enum class Tls {
    None,      ///< AUTH in clear text (loopback)
    StartTls,  ///< AUTH only after STARTTLS
    Implicit,  ///< the stream is encrypted from its start
  };
  enum class Protocol {
    Smtp,
    Lmtp,  ///< LHLO, and after the content a reply for each recipient (RFC 2033)
  };
  enum class Certificate {
    None,
    Verified,  ///< the client has proven one of an authority that is believed for clients
  };
  struct Options {
    std::string hostname;
    Tls tls = Tls::None;
    Protocol protocol = Protocol::Smtp;
    BareLineEnds bare_line_ends = BareLineEnds::Reject;
    LongLines long_lines = LongLines::Fix;
    std::uint64_t max_message_octets = 50ULL << 20;
    std::size_t max_recipients = 100;
    std::optional<Account> known_client{};  ///< as whom the client may send without a login; no value: it must log in
    std::string login_hint{};  ///< sentence for who is not known and has not logged in; empty: how a client logs in
    bool checks_recipients = false;               ///< whether RecipientCheck is asked for
    Certificate certificate = Certificate::None;  ///< of the client, with Tls::Implicit; otherwise see on_secured()
    bool scram = false;                           ///< SCRAM-SHA-256 is offered, and -PLUS where a channel can be bound
    ScramServer::ChannelBinding channel_binding = ScramServer::ChannelBinding::NotOffered;  ///< as `certificate`
    bool takes_xclient = false;  ///< the client may say for whom it speaks
    TimingOffer timing{};        ///< what it may ask about time
    WallTime began{};            ///< the time of day when the engine is made, from which it counts on
    // Each is a point in time that no octet moves, so that a client that sends a little now and then gains nothing.
    Milliseconds greeting_timeout{60'000};    ///< from the banner, or from the handshake, to EHLO
    Milliseconds command_timeout{300'000};    ///< between commands
    Milliseconds line_timeout{60'000};        ///< from the first octet of a line to its end
    Milliseconds content_grace{60'000};       ///< after it, content must have come with kLeastContentOctetsPerSecond
    Milliseconds content_timeout{3'600'000};  ///< for the whole content
    Milliseconds session_timeout{7'200'000};  ///< for a whole connection, looked at between commands
  };

  /// What the owner must do now.
  enum class Need {
    Bytes,             ///< wait for octets or for expiry()
    TlsHandshake,      ///< send the output, begin TLS, then call on_secured()
    Authentication,    ///< check credentials(), then call on_authenticated() or on_authentication_failed()
    ScramKeys,         ///< look up what is kept of the password of scram().user(), then call on_scram_keys()
    ScramVerdict,      ///< judge scram(), then call as after Authentication
    CertificateLogin,  ///< find the account of the client's certificate, then call as after Authentication
    Identity,        ///< find the account claimed_login(), which a trusted peer vouches for, then call on_identified()
    StorageCheck,    ///< look whether a message can be taken, then call on_storage(); asked at MAIL
    RecipientCheck,  ///< look whether mail to recipient() is taken, then call on_recipient(); asked at RCPT
    Content,         ///< a message begins or goes on: take_content(), then call resume()
    Acceptance,  ///< the message has ended: call on_accepted() or on_refused(), the latter if content_refusal() says so
    Close,       ///< send the output and close
  };

  SmtpServerEngine(Options options, MonotonicTime now);

  [[nodiscard]] Need need() const { return need_; }
  /// Octets for the client since the last call.
  [[nodiscard]] std::string take_output();
  /// When on_expiry() is due.
  [[nodiscard]] MonotonicTime expiry() const { return expiry_; }

  /// Takes octets; the owner stops reading while need() is not Bytes. Input waits (bounded by what one read brings).
  void on_bytes(std::string_view octets, MonotonicTime now);
  void on_expiry(MonotonicTime now);
  void on_secured(MonotonicTime now, Certificate certificate = Certificate::None,
                  ScramServer::ChannelBinding channel_binding = ScramServer::ChannelBinding::NotOffered);

  /// Valid while need() is Authentication.
  [[nodiscard]] const Credentials& credentials() const { return credentials_; }
  void on_authenticated(Account account, MonotonicTime now);
  void on_authentication_failed(MonotonicTime now);
  /// The credentials could not be checked now; the client may try again later (454 4.7.0).
  void on_authentication_unavailable(MonotonicTime now);

  /// Valid while need() is ScramKeys or ScramVerdict: the exchange with the client.
  [[nodiscard]] const ScramServer& scram() const { return scram_->server; }
  /// At ScramVerdict: why the client is denied whatever it has proven; empty: is_proven() decides.
  [[nodiscard]] const std::string& scram_denial() const { return scram_->denial; }
  /// @param keys             of the account, or of nobody
  /// @param nonce            random, is_scram_nonce()
  /// @param channel_binding  data of scram().channel_binding_type(); no value: there is none on this channel
  void on_scram_keys(ScramKeys keys, std::string_view nonce, const std::optional<Secret>& channel_binding,
                     MonotonicTime now);

  /// Valid while need() is CertificateLogin: as whom the client wants to act; empty: as whom its certificate says.
  /// @source  RFC 4422 §A.3
  [[nodiscard]] const std::string& authorization_identity() const { return authorization_identity_; }

  /// The client may not log in now although its credentials are right: the connection ends.
  void on_login_refused(const ServerReply& reply);

  /// Valid while need() is Identity.
  [[nodiscard]] const std::string& claimed_login() const { return claimed_login_; }
  /// @param account  no value: there is none of that name
  void on_identified(std::optional<Account> account, MonotonicTime now);
  /// Address of the client as a trusted peer told it with XCLIENT.
  [[nodiscard]] const std::optional<IpAddress>& told_address() const { return told_address_; }

  /// Answers StorageCheck: no value, or the reply that refuses (452 4.3.1 …).
  void on_storage(const std::optional<ServerReply>& refusal, MonotonicTime now);

  /// Valid while need() is RecipientCheck.
  [[nodiscard]] const MailAddress& recipient() const { return pending_recipient_->address; }
  /// Answers RecipientCheck: no value, or the reply that refuses this recipient.
  void on_recipient(const std::optional<ServerReply>& refusal, MonotonicTime now);

  /// The envelope of the message at hand: from Content to on_accepted() or on_refused().
  [[nodiscard]] const Envelope& envelope() const { return envelope_; }
  /// Whether MAIL was accepted and what came of it is not decided yet.
  [[nodiscard]] bool in_transaction() const { return in_transaction_; }
  /// Who submits; only after authentication.
  [[nodiscard]] const std::optional<Account>& account() const { return account_; }
  /// Name the client gave in EHLO.
  [[nodiscard]] const std::string& helo_name() const { return helo_name_; }

  /// Content decoded since the last call, CRLF line ends; while need() is Content, and at Acceptance the last of it.
  [[nodiscard]] std::string take_content();
  /// At Acceptance: why the content cannot be taken whatever it says (line ends, size); no value: it can.
  [[nodiscard]] const std::optional<ServerReply>& content_refusal() const { return content_refusal_; }
  /// Goes on after Content.
  void resume(MonotonicTime now);

  /// @param queue_id  told to the client: "250 2.0.0 Ok: queued as <id>"
  void on_accepted(std::string_view queue_id, MonotonicTime now);
  /// As on_accepted(), where the client waited for what its receiver says.
  /// @param reply  with code 250
  void on_delivered(const ServerReply& reply, MonotonicTime now);
  /// A message with ambiguous line ends ends the connection too: what the client sends next it may take for a part of
  /// it.
  /// @param refusal  by value: it may be content_refusal(), which ends with the transaction
  void on_refused(ServerReply refusal, MonotonicTime now);

  /// Ends the session between commands: 421 4.3.2.
  void shut_down(MonotonicTime now);

 private:
  enum class State { Idle, AuthResponse, Content, Chunk, Busy, Closed };
  enum class LoginStep { None, User, Password, PlainResponse, ExternalResponse, ScramFirst, ScramFinal, ScramEnd };
  struct ScramLogin {
    ScramServer server;
    std::string denial{};
    std::optional<Account> proven{};  ///< what the client gets once it has heard our proof
  };

  void advance(MonotonicTime now);
  void limit_waiting(MonotonicTime now);
  bool read_line(MonotonicTime now);
  void read_content();
  void read_chunk(MonotonicTime now);
  void end_chunk(MonotonicTime now);
  void end_content();
  [[nodiscard]] std::optional<ServerReply> refusal_of_content() const;
  [[nodiscard]] WallTime time_of_day(MonotonicTime now) const { return options_.began + (now - made_); }
  void add_timing_offer(ServerReply& offer, MonotonicTime now) const;
  void execute(std::string_view line, MonotonicTime now);
  void execute(const HeloCommand& command, MonotonicTime now);
  void execute(const StartTlsCommand& command, MonotonicTime now);
  void execute(const AuthCommand& command, MonotonicTime now);
  void execute(const MailCommand& command, MonotonicTime now);
  void execute(const RcptCommand& command, MonotonicTime now);
  void execute(const DataCommand& command, MonotonicTime now);
  void execute(const BdatCommand& command, MonotonicTime now);
  void execute(const RsetCommand& command, MonotonicTime now);
  void execute(const NoopCommand& command, MonotonicTime now);
  void execute(const QuitCommand& command, MonotonicTime now);
  void execute(const VrfyCommand& command, MonotonicTime now);
  void execute(const HelpCommand& command, MonotonicTime now);
  void execute(const XclientCommand& command, MonotonicTime now);
  void execute(const HttpRequest& command, MonotonicTime now);
  void auth_response(std::string_view line, MonotonicTime now);
  void check_plain(std::string_view response, MonotonicTime now);
  void check_external(std::string_view response, MonotonicTime now);
  [[nodiscard]] std::string mechanisms() const;
  [[nodiscard]] bool begin_scram(std::string_view mechanism);
  void read_scram(LoginStep step, std::string_view response, MonotonicTime now);
  void end_scram(std::string_view response, MonotonicTime now);
  void log_in(Account account, MonotonicTime now);
  void refuse_auth(const Error& error, MonotonicTime now);

  void reply(int code, std::string_view enhanced_code, std::string_view text);
  void refuse(const ServerReply& reply, MonotonicTime now);
  void end(int code, std::string_view enhanced_code, std::string_view text);
  void end(const ServerReply& farewell);
  void wait_for(Need need);
  void await_command(MonotonicTime now);
  void await_response(LoginStep step, std::string_view challenge, MonotonicTime now);
  void check_login(MonotonicTime now);
  void reset_transaction();
  void accept_recipient(EnvelopeRecipient recipient);
  void say_verdict(const ServerReply& verdict);
  void begin_anew(MonotonicTime now);

  Options options_;
  MonotonicTime made_;
  Need need_ = Need::Bytes;
  State state_ = State::Idle;
  LoginStep login_ = LoginStep::None;
  MonotonicTime expiry_;
  MonotonicTime session_end_;
  MonotonicTime greeting_end_;
  InputBuffer input_;
  bool line_begun_ = false;
  std::size_t discarded_octets_ = 0;  ///< of a line that is too long
  std::string output_;
  bool secured_ = false;
  bool greeted_ = false;
  bool extended_ = false;
  std::string helo_name_;
  Certificate certificate_ = Certificate::None;
  ScramServer::ChannelBinding channel_binding_ = ScramServer::ChannelBinding::NotOffered;
  Credentials credentials_;
  std::unique_ptr<ScramLogin> scram_;  ///< while SCRAM is under way
  std::string authorization_identity_;
  std::optional<Account> account_;
  std::string claimed_login_;
  std::optional<IpAddress> told_address_;
  unsigned failed_logins_ = 0;
  unsigned errors_ = 0;
  bool in_transaction_ = false;
  std::optional<MailCommand> pending_mail_;
  DeliveryTiming pending_timing_;
  std::optional<EnvelopeRecipient> pending_recipient_;
  Envelope envelope_;
  std::size_t accepted_rcpts_ = 0;  ///< RCPT commands that were answered with 250; LMTP owes each a verdict
  std::optional<ContentDecoder> decoder_;
  std::string content_;
  std::uint64_t content_octets_ = 0;
  std::uint64_t wire_octets_ = 0;  ///< of this content or chunk, as they came
  std::uint64_t chunk_octets_ = 0;
  bool chunk_last_ = false;
  std::optional<ServerReply> chunk_refusal_;  ///< said when the octets of the chunk have been dropped
  MonotonicTime content_begun_;
  std::optional<ServerReply> content_refusal_;
};

/// Wrong passwords after which a connection is closed.
inline constexpr unsigned kMaxFailedLogins = 5;
/// Refused commands after which a connection is closed.
inline constexpr unsigned kMaxCommandErrors = 20;
/// A line that is too long is read to its end if that comes within so many octets; else the connection is closed.
inline constexpr std::size_t kMaxDiscardedOctets = 65'536;
/// Least speed of content. @see SmtpServerEngine::Options::content_grace
inline constexpr std::uint64_t kLeastContentOctetsPerSecond = 1'024;

}  // namespace waxwing
