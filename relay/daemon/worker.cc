#include "relay/daemon/worker.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <utility>

#include "relay/config/tls_rules.h"
#include "relay/daemon/authenticator.h"
#include "relay/daemon/chain_sealer.h"
#include "relay/daemon/drop_pickup.h"
#include "relay/daemon/egress_addresses.h"
#include "relay/daemon/http_session.h"
#include "relay/daemon/message_intake.h"
#include "relay/daemon/network.h"
#include "relay/daemon/queued_content.h"
#include "relay/daemon/report_mail.h"
#include "relay/daemon/seal_anew.h"
#include "relay/daemon/submission_session.h"
#include "relay/delivery/outcome_rules.h"
#include "relay/queue/bounce.h"
#include "relay/store/disk_space.h"
#include "relay/store/queue_reader.h"
#include "signer/header_field.h"
#include "transport/io/connection.h"
#include "transport/io/event_loop.h"
#include "transport/io/listener.h"

namespace waxwing {
namespace {

// A full disk is told on the log once in this time.
constexpr Milliseconds kDiskLogInterval{60'000};

SmtpServerEngine::Options engine_options(const Config& config, const ListenerConfig& listener) {
  SmtpServerEngine::Options options;
  options.hostname = config.hostname;
  options.tls = listener.tls == ListenerConfig::Tls::None       ? SmtpServerEngine::Tls::None
                : listener.tls == ListenerConfig::Tls::StartTls ? SmtpServerEngine::Tls::StartTls
                                                                : SmtpServerEngine::Tls::Implicit;
  options.bare_line_ends =
      listener.bare_line_ends == ListenerConfig::BareLineEnds::Fix ? BareLineEnds::Fix : BareLineEnds::Reject;
  options.long_lines = listener.long_lines == ListenerConfig::LongLines::Reject ? LongLines::Reject
                       : listener.long_lines == ListenerConfig::LongLines::Fix  ? LongLines::Fix
                                                                                : LongLines::Pass;
  // What others have signed is broken by mending.
  const bool forwards = listener.purpose == ListenerConfig::Purpose::Forwarding;
  if (forwards && options.long_lines == LongLines::Fix) options.long_lines = LongLines::Pass;
  if (!forwards)
    options.timing = {config.max_future_release, config.least_by_time};  // RFC 4865 §4.2: where mail is submitted
  if (listener.protocol == ListenerConfig::Protocol::Lmtp) options.protocol = SmtpServerEngine::Protocol::Lmtp;
  options.max_message_octets = config.max_message_octets;
  options.max_recipients = config.max_recipients;
  options.checks_recipients = true;
  options.command_timeout = config.idle_timeout;
  return options;
}

// What a report about the message may need of it.
QueuedMessage without_needless_body(QueuedMessage message) {
  if (!is_returned_whole(message)) message.body.clear();
  return message;
}

}  // namespace

// What lives on the worker's thread.
struct Worker::Inside {
  Inside(Worker& worker, QueueReader queue_reader);

  Result<void> open_listeners();
  Result<std::unique_ptr<Listener>> open_listener(std::size_t index);
  void accept(const SessionServices& services, std::unique_ptr<Connection> connection);
  std::optional<ServerReply> check_storage();
  [[nodiscard]] Result<QueuedMessage> load(const DueBatch& batch);
  void attempt(DueBatch batch, std::function<void(AttemptResult)> on_result);
  void seal_and_deliver(DueBatch batch, QueuedMessage message, std::function<void(AttemptResult)> on_result);
  void deliver(DueBatch batch, QueuedMessage message, std::function<void(AttemptResult)> on_result);
  void seal_report(QueuedMessage report, std::function<void(QueuedMessage)> on_sealed);
  void stop_accepting();

