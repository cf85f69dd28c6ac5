#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "policy/result.h"
#include "transport/io/event_loop.h"
#include "transport/io/local_request_server.h"

namespace waxwing {

// Which key records messages in the queue still need. Whoever rotates keys must know, and may be another user than the
// relay's, who may know nothing else about the queue; so this question has a socket of its own, `<run>/needed-keys`, in
// the protocol of the control socket.

/// The names, "<selector>._domainkey.<domain>", as signatures of all queued messages have them.
using NeededKeys = std::set<std::string>;

/// Reads them from the store. Blocks for as long as it takes to read all headers.
/// @errors  as QueueReader::open()
[[nodiscard]] Result<NeededKeys> read_needed_keys(const std::string& state_directory);

/// Answers one request line from the store. Blocks ditto.
[[nodiscard]] std::string answer_needed_keys(std::string_view request, const std::string& state_directory);

/// What is answered while too many questions wait already.
[[nodiscard]] std::string answer_later();

/// Listens for that question.
/// @param keeper  user that keeps the keys, heard besides root and the user of this process; no value: nobody
/// @errors  as LocalRequestServer::open()
[[nodiscard]] Result<std::unique_ptr<LocalRequestServer>> open_needed_keys_server(EventLoop& loop,
                                                                                  const std::string& run_directory,
                                                                                  std::optional<uid_t> keeper,
                                                                                  LocalRequestServer::Handle handle);

/// Asks the relay when one listens in `run_directory`, else looks into its store. Blocks.
/// @return  also none when there is no store: a relay that has never run has nothing that waits
/// @errors  Denied: neither is allowed to this user; Unavailable: the relay does not answer; Corrupt: the store
[[nodiscard]] Result<NeededKeys> find_needed_keys(const std::string& run_directory, const std::string& state_directory);

}  // namespace waxwing
