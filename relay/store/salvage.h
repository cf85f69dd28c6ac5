#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "policy/result.h"
#include "relay/queue/queued_message.h"

namespace waxwing {

/// A message of which something was found, and that could not be rescued whole.
struct LostMessage {
  QueueId id;
  std::string what;  ///< is missing, in a sentence
};

/// What became of a damaged queue.
struct SalvageReport {
  std::vector<std::string> integrity;  ///< what SQLite says about the file, at most kMaxIntegrityLines
  std::uint32_t pages = 0;
  std::size_t pages_in_log = 0;   ///< replaced by the write-ahead log
  std::size_t unread_pages = 0;   ///< that the disk does not give
  std::size_t messages = 0;       ///< rescued, with all recipients that were found
  std::size_t recipients = 0;     ///< of these
  std::size_t doubtful = 0;       ///< of these messages, held because they may have left the queue already
  std::size_t accounts = 0;       ///< rescued
  std::vector<LostMessage> lost;  ///< at most kMaxLostMessages
  std::size_t lost_messages = 0;  ///< all of them
};

/// Makes a new state directory of what can be read of a damaged one, which stays as it is. Each row that lies on undamaged
/// pages is found, whatever leads to it; a row that was deleted is not, unless the list of free pages is damaged too: then
/// what may have been deleted is rescued and held. Recipients keep their states, and messages without any that waits are
/// left out.
/// @errors  Conflict: another process has the damaged directory, or the new one exists; NotFound, Denied: a directory;
///          Corrupt: there is no database, or a newer version wrote it; errors of the new store
[[nodiscard]] Result<SalvageReport> salvage(const std::string& state_directory, const std::string& target);

inline constexpr std::size_t kMaxIntegrityLines = 20;
inline constexpr std::size_t kMaxLostMessages = 10'000;

}  // namespace waxwing
