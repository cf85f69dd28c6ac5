#include "relay/daemon/check_domain.h"

#include <fmt/format.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "relay/config/egress_rules.h"
#include "relay/daemon/configured_resolver.h"
#include "relay/daemon/key_ring.h"
#include "relay/daemon/network.h"
#include "relay/observe/event_log.h"
#include "relay/signing/key_access.h"
#include "relay/signing/signer_client.h"
#include "transport/io/event_loop.h"
#include "transport/io/timer.h"

namespace waxwing {
namespace {

// The user of the relay cannot read the keys of the signer, but may ask for their public halves.
Result<std::unique_ptr<KeyStore>> key_store(const Config& config) {
  if (!config.signer_socket.empty()) return std::make_unique<RemoteKeyStore>(config.signer_socket);
  auto files = open_keys(config);
  if (!files) return tl::unexpected(files.error());
  return std::move(*files);
}

Result<std::vector<PreflightKey>> keys_of(const Config& config, const DomainName& domain) {
  auto store = key_store(config);
  if (!store) return tl::unexpected(store.error());
  auto stored = (*store)->load_all();
  if (!stored) return tl::unexpected(stored.error());
  if (config.signer_socket.empty()) {  // the signer gives only those that may sign
    const auto states = open_states(config).load_all();
    if (!states) return tl::unexpected(states.error());
    stored = signing_keys(*stored, *states);
  }
  std::vector<PreflightKey> keys;
  const KeyRing ring(*stored);  // must outlive the loop, which walks what it holds
  for (const StoredKey& key : ring.keys_for(domain))
    keys.push_back({key.domain, key.selector, key.key->type(), key.key->public_key()});
  return keys;
}

/// One check on its way; lives on the stack of check_domain_now().
class DomainCheckRun {
 public:
  DomainCheckRun(EventLoop& loop, Network& network, DomainCheckInput input, TlsDemands demands)
      : loop_(loop), network_(network), input_(std::move(input)), demands_(std::move(demands)) {}

  // The policy comes first, since the rule judges it; the plan tells nothing that the rule does not ask for itself.
  void start() {
    network_.agent().plan(input_.domain, demands_, nullptr, [this](const DestinationPlan& plan, const Answers&) {
      input_.sts = StsPolicyFetch{plan.sts.policy, plan.sts_detail};
      judge();
    });
  }

  [[nodiscard]] std::optional<std::vector<DomainFinding>>& findings() { return findings_; }

 private:
  void judge() {
    findings_ = check_domain(input_, answers_);
    if (findings_) return loop_.stop();
    resolve_missing(network_.resolver(), answers_, [this] { judge(); });
  }

  EventLoop& loop_;
  Network& network_;
  DomainCheckInput input_;
  TlsDemands demands_;
  Answers answers_;
  std::optional<std::vector<DomainFinding>> findings_;
};

}  // namespace

Result<std::vector<DomainFinding>> check_domain_now(const Config& config, const DomainName& domain) {
  auto anchors = load_trust_anchors(config.ca_file);
  if (!anchors) return tl::unexpected(anchors.error());
  auto keys = keys_of(config, domain);
  if (!keys) return tl::unexpected(keys.error());
  const auto helo = DomainName::parse(config.hostname);
  if (!helo) return tl::unexpected(helo.error());
  EventLoop loop;
  EventLog log(EventLog::Format::Text, Severity::Warning, STDERR_FILENO, [&loop] { return loop.wall_now(); });
  auto network = Network::create(loop, config, log, *anchors, nullptr, nullptr);
  if (!network) return tl::unexpected(network.error());
  DomainCheckInput input{domain, *helo, config.egress_addresses, std::move(*keys)};
  input.smtp_port = config.smtp_port;
  input.now = loop.wall_now();
  for (const EgressSourceConfig& source : config.egress_sources) {
    const auto name = DomainName::parse(source.helo_name);
    for (const IpAddress& address : public_addresses(source))
      if (name && *name != *helo) input.helo_names.emplace(address, *name);
  }
  DomainCheckRun run(loop, **network, std::move(input), {config.minimum_tls});
  Timer limit(loop, [&loop] { loop.stop(); });
  limit.start(kDomainCheckTimeLimit);
  run.start();
  loop.run();
  network->reset();  // what is still outstanding must not call the run
  if (run.findings()) return std::move(*run.findings());
  return fail(ErrorKind::Unavailable,
              fmt::format("DNS did not answer within {} seconds; is the resolver {} up?",
                          std::chrono::duration_cast<Seconds>(kDomainCheckTimeLimit).count(), resolver_name(config)));
}

}  // namespace waxwing
