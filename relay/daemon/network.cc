#include "relay/daemon/network.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <unordered_map>
#include <utility>

#include "relay/config/egress_rules.h"
#include "relay/daemon/configured_resolver.h"
#include "relay/daemon/own_addresses.h"
#include "relay/store/proven_tls_store.h"
#include "relay/store/store_thread.h"
#include "relay/store/sts_policy_store.h"
#include "transport/delivery/https_exchange.h"
#include "transport/dns/caching_resolver.h"
#include "transport/dns/recursing_resolver.h"
#include "transport/dns/validation_gate.h"
#include "transport/dns/validation_probe.h"
#include "transport/http/http_request.h"
#include "transport/io/timer.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxAnchorsOctets = 8U << 20;
constexpr std::size_t kMaxReportAnswerOctets = 65'536;

/// MTA-STS policies in the store: read on the loop's own connection, written by the store thread.
class StoredStsCache final : public StsCache {
 public:
  StoredStsCache(EventLoop& loop, EventLog& log, QueueReader* reader, StoreThread* store)
      : loop_(loop), log_(log), reader_(reader), store_(store) {}

  void find(const DomainName& domain, std::function<void(Result<std::optional<CachedStsPolicy>>)> on_found) override {
    if (reader_ == nullptr) return on_found(std::optional<CachedStsPolicy>());
    auto found = reader_->find_sts_policy(domain, loop_.wall_now());
    if (!found) {
      log_.write(Severity::Error, "sts_policy_unreadable",
                 {{"domain", domain.str()}, {"reason", found.error().detail}});
    }
    on_found(std::move(found));
  }

  void keep(const DomainName& domain, const CachedStsPolicy& policy) override {
    if (store_ == nullptr) return;
    store_->run([domain, policy](SqliteQueueStore& store) { return store.sts_policies().keep(domain, policy); },
                [this, domain](const Result<void>& kept) {
                  if (kept) return;
                  log_.write(Severity::Error, "sts_policy_not_kept",
                             {{"domain", domain.str()}, {"reason", kept.error().detail}});
                });
  }

 private:
  EventLoop& loop_;
  EventLog& log_;
  QueueReader* reader_;
  StoreThread* store_;
};

/// What TLS proved about domains, in the store: read on the loop's own connection, written by the store thread.
class StoredTlsMemory final : public TlsMemory {
 public:
  StoredTlsMemory(EventLoop& loop, EventLog& log, QueueReader* reader, StoreThread* store, Seconds remember_for)
      : loop_(loop), log_(log), reader_(reader), store_(store), remember_for_(remember_for) {}

  Result<std::optional<RememberedTls>> find(const DomainName& domain) override {
    if (reader_ == nullptr) return std::optional<RememberedTls>();
    auto found = reader_->find_proven_tls(domain, loop_.wall_now() - remember_for_);
    if (!found) {
      log_.write(Severity::Error, "tls_memory_unreadable",
                 {{"domain", domain.str()}, {"reason", found.error().detail}});
    }
    return found;
  }

  void on_proven(const DomainName& domain, std::string_view method) override {
    const WallTime now = loop_.wall_now();
    if (noted_.size() >= kMaxNoted) noted_.clear();
    const auto [noted, is_new] = noted_.try_emplace(domain.str(), now);
    if (store_ == nullptr || (!is_new && now - noted->second < kNoteInterval)) return;
    noted->second = now;
    store_->run([domain, method = std::string(method),
                 now](SqliteQueueStore& store) { return store.proven_tls().keep(domain, method, now); },
                [this, domain](const Result<void>& kept) {
                  if (kept) return;
                  log_.write(Severity::Error, "tls_memory_not_kept",
                             {{"domain", domain.str()}, {"reason", kept.error().detail}});
                });
  }

  void on_lost(const DomainName& domain, std::string_view sentence) override {
    log_.write(Severity::Warning, "tls_protection_lost", {{"domain", domain.str()}, {"reason", std::string(sentence)}});
  }

 private:
  // The date of the last proof is good to some hours, which spares a write for each message.
  static constexpr std::chrono::hours kNoteInterval{6};
  static constexpr std::size_t kMaxNoted = 10'000;