  Worker& worker;
  const WorkerEnvironment& environment;
  EventLoop& loop;
  QueueReader reader;
  std::unique_ptr<Network> network;
  std::unique_ptr<MessageSealer> sealer;
  std::unique_ptr<ChainSealer> chain_sealer;
  std::unique_ptr<Authenticator> authenticator;
  std::unique_ptr<IntakeServices> intake;
  std::vector<std::unique_ptr<SessionServices>> services;  ///< one for each listener
  std::vector<std::unique_ptr<Listener>> listeners;
  std::set<std::shared_ptr<SubmissionSession>> sessions;
  std::set<std::shared_ptr<HttpSession>> http_sessions;
  std::unique_ptr<DropPickup> drop_pickup;
  std::optional<MonotonicTime> disk_full_logged;
};

Worker::Inside::Inside(Worker& owner, QueueReader queue_reader)
    : worker(owner), environment(owner.environment_), loop(*owner.loop_), reader(std::move(queue_reader)) {}

Worker::Worker(const WorkerEnvironment& environment, Drops drops)
    : environment_(environment), drops_(drops), loop_(std::make_unique<EventLoop>()) {}

Worker::~Worker() = default;

Result<void> Worker::start() {
  std::promise<Result<void>> started;
  std::future<Result<void>> outcome = started.get_future();
  thread_ = std::thread([this, started = std::move(started)]() mutable { run(std::move(started)); });
  Result<void> result = outcome.get();
  if (!result) thread_.join();
  return result;
}

void Worker::run(std::promise<Result<void>> started) {
  const Config& config = environment_.config;
  auto reader = QueueReader::open(config.state_directory, environment_.settings);
  if (!reader) return started.set_value(tl::unexpected(reader.error()));
  inside_ = std::make_unique<Inside>(*this, std::move(*reader));
  auto network = Network::create(*loop_, config, environment_.log, environment_.anchors, &inside_->reader,
                                 &environment_.store, environment_.providers);
  const auto hostname = DomainName::parse(config.hostname);
  if (!network || !hostname) {
    inside_.reset();
    return started.set_value(tl::unexpected(network ? hostname.error() : network.error()));
  }
  inside_->network = std::move(*network);
  inside_->sealer = std::make_unique<MessageSealer>(
      *loop_, inside_->network->resolver(), environment_.keys, environment_.signing_pool,
      MessageSealer::Options{*hostname,
                             [this, direct = std::make_shared<EgressAddresses>(config)](
                                 const std::string& tenant, const std::vector<std::string>& domains) {
                               return environment_.routes.egress_addresses(tenant, domains, direct->of(tenant));
                             },
                             config.signature_lifetime});
  ChainSealer::Options chain{*hostname, std::nullopt};
  if (auto domain = DomainName::parse(config.forwarding_domain)) chain.domain = std::move(*domain);
  inside_->chain_sealer = std::make_unique<ChainSealer>(*loop_, inside_->network->resolver(), environment_.keys,
                                                        environment_.signing_pool, std::move(chain));
  inside_->authenticator = std::make_unique<Authenticator>(*loop_, inside_->reader, environment_.passwords,
                                                           environment_.login_throttle, environment_.scram_secret);
  inside_->intake = std::make_unique<IntakeServices>(
      IntakeServices{*loop_, config, *inside_->sealer, *inside_->chain_sealer, environment_.rewriter.get(),
                     environment_.store, environment_.limits, inside_->reader, environment_.ids, environment_.log,
                     [inside = inside_.get()] { return inside->check_storage(); }, environment_.on_queued,
                     environment_.stop_watching});
  Result<void> opened = inside_->open_listeners();
  const bool failed = !opened;
  if (!failed && drops_ == Drops::Take)
    inside_->drop_pickup = std::make_unique<DropPickup>(*inside_->intake, config.drop_directory);
  if (failed) inside_.reset();
  started.set_value(std::move(opened));
  if (failed) return;
  loop_->run();
  inside_.reset();
}

Result<void> Worker::Inside::open_listeners() {
  for (std::size_t i = 0; i < environment.config.listeners.size(); ++i) {
    const ListenerConfig& config = environment.config.listeners[i];
    services.push_back(std::make_unique<SessionServices>(
        SessionServices{*intake, *authenticator, config, engine_options(environment.config, config),
                        environment.listener_tls.at(i), environment.client_anchors.at(i)}));
    auto listener = open_listener(i);
    if (!listener)
      return fail(listener.error().kind, fmt::format("listener '{}': {}", config.name, listener.error().detail));
    listeners.push_back(std::move(*listener));
  }
  return {};
}

Result<std::unique_ptr<Listener>> Worker::Inside::open_listener(std::size_t index) {
  const ListenerConfig& config = environment.config.listeners[index];
  const SessionServices& session_services = *services[index];
  const auto on_accept = [this, &session_services](std::unique_ptr<Connection> connection) {
    accept(session_services, std::move(connection));
  };
  for (const InheritedSocket& socket : environment.inherited) {
    if (socket.name != config.name) continue;
    const int own = ::dup(socket.descriptor);  // each worker owns one
    if (own < 0) return fail(ErrorKind::Exhausted, "no file descriptor is left; raise LimitNOFILE");
    return Listener::adopt(loop, own, on_accept);
  }
  return Listener::open(loop, {config.address, config.port}, on_accept);
}

void Worker::Inside::accept(const SessionServices& session_services, std::unique_ptr<Connection> connection) {
  if (environment.open_sessions->fetch_add(1) >= environment.config.max_connections) {
    --*environment.open_sessions;
    environment.log.write(Severity::Warning, "connection_refused",
                          {{"listener", session_services.config.name},
                           {"peer", connection->peer().str()},
                           {"reason", "limits.max_connections is reached"}});
    if (session_services.engine.tls != SmtpServerEngine::Tls::Implicit &&
        session_services.config.protocol != ListenerConfig::Protocol::Http)
      connection->write("421 4.3.2 too many connections; try again later\r\n");
    return connection->close(Milliseconds(1'000));
  }
  ++worker.session_count_;
  if (session_services.config.protocol == ListenerConfig::Protocol::Http) {
    http_sessions.insert(HttpSession::start(session_services, std::move(connection), [this](HttpSession& finished) {
      http_sessions.erase(finished.shared_from_this());
      --worker.session_count_;
      --*environment.open_sessions;
    }));
    return;
  }
  const auto on_finished = [this](SubmissionSession& finished) {
    sessions.erase(finished.shared_from_this());
    --worker.session_count_;
    --*environment.open_sessions;
  };
  sessions.insert(SubmissionSession::start(session_services, std::move(connection), on_finished));
}

// Submissions are refused before the disk is full. Asked at MAIL, and again when the content is complete, since many
// messages may have come meanwhile.
std::optional<ServerReply> Worker::Inside::check_storage() {
  if (!environment.store.available())
    return ServerReply{451, "4.3.0", {"the queue cannot be written now; try again later"}};
  const std::uint64_t floor = 2 * environment.config.max_message_octets;
  const auto free = free_octets(environment.config.state_directory);
  if (free && *free >= floor) return std::nullopt;
  if (!disk_full_logged || loop.now() - *disk_full_logged >= kDiskLogInterval) {
    disk_full_logged = loop.now();
    const std::string& directory = environment.config.state_directory;
    environment.log.write(
        Severity::Error, "disk_full",
        {{"reason", free ? fmt::format("{} octets are left in {}, and no message is taken below {} (two of "
                                       "limits.max_message_octets); make room",
                                       *free, directory, floor)
                         : free.error().detail}});
  }
  return ServerReply{452, "4.3.1", {"the disk of the queue is full; try again later"}};
}

void Worker::attempt(DueBatch batch, std::function<void(AttemptResult)> on_result) {
  ++attempt_count_;
  loop_->post([this, batch = std::move(batch), on_result = std::move(on_result)]() mutable {
    inside_->attempt(std::move(batch), [this, on_result = std::move(on_result)](AttemptResult result) {
      --attempt_count_;
      on_result(std::move(result));
    });
  });
}

Result<QueuedMessage> Worker::Inside::load(const DueBatch& batch) {
  if (const auto fresh = environment.fresh.take(batch.message, loop.now())) return QueuedMessage(*fresh);
  return reader.load(batch.message, batch.ordinals);
}

void Worker::Inside::attempt(DueBatch batch, std::function<void(AttemptResult)> on_result) {
  auto loaded = load(batch);
  if (!loaded) return on_result({std::move(batch), {}, {}, tl::unexpected(loaded.error())});
  if (returns_by(*loaded, loop.wall_now())) {
    batch.expired = true;
    return on_result({std::move(batch), without_needless_body(std::move(*loaded)), {}, DeliveryReport()});
  }
  if (loaded->sealing != Sealing::Due) return deliver(std::move(batch), std::move(*loaded), std::move(on_result));
  seal_and_deliver(std::move(batch), std::move(*loaded), std::move(on_result));
}

// Whoever released it knows the verdict of the time when it came in; what can be proven now signs. Without DNS it
// waits, since it would go out unsigned.
void Worker::Inside::seal_and_deliver(DueBatch batch, QueuedMessage message,
                                      std::function<void(AttemptResult)> on_result) {
  auto on_sealed = [this, batch = std::move(batch),
                    on_result = std::move(on_result)](Result<QueuedMessage> sealed) mutable {
    if (!sealed) return on_result({std::move(batch), {}, {}, tl::unexpected(sealed.error())});
    deliver(std::move(batch), std::move(*sealed), std::move(on_result));
  };
  seal_anew({loop, *sealer, environment.signing_pool, environment.log, reader.state_directory()}, std::move(message),
            std::move(on_sealed));
}

void Worker::Inside::deliver(DueBatch batch, QueuedMessage message, std::function<void(AttemptResult)> on_result) {
  const auto domain = DomainName::parse(batch.domain);
  if (!domain) return on_result({std::move(batch), {}, {}, tl::unexpected(domain.error())});
  DeliveryJob job{message.id.str(),
                  *domain,
                  message.reverse_path,
                  {},
                  message.needs_8bit,
                  message.needs_smtputf8,
                  tls_demands(environment.config, message.tenant, *domain, message.tls_request, loop.wall_now()),
                  nullptr,
                  message.notice,
                  {},
                  message.deliver_by,
                  environment.routes.find(message.tenant, *domain)};
  const bool logs_in = job.route && job.route->plan->tls.logs_in;  // there no exception counts
  if (job.demands.exception && job.demands.sets_policy_aside() && !logs_in) {
    environment.log.write(Severity::Warning, "tls_exception_used",
                          {{"id", job.id}, {"domain", domain->str()}, {"reason", job.demands.exception->reason}});
  }
  std::vector<std::uint32_t> tried = still_waiting(message, batch);
  for (const std::uint32_t ordinal : tried) {
    const QueuedRecipient& recipient = *find_recipient(message, ordinal);
    job.recipients.push_back(recipient.address);
    job.notices.push_back(recipient.notice);
  }
  if (tried.empty())
    return on_result({std::move(batch), {}, {}, fail(ErrorKind::NotFound, "no recipient waits any more")});
  QueuedMessage known = without_needless_body(message);
  auto content = QueuedContent::open(reader.state_directory(), std::move(message));
  if (!content) {
    // The message is there and its body is not: that is damage, whatever the file system calls it.
    return on_result({std::move(batch), std::move(known), {}, fail(ErrorKind::Corrupt, content.error().detail)});
  }
  job.content = std::move(*content);
  const auto egress = environment.egress.begin(known.id, known.tenant, job.domain, environment.providers,
                                               [this] { return loop.wall_now(); });
  job.local_end = egress;
  network->agent().deliver(std::move(job),
                           [batch = std::move(batch), known = std::move(known), tried = std::move(tried), egress,
                            on_result = std::move(on_result)](DeliveryReport report) mutable {
                             egress->finish(report);
                             on_result({std::move(batch), std::move(known), std::move(tried), std::move(report)});
                           });
}

void Worker::load_expired(DueBatch batch, std::function<void(AttemptResult)> on_result) {
  loop_->post([this, batch = std::move(batch), on_result = std::move(on_result)]() mutable {
    auto loaded = inside_->reader.load(batch.message, batch.ordinals);
    if (!loaded) return on_result({std::move(batch), {}, {}, tl::unexpected(loaded.error())});
    on_result({std::move(batch), without_needless_body(std::move(*loaded)), {}, DeliveryReport()});
  });
}

void Worker::resolve(Question question, std::function<void(const Answer&)> on_answer) {
  loop_->post([this, question = std::move(question), on_answer = std::move(on_answer)]() mutable {
    inside_->network->resolver().resolve(question, std::move(on_answer));
  });
}

void Worker::seal_report(QueuedMessage report, std::function<void(QueuedMessage)> on_sealed) {
  loop_->post([this, report = std::move(report), on_sealed = std::move(on_sealed)]() mutable {
    inside_->seal_report(std::move(report), std::move(on_sealed));
  });
}

void Worker::Inside::seal_report(QueuedMessage report, std::function<void(QueuedMessage)> on_sealed) {
  const auto author = DomainName::parse(environment.config.hostname);
  waxwing::seal_report(*sealer, *author, std::move(report), std::move(on_sealed));
}

void Worker::post_report(HttpsUri to, std::string content_type, std::string content,
                         std::function<void(Result<void>)> on_done) {
  loop_->post([this, to = std::move(to), content_type = std::move(content_type), content = std::move(content),
               on_done = std::move(on_done)]() mutable {
    inside_->network->post_report(to, content_type, std::move(content), std::move(on_done));
  });
}

void Worker::forget_answers() {
  loop_->post([this] { inside_->network->forget_answers(); });
}

void Worker::stop_accepting() {
  loop_->post([this] { inside_->stop_accepting(); });
}

void Worker::Inside::stop_accepting() {
  if (drop_pickup) drop_pickup->stop();
  listeners.clear();
  const std::set<std::shared_ptr<SubmissionSession>> open = sessions;
  for (const std::shared_ptr<SubmissionSession>& session : open) session->shut_down();
  const std::set<std::shared_ptr<HttpSession>> open_http = http_sessions;
  for (const std::shared_ptr<HttpSession>& session : open_http) session->shut_down();
}

void Worker::stop() {
  if (!thread_.joinable()) return;
  loop_->stop();
  thread_.join();
}

}  // namespace waxwing
