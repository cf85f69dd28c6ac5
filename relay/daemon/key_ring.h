#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "keys/key_store.h"
#include "policy/domain_name.h"
#include "policy/preflight.h"
#include "policy/result.h"

namespace waxwing {

/// All signing keys by domain, as they were loaded at one time. Immutable; shared between threads.
class KeyRing {
 public:
  explicit KeyRing(const std::vector<StoredKey>& keys);

  /// Keys that may sign for an author domain: those of the domain itself, or else of its nearest ancestor that has any,
  /// since relaxed alignment accepts them. Valid as long as the ring.
  [[nodiscard]] const std::vector<StoredKey>& keys_for(const DomainName& author_domain) const;

  /// The public halves of keys_for(), in the same order.
  [[nodiscard]] const std::vector<PreflightKey>& public_halves_for(const DomainName& author_domain) const;

  [[nodiscard]] std::size_t domain_count() const { return by_domain_.size(); }

 private:
  struct KeysOfDomain {
    std::vector<StoredKey> keys;
    std::vector<PreflightKey> public_halves;  ///< written once, since every message needs them
  };
  [[nodiscard]] const KeysOfDomain& find(const DomainName& author_domain) const;

  std::map<DomainName, KeysOfDomain> by_domain_;
};

/// Where the current KeyRing is found; exchanged when keys are loaded anew. Thread-safe.
class CurrentKeyRing {
 public:
  /// @return  nullptr: no keys were loaded yet, since the signer has not answered
  [[nodiscard]] std::shared_ptr<const KeyRing> get() const;
  void set(std::shared_ptr<const KeyRing> ring);

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const KeyRing> ring_;
};

/// Why there is no ring: Unavailable.
[[nodiscard]] Error keys_not_known();

}  // namespace waxwing
