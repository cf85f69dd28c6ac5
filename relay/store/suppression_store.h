#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policy/mail_address.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/queue/suppression.h"

namespace waxwing {

class Query;
class SqliteConnection;

/// The suppression lists of all tenants. Addresses are compared as MailAddress::str(): the local part with its case (RFC 5321
/// §2.4). Changes belong to the open batch of the store, if there is one.
class SuppressionStore {
 public:
  explicit SuppressionStore(SqliteConnection& connection) : connection_(connection) {}

  /// @return  no value when the address is not listed, or was until `now`
  /// @errors  Corrupt
  [[nodiscard]] Result<std::optional<Suppression>> find(const std::string& tenant, const MailAddress& address,
                                                        WallTime now);

  /// Whether nothing of a tenant is listed.
  [[nodiscard]] Result<bool> is_empty(const std::string& tenant);

  /// Adds an address, or gives one that is listed another reason and, where it is later, end. Cuts the reason to
  /// kMaxSuppressionReasonOctets.
  /// @errors  Exhausted: the list of the tenant has kMaxSuppressions
  ///          Malformed: the name of the tenant is too long
  [[nodiscard]] Result<void> keep(const Suppression& suppression);

  /// @errors  NotFound: the address is not listed
  [[nodiscard]] Result<void> remove(const std::string& tenant, const MailAddress& address);

  /// Deletes what has ended.
  [[nodiscard]] Result<void> remove_expired(WallTime now);

  /// Where a list goes on: behind this address of this tenant.
  struct Position {
    std::string tenant;
    std::string address;
  };
  /// In the order of tenants and addresses, what has ended left out.
  /// @param tenant  empty: all
  /// @errors  Corrupt
  [[nodiscard]] Result<std::vector<Suppression>> list(const std::string& tenant, const Position& after, WallTime now,
                                                      std::size_t limit);

 private:
  [[nodiscard]] std::uint64_t count(const std::string& tenant);
  void count_again(const std::string& tenant, std::uint64_t entries);

  SqliteConnection& connection_;
};

/// Entries of one tenant.
inline constexpr std::uint64_t kMaxSuppressions = 1'000'000;
inline constexpr std::size_t kMaxSuppressionReasonOctets = 500;

}  // namespace waxwing