  EventLoop& loop_;
  EventLog& log_;
  QueueReader* reader_;
  StoreThread* store_;
  const Seconds remember_for_;
  std::unordered_map<std::string, WallTime> noted_;
};

// A domain has its share of what the resolver has in flight, so that the cache must know how much that is.
CachingResolver::Options cache_options(const Config& config) {
  CachingResolver::Options options;
  if (config.dns_mode != DnsMode::Recursing) return options;
  options.max_outstanding = RecursingResolver::Options().max_outstanding;
  options.max_outstanding_per_domain = options.max_outstanding / 2;
  return options;
}

// Of the default pool.
const EgressSourceConfig& first_source(const EgressLayout& layout) {
  const auto pool = std::ranges::find(layout.pools, layout.default_pool, &EgressPoolConfig::name);
  return *std::ranges::find(layout.sources, pool->sources.front().source, &EgressSourceConfig::name);
}

ErrorKind kind_of(int error) {
  if (error == ENOENT || error == ENOTDIR) return ErrorKind::NotFound;
  if (error == EACCES || error == EPERM) return ErrorKind::Denied;
  return ErrorKind::Unavailable;
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t max_octets) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return fail(kind_of(errno), fmt::format("{} cannot be read: {}", path, std::strerror(errno)));
  std::string content;
  std::string piece(65'536, '\0');
  ssize_t got = 0;
  while ((got = ::read(descriptor, piece.data(), piece.size())) > 0 && content.size() <= max_octets)
    content.append(piece, 0, static_cast<std::size_t>(got));
  const int error = errno;
  ::close(descriptor);
  if (got < 0) return fail(kind_of(error), fmt::format("{} cannot be read: {}", path, std::strerror(error)));
  if (content.size() > max_octets)
    return fail(ErrorKind::Exhausted, fmt::format("{} is larger than {} octets", path, max_octets));
  return content;
}

Result<std::shared_ptr<const TrustAnchors>> load_trust_anchors(const std::string& path) {
  auto pem = read_file(path, kMaxAnchorsOctets);
  if (!pem) {
    return fail(pem.error().kind,
                pem.error().detail + "; install the package ca-certificates, or set delivery.ca_file to a PEM bundle");
  }
  auto anchors = TrustAnchors::from_pem(*pem);
  if (!anchors) return fail(anchors.error().kind, fmt::format("{}: {}", path, anchors.error().detail));
  return std::make_shared<const TrustAnchors>(std::move(*anchors));
}

// In the order in which the parts need one another.
struct Network::Parts {
  explicit Parts(EventLoop& its_loop) : loop(its_loop) {}

  EventLoop& loop;
  std::unique_ptr<Resolver> asked;
  std::unique_ptr<Timer> probe_timer;
  std::unique_ptr<ValidationProbe> probe;
  std::unique_ptr<ValidationGate> gate;
  std::unique_ptr<CachingResolver> resolver;
  std::unique_ptr<TlsClientContext> tls;
  std::unique_ptr<StoredStsCache> sts_cache;
  std::unique_ptr<StoredTlsMemory> tls_memory;
  std::unique_ptr<DeliveryAgent> agent;
  HttpsExchange::Options https;
  std::map<std::uint64_t, std::shared_ptr<HttpsExchange>> posts;
  std::uint64_t next_post = 0;
};

// The gate stands below the cache: what the resolver said while it did not validate must not be remembered.
void Network::set_up_validation(EventLoop& loop, const Config& config, EventLog& log, Parts& parts) {
  parts.probe_timer = std::make_unique<Timer>(loop, [&parts] { parts.probe->probe(); });
  ValidationProbe::Options options;
  if (!config.probe_name.empty()) options.question = {config.probe_name, RecordType::A};
  parts.probe = std::make_unique<ValidationProbe>(*parts.asked, options,
                                                  [&parts](Milliseconds delay) { parts.probe_timer->start(delay); });
  parts.gate = std::make_unique<ValidationGate>(*parts.asked, *parts.probe, resolver_name(config));
  parts.resolver = std::make_unique<CachingResolver>(
      *parts.gate, cache_options(config), [&loop] { return loop.now(); },
      [&loop](std::function<void()> task) { loop.post(std::move(task)); });
  parts.probe->set_on_change([&parts, &log, server = resolver_name(config)](ValidationProbe::State state) {
    parts.resolver->clear();
    if (parts.agent) parts.agent->forget_plans();
    if (state == ValidationProbe::State::Validating)
      log.write(Severity::Info, "resolver_validates", {{"resolver", server}});
    else
      log.write(Severity::Error, "resolver_does_not_validate",
                {{"resolver", server}, {"reason", parts.probe->detail()}});
  });
  parts.probe->probe();
}

