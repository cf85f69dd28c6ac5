#include "relay/daemon/chain_sealer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "keys/signing_key.h"
#include "policy/preflight.h"
#include "signer/arc_sealer.h"
#include "signer/header_field.h"

namespace waxwing {

struct ChainSealer::Job {
  ChainSealRequest request;
  OnSealed on_sealed;
  std::shared_ptr<const KeyRing> ring;  // keeps the keys of this message alive
  Answers answers;
  ChainSealed sealed;
};

namespace {

Result<std::string> sealed_header(const std::string& header, const std::string& body_hash, const ArcVerdict& chain,
                                  const AuthenticationResults& results, const StoredKey& key, WallTime now) {
  const auto fields = parse_header_block(header);
  if (!fields) return tl::unexpected(fields.error());
  ArcSealingOptions options;
  options.now = now;
  auto set = seal_message(*fields, body_hash, chain, results, key, options);
  if (!set) return set;
  return *set + header;
}

// Verifiers of ARC know RSA; some know nothing else.
const StoredKey* preferred(const std::vector<StoredKey>& keys, const PreflightVerdict& verdict) {
  const StoredKey* chosen = nullptr;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!verdict.keys.at(i).proven) continue;
    const bool is_rsa = keys[i].key->type() == DkimKeyType::Rsa;
    if (chosen == nullptr || (is_rsa && chosen->key->type() != DkimKeyType::Rsa)) chosen = &keys[i];
  }
  return chosen;
}

}  // namespace

ChainSealer::ChainSealer(EventLoop& loop, Resolver& resolver, const CurrentKeyRing& keys, WorkPool& pool,
                         Options options)
    : loop_(loop), resolver_(resolver), keys_(keys), pool_(pool), options_(std::move(options)) {}

void ChainSealer::seal(ChainSealRequest request, OnSealed on_sealed) {
  std::shared_ptr<const KeyRing> ring = keys_.get();
  if (!ring) return loop_.post([on_sealed = std::move(on_sealed)] { on_sealed(tl::unexpected(keys_not_known())); });
  auto job = std::make_shared<Job>(Job{std::move(request), std::move(on_sealed), std::move(ring), Answers(), {}});
  loop_.post([this, job] { judge(job); });
}

void ChainSealer::judge(const std::shared_ptr<Job>& job) {
  auto verdict = judge_received(*job->request.message, job->request.envelope, job->answers, loop_.wall_now());
  auto key = choose_key(*job);
  if (!verdict || !key) return resolve_missing(resolver_, job->answers, [this, job] { judge(job); });
  AuthenticationResults results = report_received(*verdict, options_.hostname.str(), job->request.envelope.client);
  job->sealed.header = std::move(job->request.header);
  if (job->request.results == ChainSealRequest::Results::InHeader) job->sealed.header.insert(0, results.field());
  job->sealed.verdict = std::move(*verdict);
  const ArcVerdict& chain = job->sealed.verdict.signatures.arc;
  if (chain.closed) job->sealed.unsealed_because = "its chain is closed";
  if (chain.temporary) job->sealed.unsealed_because = "its chain could not be validated now: " + chain.detail;
  if (chain.instances >= kMaxArcInstance) job->sealed.unsealed_because = "its chain is full";
  if (!*key) job->sealed.unsealed_because = "no key of forwarding.domain is published";
  if (!options_.domain) job->sealed.unsealed_because = "forwarding.domain is not set";
  if (!job->sealed.unsealed_because.empty()) return job->on_sealed(std::move(job->sealed));
  add_set(job, **key, std::move(results));
}

// Only a key that the world can look up seals. No value: answers are missing; inside it none: no key is proven.
std::optional<std::optional<StoredKey>> ChainSealer::choose_key(Job& job) const {
  if (!options_.domain) return std::optional<StoredKey>();
  const std::vector<StoredKey>& keys = job.ring->keys_for(*options_.domain);
  PreflightInput input{*options_.domain, std::nullopt, options_.hostname, {}, {}};
  for (const StoredKey& key : keys)
    input.keys.push_back({key.domain, key.selector, key.key->type(), key.key->public_key()});
  const auto verdict = preflight(input, job.answers);
  if (!verdict) return std::nullopt;
  const StoredKey* chosen = preferred(keys, *verdict);
  return chosen == nullptr ? std::optional<StoredKey>() : std::optional(*chosen);
}

void ChainSealer::add_set(const std::shared_ptr<Job>& job, const StoredKey& key, AuthenticationResults results) {
  const WallTime now = loop_.wall_now();
  const bool taken = pool_.submit([this, job, key, now, results = std::move(results)] {
    auto header = sealed_header(job->sealed.header, job->request.body_hash, job->sealed.verdict.signatures.arc, results,
                                key, now);
    loop_.post([job, header = std::move(header)]() mutable {
      if (!header) return job->on_sealed(tl::unexpected(header.error()));
      job->sealed.header = std::move(*header);
      job->on_sealed(std::move(job->sealed));
    });
  });
  if (!taken) job->on_sealed(fail(ErrorKind::Exhausted, "too many messages wait for their signature"));
}

bool has_chain(const std::vector<HeaderField>& fields) {
  return std::ranges::any_of(fields, [](const HeaderField& field) {
    return field.is("ARC-Seal") || field.is("ARC-Message-Signature") || field.is("ARC-Authentication-Results");
  });
}

}  // namespace waxwing
