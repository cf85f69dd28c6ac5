#include "signer/service/signing_service.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "policy/ascii.h"
#include "signer/service/signed_octets.h"

namespace waxwing {
namespace {

constexpr double kMillisecondsOfMinute = 60'000;

ListedKey listed(const StoredKey& key) {
  return {key.domain, key.selector, key.key->type(), key.key->size_bits(), key.key->public_key(), key.created};
}

// The same keys have the same generation, also after a restart, so that a client need not ask for them again.
std::uint64_t generation_of(const std::vector<StoredKey>& keys) {
  SHA256_CTX digest;
  SHA256_Init(&digest);
  for (const StoredKey& key : keys) {
    const std::string octets = encode_answer(0, ListAnswer{0, 0, {listed(key)}});
    SHA256_Update(&digest, octets.data(), octets.size());
  }
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> hash;
  SHA256_Final(hash.data(), &digest);
  std::uint64_t generation = 0;
  for (std::size_t i = 0; i < sizeof generation; ++i) generation = (generation << 8U) | hash[i];
  return std::max<std::uint64_t>(generation, 1);  // 0: the client knows none
}

}  // namespace

void SigningService::set_keys(std::vector<StoredKey> keys) {
  auto fresh = std::make_shared<Keys>();
  fresh->all = std::move(keys);
  fresh->generation = generation_of(fresh->all);
  for (std::size_t i = 0; i < fresh->all.size(); ++i)
    fresh->by_name.emplace(Name(fresh->all[i].domain.str(), fresh->all[i].selector), i);
  const std::lock_guard lock(mutex_);
  std::erase_if(allowances_, [&fresh](const auto& entry) {
    const auto next = fresh->by_name.lower_bound(Name(entry.first, ""));
    return next == fresh->by_name.end() || next->first.first != entry.first;
  });
  keys_ = std::move(fresh);
}

std::shared_ptr<const SigningService::Keys> SigningService::keys() const {
  const std::lock_guard lock(mutex_);
  return keys_;
}

std::size_t SigningService::key_count() const {
  return keys()->all.size();
}

SigningAnswer SigningService::answer(const SigningRequest& request, MonotonicTime now) {
  if (const auto* wanted = std::get_if<ListRequest>(&request)) return list(*wanted);
  auto signature = sign(std::get<SignRequest>(request), now);
  if (!signature) return RefusedAnswer{signature.error()};
  return SignatureAnswer{std::move(*signature)};
}

Result<std::string> SigningService::sign(const SignRequest& request, MonotonicTime now) {
  const auto all = keys();
  const auto found = all->by_name.find(Name(request.domain.str(), request.selector));
  if (found == all->by_name.end()) {
    return fail(ErrorKind::NotFound,
                fmt::format("the signer has no key of selector {} for {}", request.selector, request.domain.str()));
  }
  const StoredKey& key = all->all[found->second];
  if (auto allowed = check_tenant(request); !allowed) return tl::unexpected(allowed.error());
  const SigningName name{key.domain, key.selector, key.key->type()};
  if (auto safe = check_signed_octets(request.octets, name, options_.forwarding_domain); !safe)
    return tl::unexpected(safe.error());
  if (!take_allowance(request.domain.str(), now)) {
    return fail(ErrorKind::Exhausted,
                fmt::format("{} has used up its {} signatures in a minute (signer.max_signatures)",
                            request.domain.str(), options_.max_signatures));
  }
  return key.key->sign_for(request.tenant, request.octets);
}

// The relay's own mail (bounces, reports) is of no tenant.
Result<void> SigningService::check_tenant(const SignRequest& request) const {
  const TenantRule* rule = nullptr;
  for (const TenantRule& candidate : options_.rules) {
    if (!request.domain.is_within(candidate.domain)) continue;
    if (rule == nullptr || candidate.domain.label_count() > rule->domain.label_count()) rule = &candidate;
  }
  if (rule == nullptr || request.tenant.empty()) return {};
  if (std::ranges::find(rule->tenants, request.tenant) != rule->tenants.end()) return {};
  return fail(ErrorKind::Denied,
              fmt::format("the tenant of this message may not sign for {} (signer.rule)", request.domain.str()));
}

bool SigningService::take_allowance(const std::string& domain, MonotonicTime now) {
  const double most = options_.max_signatures;
  const std::lock_guard lock(mutex_);
  Allowance& allowance = allowances_.try_emplace(domain, Allowance{most, now}).first->second;
  const auto waited = static_cast<double>(std::max(now - allowance.since, Milliseconds(0)).count());
  allowance.signatures = std::min(most, allowance.signatures + waited * most / kMillisecondsOfMinute);
  allowance.since = now;
  if (allowance.signatures < 1) return false;
  allowance.signatures -= 1;
  return true;
}

ListAnswer SigningService::list(const ListRequest& request) const {
  const auto all = keys();
  ListAnswer answer{all->generation, static_cast<std::uint32_t>(all->all.size()), {}};
  if (request.known_generation == all->generation && request.first == 0) return answer;
  for (std::size_t i = request.first; i < all->all.size() && answer.keys.size() < kMaxListedKeys; ++i)
    answer.keys.push_back(listed(all->all[i]));
  return answer;
}

}  // namespace waxwing
