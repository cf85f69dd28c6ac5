#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "transport/delivery/connection_pool.h"
#include "transport/delivery/delivery_job.h"
#include "transport/delivery/destination_planner.h"

namespace waxwing {

/// One attempt to deliver one job: plans, tries hosts and addresses in order until one gives an answer, and comes to
/// one outcome per recipient.
///
/// What a host says about a recipient or the message is the outcome (4yz: Deferred, 5yz: Bounced). What says only that
/// this connection failed (refused, cut, 421, TLS that does not prove what it must, a reply that cannot be trusted)
/// sends what is undecided to the next address, then to the next host; a login that is refused sends it to the next host
/// at once. When no host is left the undecided are Deferred
/// with the most telling failure; a message that asks for REQUIRETLS is bounced (5.7.30, 5.7.10) when each host was
/// found not to satisfy it (RFC 8689 §4.2.1), since another attempt would find the same.
class DeliveryAttempt : public PoolClient, public std::enable_shared_from_this<DeliveryAttempt> {
 public:
  using OnDone = std::function<void(DeliveryReport)>;

  DeliveryAttempt(EventLoop& loop, DestinationPlanner& planner, ConnectionPool& pool, DeliveryJob job, OnDone on_done);

  /// Begins; `on_done` is called once, perhaps inside this call.
  void start(Milliseconds timeout);

  [[nodiscard]] bool waits() const override { return on_done_ != nullptr; }
  [[nodiscard]] bool confirm() override;
  [[nodiscard]] SmtpTransaction transaction() override;
  [[nodiscard]] ContentSource& content() override { return *job_.content; }
  Next on_outcome(SmtpTransactionOutcome outcome, const ConnectionFacts& facts, bool first) override;
  void on_unreachable(const SmtpFailure& failure, const ConnectionFacts& facts) override;

 private:
  /// Why a host could not be used, kept for the case that none can.
  struct HostFailure {
    int rank = 0;  // the least is the most telling
    RecipientOutcome outcome;
    ConnectionFacts facts;
  };

  void on_planned(const std::shared_ptr<const PlannedDestination>& planned);
  void try_next();
  [[nodiscard]] std::optional<LocalEnd> choose_end(const PlannedHost& host);
  bool blame_own_end(const SmtpFailure& failure, RecipientOutcome& outcome);
  void submit(ConnectionPool::Place place);
  void pass_over(const SmtpFailure& failure, const ConnectionFacts& facts);
  void note(HostFailure failure);
  void count_session(const PlannedHost& host, std::optional<TlsFailure> failure);
  void count_refusal(const PlannedHost& host);
  void count_unknown_hosts();
  void count_policy_fetch();
  void on_lost(const SmtpFailure& failure, bool first);
  [[nodiscard]] TlsRequest request() const;
  [[nodiscard]] bool proves_what_requiretls_asks() const;
  [[nodiscard]] RecipientOutcome last_word() const;
  void take_result(std::size_t index, const std::optional<SmtpFailure>& failure, const SmtpTransactionOutcome& outcome);
  void on_deadline();
  void finish_undecided(const RecipientOutcome& outcome);
  void finish();
  [[nodiscard]] bool rewind();

  EventLoop& loop_;
  DestinationPlanner& planner_;
  ConnectionPool& pool_;
  DeliveryJob job_;
  OnDone on_done_;
  Timer deadline_;
  Milliseconds timeout_{};
  bool expired_ = false;

  std::shared_ptr<const PlannedDestination> planned_;
  std::size_t host_ = 0;
  std::size_t address_ = 0;
  std::size_t tries_ = 0;
  std::size_t stale_tries_ = 0;
  std::optional<PoolTarget> target_;
  std::optional<HostFailure> worst_;
  bool may_chunk_ = true;
  bool may_pass_ = false;  // some host failed in a way that may be over the next time

  std::vector<TlsSessionResult> tls_results_;
  std::vector<RecipientOutcome> outcomes_;
  std::vector<std::size_t> undecided_;  // indexes of recipients, in order
  std::vector<std::size_t> in_transaction_;
  ConnectionFacts facts_;  // of the connection that gave an outcome
};

inline constexpr std::size_t kMaxConnectionsPerAttempt = 20;  ///< addresses that one attempt tries

}  // namespace waxwing