Network::Network(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Network::~Network() = default;

Result<std::unique_ptr<Network>> Network::create(EventLoop& loop, const Config& config, EventLog& log,
                                                 std::shared_ptr<const TrustAnchors> anchors, QueueReader* reader,
                                                 StoreThread* store, std::shared_ptr<ProviderConnections> providers) {
  auto parts = std::make_unique<Parts>(loop);
  auto asked = make_configured_resolver(loop, config);
  if (!asked) return tl::unexpected(asked.error());
  parts->asked = std::move(*asked);
  set_up_validation(loop, config, log, *parts);
  auto tls = TlsClientContext::create(std::move(anchors), [&loop] { return loop.wall_now(); });
  if (!tls) return tl::unexpected(tls.error());
  parts->tls = std::move(*tls);
  parts->sts_cache = std::make_unique<StoredStsCache>(loop, log, reader, store);
  const EgressLayout layout = egress_layout(config);
  DeliveryAgent::Options delivery;
  const EgressSourceConfig& source = first_source(layout);  // of what is no mail
  delivery.helo_name = source.helo_name;
  delivery.port = config.smtp_port;
  delivery.sts_port = config.sts_port;
  delivery.source_addresses = source.addresses;
  delivery.allow_non_global_addresses = config.allow_non_global_addresses;
  delivery.max_connections_per_host = config.max_connections_per_host;
  delivery.providers = std::move(providers);
  delivery.reply_timeout = config.reply_timeout;
  delivery.own_endpoints = own_mail_endpoints(config, local_addresses());
  parts->https = {config.sts_port, config.allow_non_global_addresses, source.addresses};
  if (config.tls_on_loss != TlsLoss::Ignore) {
    parts->tls_memory = std::make_unique<StoredTlsMemory>(loop, log, reader, store, config.tls_remember_for);
    delivery.tls_memory = parts->tls_memory.get();
    delivery.lost_tls = config.tls_on_loss == TlsLoss::Defer ? LostTls::Defer : LostTls::Report;
  }
  parts->agent = std::make_unique<DeliveryAgent>(loop, *parts->resolver, *parts->tls, *parts->sts_cache, delivery);
  return std::unique_ptr<Network>(new Network(std::move(parts)));
}

Resolver& Network::resolver() {
  return *parts_->resolver;
}

void Network::post_report(const HttpsUri& to, const std::string& content_type, std::string content,
                          std::function<void(Result<void>)> on_done) {
  HttpsExchange::Request request;
  request.host = to.host;
  request.octets = format_http_request({.host = to.host,
                                        .path = to.path,
                                        .user_agent = "waxwing",
                                        .content_type = content_type,
                                        .content = std::move(content)});
  request.requirement.method = TlsRequirement::Method::Opportunistic;
  request.requirement.server_name = to.host;
  request.requirement.reason = "Reports go whatever the certificate of their receiver (RFC 8460 §3).";
  request.max_response_octets = kMaxReportAnswerOctets;
  const std::uint64_t id = parts_->next_post++;
  const auto exchange = std::make_shared<HttpsExchange>(
      parts_->loop, *parts_->resolver, *parts_->tls, parts_->https, std::move(request),
      [this, id, host = to.host, on_done = std::move(on_done)](Result<HttpResponse> response) {
        parts_->loop.post([this, id] { parts_->posts.erase(id); });
        if (!response) return on_done(tl::unexpected(std::move(response.error())));
        if (response->status / 100 == 2) return on_done({});
        on_done(fail(ErrorKind::Unavailable, fmt::format("{} answered with status {}", host, response->status)));
      });
  parts_->posts.emplace(id, exchange);
  exchange->start();
}

void Network::forget_answers() {
  parts_->resolver->clear();
  parts_->agent->forget_plans();
}

DeliveryAgent& Network::agent() {
  return *parts_->agent;
}

}  // namespace waxwing
