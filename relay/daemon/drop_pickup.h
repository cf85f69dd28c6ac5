#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "policy/time_point.h"
#include "relay/config/config.h"
#include "relay/daemon/message_intake.h"
#include "relay/server/content_decoder.h"
#include "transport/io/event_loop.h"
#include "transport/io/timer.h"

namespace waxwing {

/// Takes in what sendmail(8) left in the drop directory while the relay did not run: one file after the other, as the
/// account of the user to whom the file belongs, with the checks of any other submission. A file goes when its message is
/// durable. One that is refused for good is renamed NAME.refused and told in the log, and its sender gets a bounce where the
/// account may send in that name; one that cannot be taken now is tried again. Lives on one event loop.
class DropPickup {
 public:
  /// All references must outlive it. Begins at once; without the directory nothing happens.
  DropPickup(IntakeServices& services, std::string directory);
  ~DropPickup();
  DropPickup(const DropPickup&) = delete;
  DropPickup& operator=(const DropPickup&) = delete;

  /// Begins no more files.
  void stop();

 private:
  struct File;
  void look();
  void take_next();
  [[nodiscard]] tl::expected<std::shared_ptr<File>, ServerReply> open(const std::string& name) const;
  void read_on(const std::shared_ptr<File>& file);
  void finish(const std::shared_ptr<File>& file);
  void refuse(const std::shared_ptr<File>& file, const ServerReply& refusal);
  void settle(const std::string& name, const std::optional<ServerReply>& refusal);

  IntakeServices& services_;
  const std::string directory_;
  ListenerConfig rules_;  ///< repairs as on the listener that the relay has by default
  Timer timer_;
  std::vector<std::string> names_;                 ///< still to be taken in this round
  std::map<std::string, MonotonicTime> deferred_;  ///< until when
  std::shared_ptr<bool> alive_;
  bool stopped_ = false;
};

inline constexpr Milliseconds kDropInterval{2'000};
inline constexpr Milliseconds kDropRetry{60'000};
/// Files that are looked at in one round.
inline constexpr std::size_t kMaxDropFiles = 1'000;

}  // namespace waxwing
