#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "policy/ip_address.h"
#include "policy/tls_report.h"
#include "policy/tls_requirement.h"
#include "transport/delivery/content_source.h"
#include "transport/delivery/delivery_route.h"
#include "transport/delivery/local_end.h"
#include "transport/delivery/racing_connect.h"
#include "transport/io/connection.h"
#include "transport/io/event_loop.h"
#include "transport/smtp/client_engine.h"
#include "transport/tls/tls_client_context.h"

namespace waxwing {

/// What is known about a connection; for reports.
struct ConnectionFacts {
  std::string mx_name;
  std::string peer;           ///< endpoint
  std::string local_address;  ///< ours; empty before TCP was established
  std::string source;         ///< LocalEnd::source
  TlsLevel proven = TlsLevel::Plaintext;
  std::string tls_method;
  std::string tls_summary;
  std::string requirement_reason;
  /// What a report says about it, once the handshake has succeeded or failed; no value: nothing, for instance where the
  /// connection broke. Only the first that hears of a failure gets it, so that each session is counted once.
  std::optional<TlsFailure> tls_failure;
  bool own_end_failed = false;      ///< this host lacks the address of our end
  bool may_be_tried_again = false;  ///< TLS failed in a way that a new connection to the same address will avoid
};

/// Gives one connection its transactions.
class TransactionSource {
 public:
  enum class Next { Another, Done };
  virtual ~TransactionSource() = default;

  /// The transaction to run now.
  [[nodiscard]] virtual SmtpTransaction transaction() = 0;

  /// Its content, from the start.
  [[nodiscard]] virtual ContentSource& content() = 0;

  /// Takes what came of it. `Another` asks to run one more at once, if the connection is still usable.
  /// @param first  nothing had been sent on this connection before, so that it was not stale
  virtual Next on_outcome(SmtpTransactionOutcome outcome, const ConnectionFacts& facts, bool first) = 0;
};

/// One SMTP connection to one address of an MX host: TCP, the SMTP engine, TLS as the requirement demands. Carries any
/// number of transactions, all of which have the same requirement. Nothing is ever sent over it that the engine did not
/// say, and the engine begins no transaction before the TLS session has proven what the requirement asks for. It logs in
/// only where that is who the peer is.
class DeliveryConnection : public std::enable_shared_from_this<DeliveryConnection> {
 public:
  struct Options {
    LocalEnd local_end;
    Milliseconds connect_timeout;
    Milliseconds reply_timeout;
    Milliseconds idle_timeout;
    /// Another address of the same host, which is tried too when the first does not answer soon.
    std::optional<Endpoint> alternative{};
    bool implicit_tls = false;                 ///< TLS from the first octet
    std::shared_ptr<const LoginSlot> login{};  ///< what to log in with; nullptr: there is no login
  };

  /// Hears when the connection can be used and when it cannot any more. Both calls may come inside carry() and cut().
  class Owner {
   public:
    /// Ready for carry(), also again after each transaction; not usable() if the peer has ended TLS in the same breath,
    /// which on_gone() will report.
    virtual void on_ready(DeliveryConnection& connection) = 0;
    /// Over. No failure: it ended in order. Called once; the owner lets go of it.
    virtual void on_gone(DeliveryConnection& connection, const std::optional<SmtpFailure>& failure) = 0;

   protected:
    ~Owner() = default;
  };

  DeliveryConnection(EventLoop& loop, TlsClientContext& tls, Owner& owner, std::string mx_name, Endpoint endpoint,
                     TlsRequirement requirement, Options options);

  /// Begins to connect.
  void start();

  /// Whether carry() may be called now.
  [[nodiscard]] bool usable() const;

  /// Runs the transactions of `source`; only when usable().
  void carry(std::shared_ptr<TransactionSource> source);

  /// Says QUIT and ends; only when usable().
  void quit();

  /// Ends at once; a transaction under way fails with `detail`.
  void cut(std::string_view detail);

  [[nodiscard]] const ConnectionFacts& facts() const { return facts_; }

  /// What the server offered inside TLS; nothing before.
  [[nodiscard]] SmtpExtensions extensions() const { return engine_ ? engine_->extensions() : SmtpExtensions(); }

  /// Whether the engine came to be ready for mail at least once.
  [[nodiscard]] bool was_ready() const { return was_ready_; }

  /// Whether the server takes no more transactions on it (RFC 9422 §4.1). A limit to the recipient domains counts as one
  /// to the transactions, each of which has one domain.
  [[nodiscard]] bool worn_out() const;

  /// Transactions that were begun.
  [[nodiscard]] std::size_t transactions() const { return transactions_; }

 private:
  enum class Phase { Connecting, Open, Gone };

  void on_connected(std::unique_ptr<Connection> connection, std::size_t candidate);
  void on_secured();
  [[nodiscard]] std::optional<SmtpClientEngine::LoginAttempt> login() const;
  void on_closed(const std::optional<Error>& error);
  void on_tls_failure(const TlsSession& tls, const std::string& detail);
  void note_tls_failure(TlsResultType type, std::string_view reason_code);
  void on_timer();
  void start_tls();
  void pump();
  [[nodiscard]] bool pump_once();
  void begin_transaction();
  void feed_content();
  void take_outcome();
  void become_ready();
  void arm_timer();
  void flush();
  void end(const std::optional<SmtpFailure>& failure);
  void fail_source(const std::optional<SmtpFailure>& failure);
  [[nodiscard]] bool established() const;

  EventLoop& loop_;
  TlsClientContext& tls_;
  Owner& owner_;
  Endpoint endpoint_;
  const TlsRequirement requirement_;
  const Options options_;
  ConnectionFacts facts_;
  Phase phase_ = Phase::Connecting;
  Timer timer_;
  MonotonicTime timer_due_ = MonotonicTime::max();  // may be earlier than what is awaited: looked at when it fires
  MonotonicTime idle_until_ = MonotonicTime::max();
  std::optional<SmtpClientEngine> engine_;
  std::unique_ptr<RacingConnect> race_;  // until a connection stands
  std::unique_ptr<Connection> connection_;
  std::shared_ptr<TransactionSource> source_;
  bool tls_started_ = false;
  bool was_ready_ = false;
  bool idle_ = false;  // the owner knows that it may call carry()
  bool pumping_ = false;
  std::size_t transactions_ = 0;
  std::size_t recipients_ = 0;  // of the transaction that was begun last
};

}  // namespace waxwing
