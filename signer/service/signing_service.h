#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "keys/key_store.h"
#include "policy/domain_name.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "signer/service/signing_protocol.h"

namespace waxwing {

/// Which tenants may have mail signed for a domain and those below it.
struct TenantRule {
  DomainName domain;
  std::vector<std::string> tenants;
};

/// Signs for whoever is connected, after checking again what the relay should have checked: that the key may sign these
/// octets (signed_octets.h), that the tenant may use the domain, and that the domain has not signed too much. Thread-safe.
class SigningService {
 public:
  struct Options {
    std::optional<DomainName> forwarding_domain;  ///< whose key seals chains
    std::vector<TenantRule> rules;                ///< of several that fit, the one of the longest domain counts;
                                                  ///< a domain without any is for all tenants
    unsigned max_signatures = 300'000;            ///< of one domain in a minute
  };

  explicit SigningService(Options options) : options_(std::move(options)) {}

  /// Exchanges the keys.
  /// @param keys  each domain and selector once
  void set_keys(std::vector<StoredKey> keys);

  [[nodiscard]] std::size_t key_count() const;

  /// @errors  in the answer: NotFound: there is no such key; Denied: a rule is broken; Exhausted: the domain has signed
  ///          too much in the last minute; Unavailable: the key operation failed
  [[nodiscard]] SigningAnswer answer(const SigningRequest& request, MonotonicTime now);

 private:
  using Name = std::pair<std::string, std::string>;  // domain, selector
  struct Keys {
    std::uint64_t generation = 0;
    std::vector<StoredKey> all;
    std::map<Name, std::size_t> by_name;
  };
  /// How much a domain may sign now; grows with time.
  struct Allowance {
    double signatures;
    MonotonicTime since;
  };
  [[nodiscard]] std::shared_ptr<const Keys> keys() const;
  [[nodiscard]] Result<std::string> sign(const SignRequest& request, MonotonicTime now);
  [[nodiscard]] Result<void> check_tenant(const SignRequest& request) const;
  [[nodiscard]] bool take_allowance(const std::string& domain, MonotonicTime now);
  [[nodiscard]] ListAnswer list(const ListRequest& request) const;

  Options options_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Keys> keys_ = std::make_shared<const Keys>();
  std::map<std::string, Allowance> allowances_;  ///< of domains that have keys
};

}  // namespace waxwing
