#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/domain_name.h"
#include "policy/ip_address.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/config/config.h"
#include "relay/config/egress_rules.h"
#include "relay/egress/egress_pools.h"
#include "relay/observe/event_log.h"
#include "relay/queue/queued_message.h"
#include "relay/store/sqlite_queue_store.h"
#include "relay/store/store_thread.h"
#include "transport/delivery/delivery_job.h"
#include "transport/delivery/local_end_chooser.h"
#include "transport/delivery/provider_connections.h"

namespace waxwing {

class EgressAttempt;

/// The sources of the configuration, in use: says for each attempt from where it goes, and has the store remember what
/// was used and who rests. One for all workers; all functions may be called from any thread.
class EgressDesk {
 public:
  /// All references must outlive it, and it all attempts.
  EgressDesk(const Config& config, StoreThread& store, EventLog& log);

  /// Takes over what was known before a restart; before the first attempt.
  /// @errors  as EgressStore
  [[nodiscard]] Result<void> load(SqliteQueueStore& store, WallTime now);

  /// Logs each address of a source that is none of `local`: nothing can leave from it.
  void check_addresses(const std::vector<IpAddress>& local) const;

  /// Begins an attempt with a message.
  /// @param now  of the thread that uses the attempt
  [[nodiscard]] std::shared_ptr<EgressAttempt> begin(QueueId id, std::string_view tenant,
                                                     const DomainName& recipient_domain,
                                                     std::shared_ptr<const ProviderConnections> providers,
                                                     std::function<WallTime()> now);

  /// An operator's orders, which are in the store already.
  void pause(const EgressPause& pause, WallTime now) { pools_.pause(pause, now); }
  void resume(const std::string& source, const std::string& provider) { pools_.resume(source, provider); }

  /// Has what has changed since the last call written; to be called every few seconds.
  void write_down();

 private:
  friend class EgressAttempt;

  StoreThread& store_;
  EventLog& log_;
  const EgressLayout layout_;
  const std::vector<EgressRule>& rules_;
  EgressPools pools_;
  std::atomic<bool> writing_ = false;
};

/// From where one message goes. Lives on one worker's thread.
class EgressAttempt final : public LocalEndChooser {
 public:
  EgressAttempt(EgressDesk& desk, EgressClaim claim, QueueId id, std::shared_ptr<const ProviderConnections> providers,
                std::function<WallTime()> now);
  ~EgressAttempt() override;

  Choice choose(const std::string& mx_name, std::span<const IpAddress> addresses) override;
  std::optional<WallTime> on_refused(const std::string& mx_name, const SmtpReply& reply, DeliveryStage stage) override;

  std::optional<WallTime> on_unusable(const std::string& detail) override;

  /// Counts what came of it.
  void finish(const DeliveryReport& report);

 private:
  EgressDesk& desk_;
  EgressClaim claim_;
  const QueueId id_;
  const std::shared_ptr<const ProviderConnections> providers_;
  const std::function<WallTime()> now_;
  std::optional<std::size_t> source_;  // chosen last
  std::string provider_;               // for which it was chosen
  std::vector<IpAddress> addresses_;   // of its host
};

/// How long a source rests whose address this host lacks.
inline constexpr Seconds kMissingAddressRest{300};

/// The pools that a configuration describes.
[[nodiscard]] EgressPools::Options egress_pools_options(const Config& config);

}  // namespace waxwing
