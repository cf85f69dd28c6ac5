#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "relay/queue/queue_store.h"
#include "relay/queue/queued_message.h"

namespace waxwing {

class SqliteConnection;

// Rows of messages and recipients, for the writing and the reading side. These functions throw as sqlite_connection.h
// says.

/// A wish as the column `notify` holds it: 0 without one, else 8 with 1 for success, 2 for failure and 4 for delay.
[[nodiscard]] std::int64_t stored_wish(const std::optional<NotifyWish>& wish);

/// One message with its recipients and, when it is inline, its body.
[[nodiscard]] std::optional<QueuedMessage> load_message(SqliteConnection& connection, QueueId id);

/// The same with those of its recipients that are named and there, in the order of `ordinals`.
[[nodiscard]] std::optional<QueuedMessage> load_message(SqliteConnection& connection, QueueId id,
                                                        const std::vector<std::uint32_t>& ordinals);

/// Messages that match, oldest first, without header, body and delivery reports.
[[nodiscard]] std::vector<QueuedMessage> list_messages(SqliteConnection& connection, const QueueFilter& filter);

// What rows may hold; more is refused when writing and is damage when reading.
inline constexpr std::size_t kMaxStoredHeaderOctets = 4U << 20;
inline constexpr std::size_t kMaxStoredRecipients = 100'000;
inline constexpr std::size_t kMaxStoredAddressOctets = 320;
inline constexpr std::size_t kMaxStoredNameOctets = 255;  // accounts, tenants, domains
inline constexpr std::size_t kMaxStoredMessageIdOctets = 2'000;
inline constexpr std::size_t kMaxStoredStatusOctets = 16;
inline constexpr std::size_t kMaxStoredReasonOctets = 4'096;
inline constexpr std::size_t kMaxStoredReportOctets = 65'536;
inline constexpr std::uint64_t kMaxStoredBodyOctets = 1ULL << 40;
inline constexpr std::int64_t kMaxStoredId = INT64_MAX;
inline constexpr std::int64_t kMaxStoredCount = UINT32_MAX;  // ordinals and attempts

}  // namespace waxwing
