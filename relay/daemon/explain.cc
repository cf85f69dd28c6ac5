#include "relay/daemon/explain.h"

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "relay/daemon/network.h"
#include "relay/daemon/report_json.h"
#include "relay/observe/event_log.h"
#include "relay/store/queue_reader.h"
#include "transport/io/event_loop.h"
#include "transport/io/timer.h"

namespace waxwing {

Result<nlohmann::json> explain_address(const Config& config, const MailAddress& address) {
  auto anchors = load_trust_anchors(config.ca_file);
  if (!anchors) return tl::unexpected(anchors.error());
  EventLoop loop;
  EventLog log(EventLog::Format::Text, Severity::Warning, STDERR_FILENO, [&loop] { return loop.wall_now(); });
  // Without a store yet, or without the right to read it, the policies that the relay keeps are not known: say the
  // rest.
  auto reader = QueueReader::open(config.state_directory);
  auto network = Network::create(loop, config, log, *anchors, reader ? &*reader : nullptr, nullptr);
  if (!network) return tl::unexpected(network.error());

  std::optional<nlohmann::json> result;
  Timer limit(loop, [&loop] { loop.stop(); });
  limit.start(kExplainTimeLimit);
  (*network)->agent().plan(address.domain, config.minimum_tls,
                           [&](const DestinationPlan& plan, const Answers& answers) {
                             result = plan_json(address.domain, plan, answers);
                             loop.stop();
                           });
  loop.run();
  if (!result) {
    return fail(
        ErrorKind::Unavailable,
        fmt::format("DNS and MTA-STS did not answer within {} seconds; is the resolver {} up?",
                    std::chrono::duration_cast<Seconds>(kExplainTimeLimit).count(), config.resolver_address.str()));
  }
  (*result)["address"] = address.str();
  if (!reader) (*result)["mta_sts"]["cache"] = "not readable: " + reader.error().detail;
  return std::move(*result);
}

}  // namespace waxwing
