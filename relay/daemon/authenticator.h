#pragma once

#include <functional>
#include <string>

#include "policy/result.h"
#include "relay/daemon/work_pool.h"
#include "relay/queue/account.h"
#include "relay/server/sasl.h"
#include "relay/store/queue_reader.h"
#include "transport/io/event_loop.h"

namespace waxwing {

/// Checks passwords: looks the account up on its loop's thread and hashes in a pool. Lives on one event loop.
class Authenticator {
 public:
  /// @errors  Denied: unknown account or wrong password, in the same time and words; Unavailable: the accounts cannot
  /// be read,
  ///          or too many logins wait
  using OnChecked = std::function<void(Result<Account>)>;

  /// All references must outlive it, and the pool must have stopped before it goes.
  Authenticator(EventLoop& loop, QueueReader& reader, WorkPool& pool);

  /// Calls back exactly once, never inside the call.
  void check(const Credentials& credentials, OnChecked on_checked);

 private:
  EventLoop& loop_;
  QueueReader& reader_;
  WorkPool& pool_;
};

}  // namespace waxwing
