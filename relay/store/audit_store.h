#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "policy/result.h"
#include "policy/time_point.h"

namespace waxwing {

class SqliteConnection;

/// What an operator had done to the queue.
struct OperatorAction {
  std::uint64_t id = 0;  ///< rising; add() chooses it
  WallTime time{};
  std::uint32_t uid = 0;      ///< that the command came from, as the kernel says
  std::string operator_name;  ///< as the command line says: behind sudo, who called it
  std::string command;        ///< "queue drop"
  std::string filter;         ///< JSON of what selected the messages
  std::uint64_t messages = 0;
  std::uint64_t recipients = 0;
  std::string reason;  ///< empty: none was given
};

/// The audit log of operators. An entry belongs to the batch of the store that it tells of, so that there is none without
/// the other. Texts are cut to kMaxAuditTextOctets.
class AuditStore {
 public:
  explicit AuditStore(SqliteConnection& connection) : connection_(connection) {}

  /// Adds an entry; the oldest beyond kMaxAuditEntries goes.
  [[nodiscard]] Result<void> add(const OperatorAction& entry);

  /// Newest first.
  /// @param before  id of the last entry that is known already; 0: none is
  /// @errors  Corrupt
  [[nodiscard]] Result<std::vector<OperatorAction>> list(std::uint64_t before, std::size_t limit);

  [[nodiscard]] Result<void> remove_before(WallTime time);

 private:
  SqliteConnection& connection_;
};

inline constexpr std::uint64_t kMaxAuditEntries = 100'000;
inline constexpr std::size_t kMaxAuditTextOctets = 4'096;
/// How long the relay keeps entries.
inline constexpr Seconds kAuditKeepFor{365 * 86'400};

}  // namespace waxwing
