#include "relay/signing/signer_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <memory>
#include <string>

#include "relay/observe/event_log.h"
#include "relay/observe/service_manager.h"
#include "relay/signing/find_user.h"
#include "relay/signing/key_access.h"
#include "relay/signing/signer_server.h"
#include "signer/service/signing_service.h"

namespace waxwing {
namespace {

constexpr Milliseconds kKeysPoll{500};

WallTime system_time() {
  return std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
}

int exit_status(const Error& error) {
  switch (error.kind) {
    case ErrorKind::Denied:
      return EX_NOPERM;
    case ErrorKind::Malformed:
    case ErrorKind::NotFound:
      return EX_CONFIG;
    case ErrorKind::Corrupt:
      return EX_DATAERR;
    default:
      return EX_UNAVAILABLE;
  }
}

// No core dump and no debugger of the same user sees the keys.
void keep_memory_private() {
  (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  const rlimit none{0, 0};
  (void)::setrlimit(RLIMIT_CORE, &none);
}

SigningService::Options service_options(const Config& config) {
  SigningService::Options options;
  if (auto domain = DomainName::parse(config.forwarding_domain)) options.forwarding_domain = std::move(*domain);
  options.max_signatures = config.max_signatures;
  for (const SignerRule& rule : config.signer_rules) {
    auto domain = DomainName::parse(rule.domain);
    if (!domain) continue;  // a mistake that load_config() has reported
    const auto known = std::ranges::find(options.rules, *domain, &TenantRule::domain);
    if (known != options.rules.end())
      known->tenants.push_back(rule.tenant);
    else
      options.rules.push_back({std::move(*domain), {rule.tenant}});
  }
  return options;
}

class SignerProcess {
 public:
  SignerProcess(const Config& config, const EventLog& log)
      : config_(config), log_(log), service_(service_options(config)), states_(open_states(config)) {}
  ~SignerProcess();
  SignerProcess(const SignerProcess&) = delete;
  SignerProcess& operator=(const SignerProcess&) = delete;

  Result<void> start();
  void run();

 private:
  Result<void> load_keys();
  Result<void> listen();
  void watch_keys();
  void reload_keys();
  bool take_signal();

  const Config& config_;
  const EventLog& log_;
  SigningService service_;
  std::unique_ptr<KeyDirectory> keys_;
  RotationStore states_;
  WallTime keys_changed_;
  std::unique_ptr<SignerServer> server_;
  int signals_ = -1;
  int listener_ = -1;
  bool owns_path_ = false;
};

SignerProcess::~SignerProcess() {
  if (listener_ >= 0) ::close(listener_);
  if (owns_path_) ::unlink(config_.signer_socket.c_str());
  if (signals_ >= 0) ::close(signals_);
}

Result<void> SignerProcess::start() {
  // Before any thread is made, so that no other one takes them.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  signals_ = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  const auto relay_user = find_user(config_.relay_user, "signer.relay_user");
  if (!relay_user) return tl::unexpected(relay_user.error());
  auto keys = open_keys(config_);
  if (!keys) return tl::unexpected(keys.error());
  keys_ = std::move(*keys);
  keys_changed_ = last_change_of(*keys_, states_);
  if (auto loaded = load_keys(); !loaded) return loaded;
  server_ = std::make_unique<SignerServer>(service_, log_, *relay_user);
  return listen();
}

Result<void> SignerProcess::listen() {
  for (const InheritedSocket& socket : take_inherited_sockets()) {
    if (listener_ >= 0) {
      ::close(socket.descriptor);
      continue;
    }
    listener_ = socket.descriptor;
    (void)::fcntl(listener_, F_SETFL, ::fcntl(listener_, F_GETFL) | O_NONBLOCK);
  }
  if (listener_ >= 0) return {};
  if (config_.signer_socket.empty()) {
    return fail(ErrorKind::Malformed,
                "signer.socket is not set, and the service manager hands over no socket; set it to the path on which "
                "to listen");
  }
  const auto bound = bind_signer_socket(config_.signer_socket);
  if (!bound) return tl::unexpected(bound.error());
  listener_ = *bound;
  owns_path_ = true;
  return {};
}

Result<void> SignerProcess::load_keys() {
  auto keys = load_signing_keys(*keys_, states_);
  if (!keys) return tl::unexpected(keys.error());
  service_.set_keys(std::move(*keys));
  return {};
}

void SignerProcess::reload_keys() {
  const auto loaded = load_keys();
  if (!loaded) {
    log_.write(Severity::Error, "keys_not_loaded",
               {{"reason", loaded.error().detail + "; the keys loaded before stay in use"}});
    return;
  }
  log_.write(Severity::Info, "keys_loaded", {{"keys", static_cast<std::int64_t>(service_.key_count())}});
}

void SignerProcess::watch_keys() {
  const WallTime changed = last_change_of(*keys_, states_);
  if (changed == keys_changed_) return;
  // The file system's clock is coarse, so a second change may have the time of the first: it is looked at again.
  if (system_time() - changed > kKeysPoll) keys_changed_ = changed;
  reload_keys();
}

// Whether to go on.
bool SignerProcess::take_signal() {
  signalfd_siginfo signal{};
  if (::read(signals_, &signal, sizeof signal) != static_cast<ssize_t>(sizeof signal)) return true;
  if (signal.ssi_signo != static_cast<unsigned>(SIGHUP)) return false;
  reload_keys();
  return true;
}

void SignerProcess::run() {
  log_.write(Severity::Info, "signer_started",
             {{"version", WAXWING_VERSION}, {"keys", static_cast<std::int64_t>(service_.key_count())}});
  notify_service_manager("READY=1");
  MonotonicTime watched{};
  std::array<pollfd, 2> waiting{pollfd{listener_, POLLIN, 0}, pollfd{signals_, POLLIN, 0}};
  while (true) {
    const int ready = ::poll(waiting.data(), waiting.size(), static_cast<int>(kKeysPoll.count()));
    if (ready > 0 && (waiting[1].revents & POLLIN) != 0 && !take_signal()) break;
    if (ready > 0 && waiting[0].revents != 0) server_->accept_from(listener_);
    const auto now = std::chrono::time_point_cast<Milliseconds>(std::chrono::steady_clock::now());
    if (now - watched < kKeysPoll) continue;
    watched = now;
    watch_keys();
  }
  notify_service_manager("STOPPING=1");
  server_.reset();
}

}  // namespace

int run_signer(const Config& config) {
  keep_memory_private();
  const auto format = config.log_format == LogFormat::Json ? EventLog::Format::Json : EventLog::Format::Text;
  const EventLog log(format, Severity::Info, STDERR_FILENO, system_time);
  SignerProcess process(config, log);
  if (const auto started = process.start(); !started) {
    log.write(Severity::Error, "start_failed", {{"reason", started.error().detail}});
    return exit_status(started.error());
  }
  process.run();
  log.write(Severity::Info, "signer_stopped", {});
  return EX_OK;
}

}  // namespace waxwing
