#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "policy/pkix.h"
#include "policy/result.h"
#include "relay/config/config.h"
#include "relay/observe/event_log.h"
#include "relay/store/queue_reader.h"
#include "transport/delivery/delivery_agent.h"
#include "transport/destination/sts_cache.h"
#include "transport/dns/resolver.h"
#include "transport/http/https_uri.h"
#include "transport/io/event_loop.h"
#include "transport/tls/tls_client_context.h"

namespace waxwing {

class StoreThread;

/// Everything on one event loop that looks outwards: resolver, TLS, MTA-STS cache and delivery agent, built from the
/// configuration. Used by the workers and by `explain`.
class Network {
 public:
  /// @param reader  for MTA-STS policies and proofs of TLS that are kept; nullptr: none are known
  /// @param store   where they are kept; nullptr: they are forgotten
  /// @param providers  connections of all networks of the process; nullptr: they are not counted
  /// @errors  Unavailable: the resolver library or TLS cannot be set up
  [[nodiscard]] static Result<std::unique_ptr<Network>> create(EventLoop& loop, const Config& config, EventLog& log,
                                                               std::shared_ptr<const TrustAnchors> anchors,
                                                               QueueReader* reader, StoreThread* store,
                                                               std::shared_ptr<ProviderConnections> providers = {});
  ~Network();

  [[nodiscard]] Resolver& resolver();
  [[nodiscard]] DeliveryAgent& agent();

  /// Submits a report to where its receiver wants it. Whatever certificate the host has: the report may be about just
  /// that.
  /// @param on_done  called once on the loop's thread, unless the network is gone before
  /// @source  RFC 8460 §3
  void post_report(const HttpsUri& to, const std::string& content_type, std::string content,
                   std::function<void(Result<void>)> on_done);

  /// Asks for everything anew from now on, whatever its TTL.
  void forget_answers();

 private:
  struct Parts;
  explicit Network(std::unique_ptr<Parts> parts);
  static void set_up_validation(EventLoop& loop, const Config& config, EventLog& log, Parts& parts);
  std::unique_ptr<Parts> parts_;
};

/// Reads the certificates of the authorities that are believed.
/// @errors  NotFound, Denied or Malformed; the detail names the file and the remedy
[[nodiscard]] Result<std::shared_ptr<const TrustAnchors>> load_trust_anchors(const std::string& path);

/// Reads a file of at most `max_octets`.
/// @errors  NotFound, Denied, Exhausted: larger, Unavailable; the detail names the file
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t max_octets);

}  // namespace waxwing
