#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "policy/domain_name.h"
#include "policy/result.h"
#include "policy/time_point.h"

namespace waxwing {

/// That hosts of a domain were once authenticated, as seen by a delivery.
struct RememberedTls {
  std::string method;  ///< "dane" or "mta-sts"
  WallTime first_proven;
  WallTime last_proven;
};

/// What was proven about domains outlives the process, so that nobody who can make a policy vanish goes unnoticed.
/// Belongs to one loop.
class TlsMemory {
 public:
  virtual ~TlsMemory() = default;

  /// @return  no value: never authenticated, or so long ago that it does not count any more
  /// @errors  Unavailable, Corrupt: it cannot be told
  [[nodiscard]] virtual Result<std::optional<RememberedTls>> find(const DomainName& domain) = 0;

  /// Hears of each message that a host took which the domain itself had vouched for.
  /// @param method  as RememberedTls::method
  virtual void on_proven(const DomainName& domain, std::string_view method) = 0;

  /// Hears once for each look at the domain that nothing of what is remembered is left.
  /// @param sentence  DestinationPlan::lost_tls
  virtual void on_lost(const DomainName& domain, std::string_view sentence) = 0;
};

/// What to do when no host of a domain that was authenticated can be so any more, though every lookup succeeded.
enum class LostTls {
  Report,  ///< deliver as the domain publishes now, and say so
  Defer,   ///< wait until it is authenticated again, or the operator makes the relay forget it
};

}  // namespace waxwing
