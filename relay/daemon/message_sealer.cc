#include "relay/daemon/message_sealer.h"

#include <utility>
#include <vector>

#include "keys/signing_key.h"
#include "signer/dkim_signer.h"
#include "signer/header_field.h"

namespace waxwing {

struct MessageSealer::Job {
  SealRequest request;
  OnSealed on_sealed;
  std::shared_ptr<const KeyRing> ring;  // keeps the keys of this message alive
  PreflightInput input;
  Answers answers;
  PreflightVerdict verdict;
};

namespace {

Result<std::string> signed_header(const std::string& header, const std::string& body_hash,
                                  const std::vector<StoredKey>& keys, const DkimSigningOptions& options) {
  auto fields = parse_header_block(header);
  if (!fields) return tl::unexpected(fields.error());
  auto signatures = sign_message(*fields, body_hash, keys, options);
  if (!signatures) return signatures;
  return *signatures + header;
}

}  // namespace

MessageSealer::MessageSealer(EventLoop& loop, Resolver& resolver, const CurrentKeyRing& keys, WorkPool& pool,
                             Options options)
    : loop_(loop), resolver_(resolver), keys_(keys), pool_(pool), options_(std::move(options)) {}

void MessageSealer::seal(SealRequest request, OnSealed on_sealed) {
  const std::shared_ptr<const KeyRing> ring = keys_.get();
  if (!ring) return loop_.post([on_sealed = std::move(on_sealed)] { on_sealed(tl::unexpected(keys_not_known())); });
  PreflightInput input{request.author_domain, request.reverse_path, options_.helo,
                       options_.egress(request.tenant, request.recipient_domains),
                       ring->public_halves_for(request.author_domain)};
  auto job = std::make_shared<Job>(
      Job{std::move(request), std::move(on_sealed), ring, std::move(input), Answers(), PreflightVerdict()});
  loop_.post([this, job] { foresee(job); });
}

void MessageSealer::foresee(const std::shared_ptr<Job>& job) {
  std::optional<PreflightVerdict> verdict = preflight(job->input, job->answers);
  if (!verdict) return resolve_missing(resolver_, job->answers, [this, job] { foresee(job); });
  job->verdict = std::move(*verdict);
  sign(job);
}

// Only keys that the world can look up sign: a signature without its record is worse than none.
void MessageSealer::sign(const std::shared_ptr<Job>& job) {
  std::vector<StoredKey> proven;
  const std::vector<StoredKey>& keys = job->ring->keys_for(job->request.author_domain);
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (job->verdict.keys.at(i).proven) proven.push_back(keys[i]);
  if (proven.empty()) return job->on_sealed(Sealed{std::move(job->request.header), std::move(job->verdict)});

  DkimSigningOptions signing;
  signing.now = loop_.wall_now();
  signing.lifetime = options_.signature_lifetime;
  signing.tenant = job->request.tenant;
  const bool taken = pool_.submit([this, job, proven = std::move(proven), signing = std::move(signing)]() mutable {
    auto header = signed_header(job->request.header, job->request.body_hash, proven, signing);
    loop_.post([job = std::move(job), header = std::move(header)]() mutable {
      if (!header) return job->on_sealed(tl::unexpected(header.error()));
      job->on_sealed(Sealed{std::move(*header), std::move(job->verdict)});
    });
  });
  if (!taken) job->on_sealed(fail(ErrorKind::Exhausted, "too many messages wait for their signature"));
}

}  // namespace waxwing
