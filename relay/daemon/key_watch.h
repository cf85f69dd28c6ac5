#pragma once

#include <memory>

#include "keys/key_directory.h"
#include "keys/rotation_store.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/config/config.h"
#include "relay/daemon/key_ring.h"
#include "relay/daemon/work_pool.h"
#include "relay/observe/event_log.h"
#include "relay/signing/signer_client.h"
#include "transport/io/event_loop.h"
#include "transport/io/timer.h"

namespace waxwing {

/// Keeps a CurrentKeyRing up to date: with the keys of this process, or with those of waxwing-signer when the
/// configuration names its socket. Lives on one loop's thread; the pool must have stopped before it goes.
class KeyWatch {
 public:
  /// All references must outlive this object. The pool reads files and waits for the signer, never the
  /// loop once it runs.
  KeyWatch(EventLoop& loop, WorkPool& pool, const EventLog& log, const Config& config, CurrentKeyRing& ring);

  /// Loads the keys, and looks for other ones twice a second from then on. A signer that does not answer yet is no
  /// failure: there is no ring until it does, and nothing is signed.
  /// @errors  of keys of this process, as open_keys() and KeyStore::load_all()
  [[nodiscard]] Result<void> start();

  /// Loads the keys anew; when that fails, those loaded before stay in use.
  void reload();

 private:
  void watch();
  void watch_files();
  void load_files();
  void ask_signer(bool always);
  void take(const Result<std::shared_ptr<const KeyRing>>& ring);

  EventLoop& loop_;
  WorkPool& pool_;
  const EventLog& log_;
  const Config& config_;
  CurrentKeyRing& ring_;
  RotationStore states_;  ///< of the keys of this process
  Timer timer_;
  std::unique_ptr<KeyDirectory> files_;  ///< nullptr: the signer has the keys
  WallTime files_changed_;               ///< last change of the files that is in the ring for sure
  std::shared_ptr<RemoteKeyStore> signer_;
  bool busy_ = false;          ///< the pool has files_ or signer_ now
  bool reload_again_ = false;  ///< what is being loaded may be old already
  MonotonicTime rest_until_;
  bool signer_is_silent_ = false;  ///< and the log has it
};

}  // namespace waxwing
