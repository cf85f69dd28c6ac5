#pragma once

#include <functional>
#include <optional>

#include "policy/domain_name.h"
#include "policy/result.h"
#include "transport/destination/destination_plan.h"

namespace waxwing {

/// MTA-STS policies that outlive the process: a policy once fetched holds until max_age whatever the network says.
/// Callbacks come on the calling loop's thread, exactly once, and may come inside the call.
class StsCache {
 public:
  virtual ~StsCache() = default;

  /// Finds the policy of a domain; expired ones are not returned.
  /// @errors  Unavailable, Corrupt: it cannot be told whether there is one, which is not the same as none
  virtual void find(const DomainName& domain, std::function<void(Result<std::optional<CachedStsPolicy>>)> on_found) = 0;

  /// Keeps a fetched policy, replacing an older one.
  virtual void keep(const DomainName& domain, const CachedStsPolicy& policy) = 0;
};

}  // namespace waxwing
