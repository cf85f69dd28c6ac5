#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/delivery_notice.h"
#include "policy/delivery_stage.h"
#include "policy/delivery_timing.h"
#include "policy/mail_address.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "transport/smtp/data_encoder.h"
#include "transport/smtp/extensions.h"
#include "transport/smtp/reply.h"
#include "transport/smtp/sasl_client.h"

namespace waxwing {

/// One message to hand over on a connection. Content is given piecewise when asked for.
struct SmtpTransaction {
  std::optional<MailAddress> reverse_path;  ///< no value: null reverse-path
  std::vector<MailAddress> recipients;      ///< at least 1, at most kMaxRecipientsPerTransaction
  std::uint64_t size_octets = 0;            ///< of the content with CRLF line ends, before dot-stuffing
  bool needs_8bit = false;      ///< content has octets over 127: BODY=8BITMIME, and only where it is offered
  bool needs_smtputf8 = false;  ///< some address or header field is not ASCII (RFC 6531)
  /// REQUIRETLS; only on a connection that has proven what it asks for (RFC 8689 §2). With a null reverse-path it is
  /// said where it is offered, and elsewhere the message goes without it (RFC 8689 §5).
  bool require_tls = false;
  bool may_chunk = true;                   ///< BDAT instead of DATA where CHUNKING is offered
  MessageNotice notice{};                  ///< passed on where DSN is offered (RFC 3461)
  std::vector<RecipientNotice> notices{};  ///< likewise, in the order of recipients; empty: none for any
  std::optional<ByValue> by{};             ///< counted from begin(); with R it goes only where DELIVERBY is offered
};

/// Why a transaction or a connection ended as it did, in terms of what to do next.
struct SmtpFailure {
  enum class Kind {
    Temporary,       ///< 4yz, cut connection, timeout, or a reply that cannot be trusted: try again
    Permanent,       ///< 5yz to this recipient or message: give up
    TlsUnavailable,  ///< STARTTLS not offered or refused: this host cannot be used (RFC 8460 starttls-not-supported)
    LoginRefused,    ///< AUTH failed, or is not offered: says nothing about any message; try again, but not soon
  };
  Kind kind = Kind::Temporary;
  std::string status;              ///< enhanced status code: that of the reply, or ours where there is no reply
  std::optional<SmtpReply> reply;  ///< the reply that says so, when there was one
  std::string detail;              ///< one sentence for people
  /// The connection failed rather than the message, and before the message was handed over whole: another host may be
  /// tried at once. Never set once the final dot was sent without a clear answer, since the message may have arrived.
  bool try_other_host = false;
  DeliveryStage stage = DeliveryStage::None;  ///< what the reply answered, or what was awaited
  bool not_asked = false;  ///< there was no room for this recipient in the transaction; the next may ask for it at once
};

/// What happened to each recipient of a transaction, in the order of SmtpTransaction::recipients: no value means
/// delivered.
struct SmtpTransactionOutcome {
  std::vector<std::optional<SmtpFailure>> recipients;
  std::optional<SmtpReply> final_reply;  ///< to the final dot, when there was one
  bool notices_passed_on = false;        ///< the server offers DSN: reports of success are its own matter now
  bool deliver_by_passed_on = false;     ///< the server offers DELIVERBY
  bool connection_usable = false;        ///< another transaction may follow on this connection
  bool chunking_unknown = false;         ///< CHUNKING was offered and BDAT is no command there: DATA may do
};

inline constexpr std::size_t kMaxRecipientsPerTransaction = 100;

/// The client side of one SMTP connection as a state machine: banner, EHLO, STARTTLS, handshake, EHLO, AUTH where there
/// is a login, then any number of transactions, then QUIT; with implicit TLS the handshake comes first. Never sends mail
/// in clear text: between EHLO and MAIL there is always a handshake. The owner moves octets, runs the TLS handshake, and
/// asks needs() after every call.
///
/// A reply is matched to the oldest command without one. A reply that no command asked for, a positive reply other than
/// the one that the command allows (RFC 5321 §4.3.2), and one that breaks the grammar cannot be trusted: the connection
/// ends and what is undecided is Temporary. No failure before MAIL is ever permanent for a message, since another host
/// may be better.
/// @source  RFC 5321 §4, RFC 2920 §3, RFC 3030 §2, RFC 3207 §4, RFC 4954 §4, RFC 8314 §3.3, RFC 9422 §4
class SmtpClientEngine {
 public:
  struct Options {
    std::string helo_name;  ///< our EHLO name
    Milliseconds banner_timeout{300'000};
    Milliseconds command_timeout{300'000};
    Milliseconds handshake_timeout{60'000};
    Milliseconds data_timeout{180'000};  ///< for each block of content to drain
    Milliseconds final_reply_timeout{600'000};
    bool implicit_tls = false;  ///< TLS from the first octet, instead of STARTTLS
  };

  /// A login, and the randomness that it needs.
  struct LoginAttempt {
    std::shared_ptr<const SmtpLogin> login;
    std::string nonce;  ///< printable ASCII without comma
  };

  /// What the owner must do now.
  enum class Need {
    Bytes,         ///< wait for octets or for expiry()
    TlsHandshake,  ///< begin TLS on the stream, then call on_secured(), on_tls_failure() or on_closed()
    Transaction,   ///< ready: call begin() or quit()
    Content,       ///< call give_content() with the next piece, or end_content(); octets may arrive meanwhile
    Outcome,       ///< a transaction ended: call take_outcome()
    Close,         ///< close the stream; failure() says why, if it was not in order
  };

  SmtpClientEngine(Options options, MonotonicTime now);

  [[nodiscard]] Need need() const;

  /// Octets for the peer since the last call.
  [[nodiscard]] std::string take_output();

  /// When on_expiry() is due; MonotonicTime::max() while nothing is awaited.
  [[nodiscard]] MonotonicTime expiry() const { return expiry_; }

  void on_bytes(std::string_view octets, MonotonicTime now);
  /// @param login  what to log in with before the first transaction. To be given only when TLS has proven who the peer
  ///               is, since it may be told the password; no value: there is no login on this connection
  void on_secured(MonotonicTime now, std::optional<LoginAttempt> login = std::nullopt);
  /// TLS did not come about on a stream that works; instead of on_secured(). No mail can be lost by it, and another
  /// address or host may do better.
  /// @param status  4.7.5 where the certificate does not prove what it must, else 4.7.0
  void on_tls_failure(std::string_view status, std::string_view detail);
  /// The stream ended; `detail` says how (reset, cut …).
  void on_closed(std::string_view detail, MonotonicTime now);
  void on_expiry(MonotonicTime now);

  /// Begins a transaction; only when need() is Transaction. What the server's extensions cannot carry fails at once
  /// (size: 5.3.4, 8-bit: 5.6.3, non-ASCII addresses: 5.6.7, REQUIRETLS: 5.7.30; BY with R: 5.3.3, 5.4.7)
  /// and leaves the connection usable; another host may be able to, but for BY. Recipients beyond its LIMITS are not asked for.
  void begin(SmtpTransaction transaction, MonotonicTime now);

  /// Content with CRLF line ends, cut anywhere; the engine does dot-stuffing, unless it goes by BDAT. A CR or LF alone
  /// ends the transaction as Permanent (5.6.0) and the connection with it, so that the server never sees an end of data;
  /// so does, as Temporary (4.3.0), content by BDAT that is not as long as was said.
  void give_content(std::string_view octets, MonotonicTime now);
  void end_content(MonotonicTime now);

  /// Gives up while content is being asked for: the connection ends without an end of data.
  void abandon_content(std::string_view detail, MonotonicTime now);

  [[nodiscard]] SmtpTransactionOutcome take_outcome();

  /// Ends the connection in order; only when need() is Transaction.
  void quit(MonotonicTime now);

  /// Why the connection cannot be used, when it ended before or between transactions.
  [[nodiscard]] const std::optional<SmtpFailure>& failure() const { return failure_; }

  /// Whether what take_output() gives may hold a password.
  [[nodiscard]] bool is_logging_in() const { return state_ == State::Auth; }

  /// What the server offered after the handshake.
  [[nodiscard]] const SmtpExtensions& extensions() const { return extensions_; }

 private:
  enum class State {
    Banner,       // waiting for the greeting
    Ehlo,         // waiting for what the server offers in clear; only STARTTLS matters
    StartTls,     // waiting for leave to begin the handshake
    Handshake,    // the owner runs TLS
    SecuredEhlo,  // waiting for what the server offers inside TLS
    Auth,         // waiting for the next challenge, or for what the server thinks of the login
    Ready,        // nothing is outstanding
    Reset,        // waiting for the reply to RSET after a transaction that failed
    Mail,         // waiting for the reply to MAIL
    Rcpt,         // waiting for the reply to the RCPT of recipient `replied_`
    Data,         // waiting for the reply to DATA
    Content,      // the owner gives content
    FinalReply,   // waiting for the verdict on the message
    LoneDot,      // data was opened with no recipient; waiting for the reply to the dot that closes it
    Quit,         // waiting for the farewell
    Closed,       // nothing more happens
  };
  enum class RecipientState { Undecided, Accepted, Failed };

  [[nodiscard]] static std::string_view awaited(State state);
  [[nodiscard]] static DeliveryStage stage_of(State state);

  void take_replies(MonotonicTime now);
  void on_reply(SmtpReply reply, MonotonicTime now);
  void on_banner(const SmtpReply& reply, MonotonicTime now);
  void on_ehlo_reply(const SmtpReply& reply, MonotonicTime now);
  void on_starttls_reply(const SmtpReply& reply, MonotonicTime now);
  void on_secured_ehlo_reply(const SmtpReply& reply, MonotonicTime now);
  void log_in(MonotonicTime now);
  void on_auth_reply(const SmtpReply& reply, MonotonicTime now);
  void refuse_login(std::string detail);
  void say_secret(const Secret& line, MonotonicTime now);
  void become_ready();
  void on_reset_reply(const SmtpReply& reply, MonotonicTime now);
  void on_mail_reply(const SmtpReply& reply, MonotonicTime now);
  void on_rcpt_reply(const SmtpReply& reply, MonotonicTime now);
  void on_last_rcpt_reply(MonotonicTime now);
  void on_data_reply(const SmtpReply& reply, MonotonicTime now);
  void on_early_reply(const SmtpReply& reply);
  void on_final_reply(const SmtpReply& reply);

  void send(State next, std::string_view command, Milliseconds timeout, MonotonicTime now);
  void send_rcpt(MonotonicTime now);
  void send_chunk(MonotonicTime now);
  void count_chunk(std::size_t octets, MonotonicTime now);
  void leave_out_the_rest();
  void note_unknown_chunking(const SmtpReply& reply);
  void enter(State next, Milliseconds timeout, MonotonicTime now);
  [[nodiscard]] SmtpFailure failure_of(const SmtpReply& reply) const;
  [[nodiscard]] std::string mail_line(MonotonicTime now) const;
  [[nodiscard]] std::string rcpt_line(std::size_t index) const;
  [[nodiscard]] std::optional<SmtpFailure> refusal_of(const SmtpTransaction& transaction) const;
  [[nodiscard]] std::optional<SmtpFailure> refusal_of_time(const SmtpTransaction& transaction) const;
  [[nodiscard]] bool any_accepted() const;
  [[nodiscard]] bool chunks() const;
  [[nodiscard]] bool in_transaction() const;
  void fail_recipient(std::size_t index, const SmtpFailure& failure);
  void fail_open_recipients(const SmtpFailure& failure);
  void end_transaction();
  void end_connection(SmtpFailure failure);
  void distrust(std::string_view what);
  void reset_transaction();

  Options options_;
  State state_ = State::Banner;
  MonotonicTime expiry_;
  std::string output_;
  SmtpReplyReader reader_;
  SmtpExtensions extensions_;
  bool secured_ = false;
  std::optional<LoginAttempt> login_;  // until it is begun
  std::optional<SaslClient> sasl_;     // while it is under way
  bool needs_reset_ = false;           // the last transaction failed half-way: RSET before the next
  std::optional<SmtpFailure> failure_;

  SmtpTransaction transaction_;
  MonotonicTime begun_;  // the transaction
  std::vector<RecipientState> recipients_;
  std::size_t asked_ = 0;           // recipients for whom this transaction asks
  std::size_t replied_ = 0;         // those whose RCPT was answered
  std::string last_of_chunk_;       // the last octet of a chunk, until it is certain that no other follows
  std::uint64_t chunk_octets_ = 0;  // of the content that are still to come after BDAT
  DataEncoder encoder_;
  SmtpTransactionOutcome outcome_;
  bool outcome_ready_ = false;
};

}  // namespace waxwing
