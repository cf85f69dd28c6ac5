#include "relay/daemon/daemon.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "relay/admin/admin_handler.h"
#include "relay/admin/control_server.h"
#include "relay/admin/needed_keys.h"
#include "relay/daemon/egress_desk.h"
#include "relay/daemon/key_ring.h"
#include "relay/daemon/key_watch.h"
#include "relay/daemon/network.h"
#include "relay/daemon/own_addresses.h"
#include "relay/daemon/route_table.h"
#include "relay/daemon/scram_secret.h"
#include "relay/daemon/srs_secrets.h"
#include "relay/daemon/submission_limits.h"
#include "relay/daemon/tls_report_sender.h"
#include "relay/daemon/work_pool.h"
#include "relay/daemon/worker.h"
#include "relay/delivery/delivery_queue.h"
#include "relay/observe/event_log.h"
#include "relay/observe/service_manager.h"
#include "relay/observe/timestamp.h"
#include "relay/queue/retry_schedule.h"
#include "relay/signing/find_user.h"
#include "relay/store/audit_store.h"
#include "relay/store/egress_store.h"
#include "relay/store/proven_tls_store.h"
#include "relay/store/sqlite_queue_store.h"
#include "relay/store/store_thread.h"
#include "relay/store/sts_policy_store.h"
#include "relay/store/suppression_store.h"
#include "transport/io/event_loop.h"
#include "transport/io/local_socket.h"
#include "transport/io/signal_watcher.h"

namespace waxwing {
namespace {

// An orderly end waits this long for messages and attempts that are under way.
constexpr Milliseconds kShutdownGrace{20'000};
constexpr Milliseconds kShutdownPoll{50};
constexpr Milliseconds kHousekeepingInterval{3'600'000};
constexpr Milliseconds kUsageInterval{2'000};
constexpr mode_t kSubmissionSocketMode = 0666;  // who may send is decided by uid
constexpr std::size_t kMaxWaitingSignatures = 10'000;
constexpr std::size_t kMaxWaitingLogins = 1'000;
constexpr std::size_t kMaxKeyFileOctets = 1U << 20;

WallTime system_time() {
  return std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
}

int exit_status(const Error& error) {
  switch (error.kind) {
    case ErrorKind::Denied:
      return EX_NOPERM;
    case ErrorKind::Malformed:
      return EX_CONFIG;
    case ErrorKind::NotFound:
      return EX_NOINPUT;
    case ErrorKind::Corrupt:
      return EX_DATAERR;
    case ErrorKind::Exhausted:
      return EX_OSERR;
    default:
      return EX_UNAVAILABLE;
  }
}

Severity severity_of(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return Severity::Debug;
    case LogLevel::Warning:
      return Severity::Warning;
    case LogLevel::Error:
      return Severity::Error;
    case LogLevel::Info:
      break;
  }
  return Severity::Info;
}

std::uint64_t random_seed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32U) | device();
}

Result<std::shared_ptr<const TlsServerContext>> load_server_context(const ListenerConfig& listener) {
  if (listener.tls == ListenerConfig::Tls::None) return std::shared_ptr<const TlsServerContext>();
  auto certificate = read_file(listener.certificate_file, kMaxKeyFileOctets);
  if (!certificate) return tl::unexpected(certificate.error());
  auto key = read_file(listener.key_file, kMaxKeyFileOctets);
  if (!key) return tl::unexpected(key.error());
  Result<std::string> authorities = std::string();
  if (!listener.client_ca_file.empty()) authorities = read_file(listener.client_ca_file, kMaxKeyFileOctets);
  if (!authorities) return tl::unexpected(authorities.error());
  auto context = TlsServerContext::create(*certificate, *key, *authorities);
  if (context) return context;
  return fail(context.error().kind, fmt::format("{} and {} of listener '{}': {}", listener.certificate_file,
                                                listener.key_file, listener.name, context.error().detail));
}

// Who is believed about clients of a listener; nullptr: nobody.
Result<std::shared_ptr<const TrustAnchors>> load_client_anchors(const ListenerConfig& listener) {
  if (listener.client_ca_file.empty()) return std::shared_ptr<const TrustAnchors>();
  return load_trust_anchors(listener.client_ca_file);
}

// Every connection is a descriptor; the limit that the service manager set for the soft side is raised to the hard one.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

/// The parts of the running relay, in the order in which they need one another.
class Daemon {
 public:
  Daemon(const Config& config, EventLog& log);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  Result<void> start();
  void run();

