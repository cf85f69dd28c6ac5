#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/domain_name.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "transport/destination/tls_memory.h"

namespace waxwing {

class SqliteConnection;

/// Domains whose hosts were authenticated by a delivery, and when. Changes belong to the open batch of the store, if
/// there is one.
class ProvenTlsStore {
 public:
  explicit ProvenTlsStore(SqliteConnection& connection) : connection_(connection) {}

  /// @param not_before  what was proven last before that does not count
  /// @errors  Corrupt
  [[nodiscard]] Result<std::optional<RememberedTls>> find(const DomainName& domain, WallTime not_before);

  /// Notes a proof, keeping the date of the first one.
  /// @param method  as RememberedTls::method
  [[nodiscard]] Result<void> keep(const DomainName& domain, std::string_view method, WallTime now);

  struct Entry {
    std::string domain;
    RememberedTls remembered;
  };
  /// In the order of the names.
  /// @limits  kMaxListedProvenDomains
  /// @errors  Corrupt
  [[nodiscard]] Result<std::vector<Entry>> list();

  /// @errors  NotFound: nothing is remembered of the domain
  [[nodiscard]] Result<void> forget(const DomainName& domain);

  /// Deletes what was proven last before a time.
  [[nodiscard]] Result<void> remove_before(WallTime time);

 private:
  SqliteConnection& connection_;
};

inline constexpr std::size_t kMaxListedProvenDomains = 100'000;

}  // namespace waxwing
