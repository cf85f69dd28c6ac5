#include "relay/store/sts_policy_store.h"

#include <string>
#include <utility>

#include "policy/mta_sts.h"
#include "relay/store/sqlite_connection.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxPolicyIdOctets = 32;  // RFC 8461 §3.1

CachedStsPolicy policy_columns(Query& row) {
  CachedStsPolicy cached;
  cached.policy_id = row.octets(kMaxPolicyIdOctets);
  cached.body = row.octets(kMaxStsPolicyOctets);
  cached.fetched = row.time();
  cached.expires = row.time();
  auto policy = StsPolicy::parse(cached.body);
  if (!policy) throw CorruptValue(policy.error().detail);
  cached.policy = std::move(*policy);
  return cached;
}

}  // namespace

Result<std::optional<CachedStsPolicy>> StsPolicyStore::find(const DomainName& domain, WallTime now) {
  return connection_.contained("read the MTA-STS policy of " + domain.str(),
                               [&]() -> Result<std::optional<CachedStsPolicy>> {
                                 auto row = connection_.query(
                                     "SELECT policy_id, body, fetched, expires FROM sts_policies "
                                     "WHERE domain=? AND expires>?");
                                 row.bind_text(domain.str()).bind(now);
                                 if (!row.step()) return std::optional<CachedStsPolicy>();
                                 return std::optional<CachedStsPolicy>(policy_columns(row));
                               });
}

Result<void> StsPolicyStore::keep(const DomainName& domain, const CachedStsPolicy& policy) {
  // What could not be read back must not get in: it would look like damage.
  if (auto readable = StsPolicy::parse(policy.body); !readable) return tl::unexpected(std::move(readable.error()));
  if (policy.policy_id.size() > kMaxPolicyIdOctets) {
    return fail(ErrorKind::Malformed, "the id of the MTA-STS policy is longer than 32 characters");
  }
  return connection_.contained("store the MTA-STS policy of " + domain.str(), [&]() -> Result<void> {
    auto change = connection_.query(
        "INSERT INTO sts_policies(domain, policy_id, body, fetched, expires) VALUES(?,?,?,?,?) ON CONFLICT(domain) DO "
        "UPDATE SET policy_id=excluded.policy_id, body=excluded.body, fetched=excluded.fetched, "
        "expires=excluded.expires");
    change.bind_text(domain.str()).bind_text(policy.policy_id).bind_octets(policy.body);
    change.bind(policy.fetched).bind(policy.expires).run();
    return {};
  });
}

Result<void> StsPolicyStore::remove_expired(WallTime now) {
  return connection_.contained("remove expired MTA-STS policies", [&]() -> Result<void> {
    connection_.query("DELETE FROM sts_policies WHERE expires<=?").bind(now).run();
    return {};
  });
}

}  // namespace waxwing
