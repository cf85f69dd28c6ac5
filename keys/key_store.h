#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "keys/signer.h"
#include "keys/signing_key.h"
#include "policy/domain_name.h"
#include "policy/result.h"
#include "policy/time_point.h"

namespace waxwing {

/// A key together with the name under which its public half is published.
struct StoredKey {
  DomainName domain;
  std::string selector;  ///< as parse_selector() returns it
  std::shared_ptr<const Signer> key;
  WallTime created;
};

/// The port through which keys are kept. One thread at a time.
class KeyStore {
 public:
  KeyStore() = default;
  KeyStore(const KeyStore&) = delete;
  KeyStore& operator=(const KeyStore&) = delete;
  virtual ~KeyStore() = default;

  /// All keys, in order of domain and selector. One that cannot be used fails the whole: a relay that silently lacked a
  /// key would send mail unsigned, or signed by half.
  /// @errors  NotFound, Denied, Malformed, Unavailable, Exhausted; each names the place and the remedy
  [[nodiscard]] virtual Result<std::vector<StoredKey>> load_all() = 0;

  /// Keeps a key durably before it returns.
  /// @param selector  as parse_selector() returns it
  /// @errors  Conflict: this domain has a key of this selector already, which is never replaced;
  ///          otherwise as load_all()
  [[nodiscard]] virtual Result<void> add(const DomainName& domain, std::string_view selector, const SigningKey& key,
                                         WallTime created) = 0;
};

}  // namespace waxwing
