#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace waxwing {

/// What an account or a tenant may be limited in. The numbers are in the database.
enum class QuotaKind : std::uint8_t {
  MessagesPerHour = 0,
  MessagesPerDay = 1,
  RecipientsPerHour = 2,
  RecipientsPerDay = 3,
  OctetsPerDay = 4,
  NewRecipientsPerDay = 5,  ///< recipients to whom the account has not written since the limit is there
  Connections = 6,          ///< at the same time
};
inline constexpr std::size_t kQuotaKinds = 7;

/// "messages_per_hour" and so on, as configuration and command line call it.
[[nodiscard]] std::string_view quota_name(QuotaKind kind);
[[nodiscard]] std::optional<QuotaKind> quota_kind(std::string_view name);

/// What happens to a message over a limit. The numbers are in the database.
enum class OverLimit : std::uint8_t {
  Reject = 0,  ///< the client is told to come again later
  Hold = 1,    ///< it is accepted and waits for an operator
};

/// Who is limited. The numbers are in the database.
enum class QuotaOwner : std::uint8_t { Account = 0, Tenant = 1 };

/// "account" and "tenant".
[[nodiscard]] std::string_view quota_owner_name(QuotaOwner owner);

/// What an account or a tenant may use, and whether its mail is held at present.
struct Quota {
  std::array<std::uint64_t, kQuotaKinds> limits{};  ///< by QuotaKind; 0: no limit
  OverLimit over_limit = OverLimit::Reject;
  std::string held_because{};  ///< sentence; empty: its mail goes out

  [[nodiscard]] std::uint64_t limit(QuotaKind kind) const { return limits[static_cast<std::size_t>(kind)]; }
  void set_limit(QuotaKind kind, std::uint64_t value) { limits[static_cast<std::size_t>(kind)] = value; }

  friend bool operator==(const Quota&, const Quota&) = default;
};

/// What was used in some time.
struct Usage {
  std::uint64_t messages = 0;
  std::uint64_t recipients = 0;
  std::uint64_t octets = 0;
  std::uint64_t new_recipients = 0;
  std::uint64_t delivered = 0;  ///< recipients
  std::uint64_t bounced = 0;    ///< recipients

  Usage& operator+=(const Usage& other);
  friend bool operator==(const Usage&, const Usage&) = default;
};

}  // namespace waxwing
