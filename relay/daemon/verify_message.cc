#include "relay/daemon/verify_message.h"

#include <fmt/format.h>
#include <unistd.h>

#include <optional>

#include "relay/daemon/configured_resolver.h"
#include "relay/daemon/file_content.h"
#include "relay/daemon/network.h"
#include "relay/observe/event_log.h"
#include "transport/io/event_loop.h"
#include "transport/io/timer.h"

namespace waxwing {
namespace {

Result<void> feed_all(const ReadMessage& read, MessageVerifier& message) {
  FileContent content;
  while (true) {
    const auto chunk = read();
    if (!chunk) return tl::unexpected(chunk.error());
    const bool at_end = chunk->empty();
    auto fed = message.feed(at_end ? content.finish() : content.convert(*chunk));
    if (!fed) return fed;
    if (at_end) return message.finish();
  }
}

/// One judgement on its way; lives on the stack of verify_message().
class JudgementRun {
 public:
  JudgementRun(EventLoop& loop, Resolver& resolver, const MessageVerifier& message, const ReceivedEnvelope& envelope)
      : loop_(loop), resolver_(resolver), message_(message), envelope_(envelope) {}

  void judge() {
    verdict_ = judge_received(message_, envelope_, answers_, loop_.wall_now());
    if (verdict_) return loop_.stop();
    resolve_missing(resolver_, answers_, [this] { judge(); });
  }

  [[nodiscard]] std::optional<ReceivedVerdict>& verdict() { return verdict_; }

 private:
  EventLoop& loop_;
  Resolver& resolver_;
  const MessageVerifier& message_;
  const ReceivedEnvelope& envelope_;
  Answers answers_;
  std::optional<ReceivedVerdict> verdict_;
};

}  // namespace

Result<ReceivedVerdict> verify_message(const Config& config, const ReadMessage& read,
                                       const ReceivedEnvelope& envelope) {
  MessageVerifier message;
  if (auto fed = feed_all(read, message); !fed) return tl::unexpected(fed.error());
  auto anchors = load_trust_anchors(config.ca_file);
  if (!anchors) return tl::unexpected(anchors.error());
  EventLoop loop;
  EventLog log(EventLog::Format::Text, Severity::Warning, STDERR_FILENO, [&loop] { return loop.wall_now(); });
  auto network = Network::create(loop, config, log, *anchors, nullptr, nullptr);
  if (!network) return tl::unexpected(network.error());
  JudgementRun run(loop, (*network)->resolver(), message, envelope);
  Timer limit(loop, [&loop] { loop.stop(); });
  limit.start(kVerifyTimeLimit);
  loop.post([&run] { run.judge(); });
  loop.run();
  network->reset();  // what is still outstanding must not call the run
  if (run.verdict()) return std::move(*run.verdict());
  return fail(ErrorKind::Unavailable,
              fmt::format("DNS did not answer within {} seconds; is the resolver {} up?",
                          std::chrono::duration_cast<Seconds>(kVerifyTimeLimit).count(), resolver_name(config)));
}

}  // namespace waxwing