 private:
  Result<void> load_routes();
  Result<void> open_store();
  Result<void> prepare_forwarding();
  Result<void> prepare_scram();
  Result<void> load_queue();
  Result<void> start_workers();
  Result<void> open_local_listeners(std::vector<InheritedSocket>& sockets) const;
  Result<void> open_control();
  Result<void> open_needed_keys();
  void on_effects(const AdminEffects& effects);
  void note_bounced(const BouncedMessage& bounced);
  void note_act(const OperatorAction& act);
  void apply_egress_orders(const AdminEffects& effects);
  void remove_outdated();
  void write_usage();
  void begin_shutdown();
  void await_quiet();
  void start_reports();
  [[nodiscard]] DeliveryQueue::Ports delivery_ports();
  [[nodiscard]] AdminServices admin_services();
  void make_composer(std::uint64_t seed);
  [[nodiscard]] Worker& worker_for(const std::string& destination);
  void reload_passwords();

  const Config& config_;
  EventLog& log_;
  EventLoop loop_;
  QueueIdSource ids_;
  CurrentKeyRing keys_;
  std::unique_ptr<const RouteTable> routes_;
  Secret scram_secret_;                             // empty where SCRAM is offered nowhere
  std::shared_ptr<const SenderRewriter> rewriter_;  ///< nullptr: nothing is forwarded
  WorkPool signing_pool_;
  WorkPool password_pool_;
  PasswordVerifier passwords_;
  LoginThrottle login_throttle_;
  WorkPool background_pool_;  ///< for what nobody waits for
  FreshMessages fresh_;
  std::unique_ptr<StoreThread> store_;
  std::shared_ptr<const SettingsVersion> settings_;
  std::unique_ptr<SubmissionLimits> limits_;
  std::unique_ptr<EgressDesk> egress_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<ReportComposer> composer_;
  std::unique_ptr<DeliveryQueue> queue_;
  Timer queue_timer_;
  std::unique_ptr<TlsReportSender> tls_reports_;
  std::unique_ptr<LocalRequestServer> control_;
  std::unique_ptr<LocalRequestServer> needed_keys_;
  KeyWatch key_watch_;
  Timer housekeeping_timer_;
  Timer usage_timer_;
  Timer shutdown_timer_;
  std::optional<MonotonicTime> shutdown_end_;
};

unsigned worker_count(const Config& config) {
  return config.workers != 0 ? config.workers : std::max(1U, std::thread::hardware_concurrency());
}

Daemon::Daemon(const Config& config, EventLog& log)
    : config_(config),
      log_(log),
      ids_(static_cast<std::uint32_t>(random_seed())),
      signing_pool_(worker_count(config), kMaxWaitingSignatures),
      password_pool_(1, kMaxWaitingLogins),
      passwords_(password_pool_),
      background_pool_(1, kMaxLocalConnections + 1),
      queue_timer_(loop_, [this] { queue_->run_due(); }),
      key_watch_(loop_, background_pool_, log, config, keys_),
      housekeeping_timer_(loop_, [this] { remove_outdated(); }),
      usage_timer_(loop_, [this] { write_usage(); }),
      shutdown_timer_(loop_, [this] { await_quiet(); }) {}

// Against the direction in which the parts call one another: nobody calls what is gone.
Daemon::~Daemon() {
  signing_pool_.stop();
  password_pool_.stop();
  background_pool_.stop();
  if (limits_) limits_->write_down();
  if (egress_) egress_->write_down();
  if (store_) store_->stop();
  for (const std::unique_ptr<Worker>& worker : workers_) worker->stop();
}

Result<void> Daemon::start() {
  housekeeping_timer_.start(kHousekeepingInterval);
  auto opened = key_watch_.start();
  if (opened) opened = load_routes();
  if (opened) opened = open_store();
  if (opened) opened = prepare_forwarding();
  if (opened) opened = prepare_scram();
  if (opened) opened = load_queue();
  if (opened) opened = start_workers();
  if (opened) start_reports();
  if (opened) opened = open_control();
  return opened;
}

Result<void> Daemon::load_routes() {
  auto routes = RouteTable::create(config_, RouteTable::Logins::Load);
  if (!routes) return tl::unexpected(routes.error());
  routes_ = std::move(*routes);
  return {};
}

// Whoever changed a password wants it tried, and does not want to wait until a pause is over.
void Daemon::reload_passwords() {
  if (routes_->logins() == 0) return;
  const std::vector<Error> errors = routes_->reload_passwords();
  for (const Error& error : errors) log_.write(Severity::Error, "password_unreadable", {{"reason", error.detail}});
  if (errors.empty()) log_.write(Severity::Info, "passwords_loaded", {});
  for (const RouteConfig& route : config_.routes) {
    if (!route.user.empty()) queue_->resume(RouteTable::destination_of(route.name));
  }
}

Result<void> Daemon::open_store() {
  auto store = SqliteQueueStore::open(config_.state_directory);
  if (!store) return tl::unexpected(store.error());
  StoreThread::Options options;
  options.on_state = [this](const std::optional<Error>& error) {
    if (error)
      log_.write(Severity::Error, "store_unavailable", {{"reason", error->detail}});
    else
      log_.write(Severity::Info, "store_available", {});
    // What `systemctl status` shows.
    notify_service_manager(error ? "STATUS=No mail is taken or delivered: " + error->detail : "STATUS=Running");
    loop_.post([this, available = !error] {
      if (queue_) queue_->on_store_state(available);
    });
  };
  settings_ = (*store)->settings_version();
  store_ = std::make_unique<StoreThread>(std::move(*store), std::move(options));
  limits_ = std::make_unique<SubmissionLimits>(config_, *store_, log_);
  egress_ = std::make_unique<EgressDesk>(config_, *store_, log_);
  egress_->check_addresses(local_addresses());
  std::promise<Result<void>> loaded;
  std::future<Result<void>> outcome = loaded.get_future();
  store_->run(
      [this](SqliteQueueStore& opened) -> Result<void> {
        if (auto limits = limits_->load(opened, system_time()); !limits) return limits;
        return egress_->load(opened, system_time());
      },
      [&loaded](Result<void> result) { loaded.set_value(std::move(result)); });
  usage_timer_.start(kUsageInterval);
  return outcome.get();
}

Result<void> Daemon::prepare_forwarding() {
  const bool forwards = std::any_of(config_.listeners.begin(), config_.listeners.end(), [](const auto& listener) {
    return listener.purpose == ListenerConfig::Purpose::Forwarding;
  });
  if (!forwards) return {};
  auto domain = DomainName::parse(config_.forwarding_domain);
  if (!domain) return tl::unexpected(domain.error());
  auto secrets = load_srs_secrets(config_.state_directory, system_time());
  if (!secrets) return tl::unexpected(secrets.error());
  rewriter_ = std::make_shared<const SenderRewriter>(std::move(*domain), std::move(*secrets));
  return {};
}

Result<void> Daemon::prepare_scram() {
  if (!keeps_scram_keys(config_)) return {};
  auto secret = load_scram_secret(config_.state_directory, system_time());
  if (!secret) return tl::unexpected(secret.error());
  scram_secret_ = std::move(*secret);
  return {};
}

Result<void> Daemon::load_queue() {
  DeliveryQueue::Options options;
  options.seed = random_seed();
  make_composer(options.seed);
  options.concurrency = {config_.initial_concurrency, config_.max_connections_per_host, config_.failed_cohorts};
  options.outcomes.delay_report_after = config_.delay_report_after;
  options.outcomes.count_tls_results = config_.tls_report_enabled;
  options.outcomes.suppress_for = config_.suppression_keep_for;
  options.outcomes.suppresses_bad_mailboxes = [this](const std::string& tenant) {
    const std::vector<std::string>& others = config_.suppression_except_tenants;
    const bool is_other = std::find(others.begin(), others.end(), tenant) != others.end();
    return config_.suppression_bad_mailboxes != is_other;
  };
  queue_ =
      std::make_unique<DeliveryQueue>(*composer_, log_, RetrySchedule(config_.retry_delays), options, delivery_ports());
  std::promise<Result<void>> loaded;
  std::future<Result<void>> outcome = loaded.get_future();
  store_->run([this](SqliteQueueStore& store) { return queue_->load(store); },
              [&loaded](Result<void> result) { loaded.set_value(std::move(result)); });
  return outcome.get();
}

DeliveryQueue::Ports Daemon::delivery_ports() {
  const auto bring_back = [this](AttemptResult result) {
    loop_.post([this, result = std::move(result)]() mutable { queue_->on_result(std::move(result)); });
  };
  DeliveryQueue::Ports ports;
  ports.now = [this] { return loop_.wall_now(); };
  ports.wake_up = [this](std::optional<Milliseconds> after) {
    if (after)
      queue_timer_.start(*after);
    else
      queue_timer_.stop();
  };
  ports.record = [this](AttemptRecord record, DeliveryQueue::Ports::Recorded recorded) {
    store_->record(std::move(record), [this, recorded = std::move(recorded)](Result<std::vector<QueueId>> removed) {
      loop_.post([recorded, removed = std::move(removed)] { recorded(removed); });
    });
  };
  ports.start_attempt = [this, bring_back](DueBatch batch) {
    Worker& worker = worker_for(batch.destination);
    worker.attempt(std::move(batch), bring_back);
  };
  ports.load_expired = [this, bring_back](DueBatch batch) {
    Worker& worker = worker_for(batch.destination);
    worker.load_expired(std::move(batch), bring_back);
  };
  ports.seal_report = [this](QueuedMessage report, std::function<void(QueuedMessage)> on_sealed) {
    workers_.front()->seal_report(std::move(report), [this, on_sealed = std::move(on_sealed)](QueuedMessage sealed) {
      loop_.post([on_sealed, sealed = std::move(sealed)]() mutable { on_sealed(std::move(sealed)); });
    });
  };
  ports.on_outcome = [this](const QueuedMessage& message, RecipientState state) {
    limits_->count_outcome(message.account, message.tenant, state == RecipientState::Bounced, system_time());
  };
  ports.destination = [this](const std::string& tenant, const std::string& domain) {
    return routes_->destination(tenant, domain);
  };
  return ports;
}

void Daemon::make_composer(std::uint64_t seed) {
  ReportComposer::Options options{config_.hostname, config_.lifetime, seed};
  // The queue is older than a listener that was removed, so what cannot be restored stays as it is.
  if (rewriter_) {
    options.original_sender = [rewriter = rewriter_](const MailAddress& sender) {
      const auto original = rewriter->restore(sender, system_time());
      return original ? *original : sender;
    };
  }
  composer_ = std::make_unique<ReportComposer>(ids_, std::move(options));
}

// One worker per destination, a domain or a route, so that its connections can be used again.
Worker& Daemon::worker_for(const std::string& destination) {
  return *workers_[std::hash<std::string>()(destination) % workers_.size()];
}

Result<void> Daemon::start_workers() {
  auto anchors = load_trust_anchors(config_.ca_file);
  if (!anchors) return tl::unexpected(anchors.error());
  WorkerEnvironment environment{config_,
                                *store_,
                                settings_,
                                *limits_,
                                keys_,
                                signing_pool_,
                                passwords_,
                                login_throttle_,
                                ids_,
                                log_,
                                *anchors,
                                {},
                                {},
                                {},
                                std::make_shared<std::atomic<std::size_t>>(0),
                                {},
                                {},
                                rewriter_,
                                std::make_shared<ProviderConnections>(config_.max_connections_per_provider),
                                fresh_,
                                *routes_,
                                scram_secret_,
                                *egress_};
  for (const ListenerConfig& listener : config_.listeners) {
    auto context = load_server_context(listener);
    if (!context) return tl::unexpected(context.error());
    environment.listener_tls.push_back(std::move(*context));
    auto client_anchors = load_client_anchors(listener);
    if (!client_anchors) return tl::unexpected(client_anchors.error());
    environment.client_anchors.push_back(std::move(*client_anchors));
  }
  environment.inherited = take_inherited_sockets();
  if (auto opened = open_local_listeners(environment.inherited); !opened) return opened;
  environment.on_queued = [this](std::shared_ptr<const QueuedMessage> message, DeliveryQueue::Watcher watcher) {
    fresh_.keep(message, std::chrono::floor<Milliseconds>(std::chrono::steady_clock::now()));
    loop_.post([this, message = std::move(message), watcher = std::move(watcher)] {
      if (watcher)
        queue_->enqueue(*message, config_.cut_through_wait, watcher);
      else
        queue_->enqueue(*message);
    });
  };
  environment.stop_watching = [this](QueueId id) { loop_.post([this, id] { queue_->stop_watching(id); }); };
  for (unsigned i = 0; i < worker_count(config_); ++i) {
    auto worker = std::make_unique<Worker>(environment, i == 0 ? Worker::Drops::Take : Worker::Drops::Leave);
    auto started = worker->start();
    if (!started) return started;
    workers_.push_back(std::move(worker));
  }
  for (const InheritedSocket& socket : environment.inherited) ::close(socket.descriptor);  // each worker has its own
  return {};
}

// A path is bound once; all workers accept on the same socket.
Result<void> Daemon::open_local_listeners(std::vector<InheritedSocket>& sockets) const {
  for (const ListenerConfig& listener : config_.listeners) {
    const bool inherited = std::any_of(sockets.begin(), sockets.end(),
                                       [&](const InheritedSocket& socket) { return socket.name == listener.name; });
    if (listener.socket.empty() || inherited) continue;
    auto descriptor = listen_on_local_socket(listener.socket, kSubmissionSocketMode);
    if (!descriptor)
      return fail(descriptor.error().kind, fmt::format("listener '{}': {}", listener.name, descriptor.error().detail));
    sockets.push_back({listener.name, *descriptor});
  }
  return {};
}

void Daemon::start_reports() {
  TlsReportSender::Ports ports;
  ports.resolve = [this](const Question& question, std::function<void(const Answer&)> on_answer) {
    workers_.front()->resolve(question, [this, on_answer = std::move(on_answer)](const Answer& answer) {
      loop_.post([on_answer, answer] { on_answer(answer); });
    });
  };
  ports.post = [this](const HttpsUri& to, const std::string& content_type, std::string content,
                      std::function<void(Result<void>)> on_done) {
    workers_.front()->post_report(to, content_type, std::move(content),
                                  [this, on_done = std::move(on_done)](Result<void> posted) {
                                    loop_.post([on_done, posted = std::move(posted)] { on_done(posted); });
                                  });
  };
  ports.seal = delivery_ports().seal_report;
  ports.enqueue = [this](const QueuedMessage& message) { queue_->enqueue(message); };
  tls_reports_ =
      std::make_unique<TlsReportSender>(loop_, *store_, ids_, log_,
                                        TlsReportSender::Options{config_.hostname, config_.tls_report_organization,
                                                                 config_.tls_report_contact, config_.lifetime},
                                        std::move(ports));
  if (config_.tls_report_enabled) tls_reports_->start();
}

AdminServices Daemon::admin_services() {
  AdminContext context;
  context.compose_reports = [this](QueuedMessage original, const std::vector<ReportedRecipient>& reported,
                                   WallTime now) { return composer_->compose(std::move(original), reported, now); };
  LiveQueue live{[this](std::size_t rows) { return queue_->overview(rows); }, [this] { return queue_->held_back(); }};
  return {*store_, loop_, std::move(context), std::move(live),
          [this](const AdminEffects& effects) { on_effects(effects); }};
}

Result<void> Daemon::open_control() {
  auto control = open_control_server(loop_, config_.run_directory, admin_handler(admin_services()));
  if (!control) return tl::unexpected(control.error());
  control_ = std::move(*control);
  return open_needed_keys();
}

// Reading all headers takes its time, which neither the loop nor the store thread has.
Result<void> Daemon::open_needed_keys() {
  std::optional<uid_t> keeper;
  if (!config_.signer_socket.empty()) {
    const auto user = find_user(config_.signer_user, "signer.user");
    if (user) keeper = *user;
    if (!user) log_.write(Severity::Warning, "signer_user_unknown", {{"reason", user.error().detail}});
  }
  auto server = open_needed_keys_server(
      loop_, config_.run_directory, keeper, [this](LocalRequest request, LocalRequestServer::Respond respond) {
        const bool taken = background_pool_.submit([this, request = std::move(request), respond] {
          loop_.post(
              [respond, answer = answer_needed_keys(request.line, config_.state_directory)] { respond(answer); });
        });
        if (!taken) respond(answer_later());
      });
  if (!server) return tl::unexpected(server.error());
  needed_keys_ = std::move(*server);
  return {};
}

// What operators changed in the store becomes true for the scheduler too.
void Daemon::on_effects(const AdminEffects& effects) {
  // Who asks for a retry has mended something: what DNS said before must not stand in the way. The workers forget
  // before they see the attempts, since their tasks run in order.
  if (!effects.retry.empty() || effects.plans_are_stale)
    for (const std::unique_ptr<Worker>& worker : workers_) worker->forget_answers();
  for (const HeldMessage& held : effects.held) {
    queue_->hold(held.id);
    log_.write(Severity::Warning, "message_held",
               {{"id", held.id.str()}, {"message_id", held.message_id}, {"reason", held.reason}});
  }
  // Before the release, so that what is let go has its new end: it may have been held beyond the old one.
  for (const WaitingRecipient& recipient : effects.retry) queue_->retry(recipient);
  for (const HeldMessage& released : effects.released) {
    queue_->release(released.id);
    log_.write(Severity::Info, "message_released",
               {{"id", released.id.str()}, {"message_id", released.message_id}, {"reason", released.reason}});
  }
  for (const OperatorAct& entry : effects.audit) {
    log_.write(Severity::Warning, entry.event,
               {{"tenant", entry.tenant}, {"subject", entry.subject}, {"reason", entry.reason}});
  }
  apply_egress_orders(effects);
  for (const TlsReportDay& report : effects.tls_reports) tls_reports_->send_now(report.day, report.domain);
  for (const BouncedMessage& bounced : effects.bounced) note_bounced(bounced);
  for (const QueuedMessage& report : effects.reports) {
    log_.write(Severity::Info, "report_queued", {{"id", report.id.str()}});
    queue_->enqueue(report);
  }
  if (effects.on_queue) note_act(*effects.on_queue);
  for (const DroppedMessage& dropped : effects.dropped) {
    if (dropped.removed) queue_->forget(dropped.id);
    for (const std::string& recipient : dropped.recipients) {
      log_.write(Severity::Warning, "message_dropped",
                 {{"id", dropped.id.str()},
                  {"message_id", dropped.message_id},
                  {"to", recipient},
                  {"reason", dropped.reason}});
    }
  }
}

void Daemon::note_bounced(const BouncedMessage& bounced) {
  if (bounced.removed) queue_->forget(bounced.id);
  for (const std::string& recipient : bounced.recipients) {
    log_.write(
        Severity::Warning, "message_bounced",
        {{"id", bounced.id.str()}, {"message_id", bounced.message_id}, {"to", recipient}, {"reason", bounced.reason}});
  }
}

void Daemon::note_act(const OperatorAction& act) {
  log_.write(Severity::Warning, "operator_command",
             {{"operator", act.operator_name},
              {"uid", std::int64_t{act.uid}},
              {"command", act.command},
              {"filter", act.filter},
              {"messages", static_cast<std::int64_t>(act.messages)},
              {"recipients", static_cast<std::int64_t>(act.recipients)},
              {"reason", act.reason}});
}

void Daemon::apply_egress_orders(const AdminEffects& effects) {
  for (const EgressPause& pause : effects.egress_paused) {
    egress_->pause(pause, loop_.wall_now());
    log_.write(Severity::Warning, "egress_paused",
               {{"source", pause.source},
                {"provider", pause.provider},
                {"until", format_timestamp(pause.until)},
                {"reason", pause.reason}});
  }
  for (const EgressPause& pause : effects.egress_resumed) {
    egress_->resume(pause.source, pause.provider);
    log_.write(Severity::Warning, "egress_resumed",
               {{"source", pause.source}, {"provider", pause.provider}, {"reason", pause.reason}});
  }
}

void Daemon::run() {
  const SignalWatcher terminate(loop_, SIGTERM, [this] { begin_shutdown(); });
  const SignalWatcher interrupt(loop_, SIGINT, [this] { begin_shutdown(); });
  const SignalWatcher hang_up(loop_, SIGHUP, [this] {
    key_watch_.reload();
    reload_passwords();
  });
  log_.write(Severity::Info, "relay_started",
             {{"version", WAXWING_VERSION},
              {"hostname", config_.hostname},
              {"workers", static_cast<std::int64_t>(workers_.size())},
              {"signing_domains", static_cast<std::int64_t>(keys_.get() ? keys_.get()->domain_count() : 0)},
              {"waiting", static_cast<std::int64_t>(queue_->waiting())}});
  notify_service_manager("READY=1");
  loop_.run();
}

// What is out of date counts nowhere; it is deleted so that the database does not grow with the domains of the past.
void Daemon::remove_outdated() {
  housekeeping_timer_.start(kHousekeepingInterval);
  const WallTime now = loop_.wall_now();
  store_->run(
      [now, forgotten = now - config_.tls_remember_for](SqliteQueueStore& store) -> Result<void> {
        if (auto removed = store.sts_policies().remove_expired(now); !removed) return removed;
        if (auto removed = store.suppressions().remove_expired(now); !removed) return removed;
        if (auto removed = store.audits().remove_before(now - kAuditKeepFor); !removed) return removed;
        if (auto removed = store.egress().remove_outdated(now); !removed) return removed;
        return store.proven_tls().remove_before(forgotten);
      },
      [this](const Result<void>& removed) {
        if (!removed) log_.write(Severity::Error, "housekeeping_failed", {{"reason", removed.error().detail}});
      });
}

void Daemon::write_usage() {
  usage_timer_.start(kUsageInterval);
  limits_->write_down();
  egress_->write_down();
}

void Daemon::begin_shutdown() {
  if (shutdown_end_) return loop_.stop();  // asked twice: at once
  shutdown_end_ = loop_.now() + kShutdownGrace;
  notify_service_manager("STOPPING=1");
  log_.write(Severity::Info, "relay_stopping", {});
  queue_->stop();
  tls_reports_->stop();
  control_.reset();
  for (const std::unique_ptr<Worker>& worker : workers_) worker->stop_accepting();
  shutdown_timer_.start(kShutdownPoll);
}

void Daemon::await_quiet() {
  const bool quiet = queue_->active() == 0 && std::all_of(workers_.begin(), workers_.end(), [](const auto& worker) {
                       return worker->sessions() == 0 && worker->attempts() == 0;
                     });
  if (quiet || loop_.now() >= *shutdown_end_) return loop_.stop();
  shutdown_timer_.start(kShutdownPoll);
}

}  // namespace

int run_daemon(const Config& config) {
  const auto format = config.log_format == LogFormat::Json ? EventLog::Format::Json : EventLog::Format::Text;
  EventLog log(format, severity_of(config.log_level), STDERR_FILENO, system_time);
  raise_descriptor_limit();
  auto daemon = std::make_unique<Daemon>(config, log);
  const Result<void> started = daemon->start();
  if (!started) {
    log.write(Severity::Error, "start_failed", {{"reason", started.error().detail}});
    return exit_status(started.error());
  }
  daemon->run();
  daemon.reset();
  log.write(Severity::Info, "relay_stopped", {});
  return EX_OK;
}

}  // namespace waxwing
