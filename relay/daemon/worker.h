#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "policy/pkix.h"
#include "policy/result.h"
#include "policy/secret.h"
#include "relay/config/config.h"
#include "relay/daemon/egress_desk.h"
#include "relay/daemon/fresh_messages.h"
#include "relay/daemon/key_ring.h"
#include "relay/daemon/message_intake.h"
#include "relay/daemon/message_sealer.h"
#include "relay/daemon/password_verifier.h"
#include "relay/daemon/route_table.h"
#include "relay/daemon/submission_limits.h"
#include "relay/daemon/work_pool.h"
#include "relay/delivery/attempt_result.h"
#include "relay/observe/event_log.h"
#include "relay/observe/service_manager.h"
#include "relay/queue/queued_message.h"
#include "relay/server/login_throttle.h"
#include "relay/store/settings_version.h"
#include "relay/store/store_thread.h"
#include "signer/srs.h"
#include "transport/delivery/provider_connections.h"
#include "transport/http/https_uri.h"
#include "transport/tls/tls_server_context.h"

namespace waxwing {

/// What all workers share; everything in it is immutable or thread-safe, and outlives them.
struct WorkerEnvironment {
  const Config& config;
  StoreThread& store;
  std::shared_ptr<const SettingsVersion> settings;  ///< of the store
  SubmissionLimits& limits;
  const CurrentKeyRing& keys;
  WorkPool& signing_pool;
  PasswordVerifier& passwords;
  LoginThrottle& login_throttle;
  QueueIdSource& ids;
  EventLog& log;
  std::shared_ptr<const TrustAnchors> anchors;
  std::vector<std::shared_ptr<const TlsServerContext>>
      listener_tls;  ///< in the order of config.listeners; may be nullptr
  std::vector<std::shared_ptr<const TrustAnchors>> client_anchors;  ///< likewise
  std::vector<InheritedSocket> inherited;
  std::shared_ptr<std::atomic<std::size_t>> open_sessions;  ///< of all workers, for limits.max_connections
  IntakeServices::OnQueued on_queued;
  std::function<void(QueueId)> stop_watching;
  std::shared_ptr<const SenderRewriter> rewriter;  ///< nullptr: nothing is forwarded
  std::shared_ptr<ProviderConnections> providers;  ///< of all workers, for delivery.max_connections_per_provider
  FreshMessages& fresh;
  const RouteTable& routes;
  const Secret& scram_secret;  ///< see Authenticator
  EgressDesk& egress;
};

/// One thread with its event loop: submission sessions, resolver, signatures in preparation, and deliveries. All
/// functions may be called from any thread.
class Worker {
 public:
  /// Of all workers one looks after the drop directory.
  enum class Drops { Take, Leave };
  Worker(const WorkerEnvironment& environment, Drops drops);
  ~Worker();  ///< after stop()
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Starts the thread, and waits until its listeners are open.
  /// @errors  as Listener::open(), with the listener's name; as QueueReader::open()
  [[nodiscard]] Result<void> start();

  /// Tries a batch; calls back on this worker's thread, exactly once unless stop() comes first.
  void attempt(DueBatch batch, std::function<void(AttemptResult)> on_result);

  /// Loads the message of a batch whose time is over; as attempt(), but nothing is sent.
  void load_expired(DueBatch batch, std::function<void(AttemptResult)> on_result);

  /// Signs a message of our own; a message that cannot be signed comes back as it was. As attempt().
  void seal_report(QueuedMessage report, std::function<void(QueuedMessage)> on_sealed);

  /// Looks something up; as attempt().
  void resolve(Question question, std::function<void(const Answer&)> on_answer);

  /// Submits a report by HTTPS, as Network::post_report(); as attempt().
  void post_report(HttpsUri to, std::string content_type, std::string content,
                   std::function<void(Result<void>)> on_done);

  /// Asks DNS anew from now on, whatever its TTL.
  void forget_answers();

  /// Closes the listeners, and sessions as soon as no message is under way in them.
  void stop_accepting();

  /// Sessions that are open, and attempts under way.
  [[nodiscard]] std::size_t sessions() const { return session_count_; }
  [[nodiscard]] std::size_t attempts() const { return attempt_count_; }

  /// Cuts what is left and ends the thread.
  void stop();

 private:
  struct Inside;
  void run(std::promise<Result<void>> started);

  WorkerEnvironment environment_;
  const Drops drops_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<Inside> inside_;  ///< made, used and destroyed on the thread
  std::atomic<std::size_t> session_count_ = 0;
  std::atomic<std::size_t> attempt_count_ = 0;
  std::thread thread_;
};

}  // namespace waxwing
