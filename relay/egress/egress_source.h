#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policy/ip_address.h"
#include "policy/time_point.h"

namespace waxwing {

/// How many messages each provider gets from a new source, day by day (UTC).
struct WarmUp {
  WallTime start;                      ///< midnight of the first day
  std::vector<std::uint64_t> per_day;  ///< of the first day, the second …; afterwards there is no limit

  /// What a day allows; no value: no limit.
  /// @param day  days since 1970-01-01
  [[nodiscard]] std::optional<std::uint64_t> allowance(std::int64_t day) const;

  friend bool operator==(const WarmUp&, const WarmUp&) = default;
};

/// The day of a time, in days since 1970-01-01 (UTC), and when the next one begins.
[[nodiscard]] std::int64_t day_of(WallTime time);
[[nodiscard]] WallTime day_after(WallTime time);

/// A local end from which mail leaves.
struct EgressSource {
  std::string name;
  std::string helo_name;
  std::vector<IpAddress> addresses;  ///< to bind to, at most one of each family
  bool binds_always = true;          ///< false: towards the other family, the system chooses an address
  std::optional<WarmUp> warm_up{};

  /// Whether it has a way to a host of that address.
  [[nodiscard]] bool reaches(const IpAddress& host) const;

  friend bool operator==(const EgressSource&, const EgressSource&) = default;
};

/// Sources that share some mail.
struct EgressPool {
  struct Member {
    std::size_t source = 0;  ///< index
    std::uint64_t weight = 1;
    friend bool operator==(const Member&, const Member&) = default;
  };
  std::string name;
  std::vector<Member> members;
};

}  // namespace waxwing
