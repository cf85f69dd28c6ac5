#include "relay/daemon/report_mail.h"

#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "relay/queue/bounce.h"
#include "signer/body_hasher.h"

namespace waxwing {
namespace {

void store(IntakeServices& services, QueuedMessage report, QueueId about) {
  auto message = std::make_shared<const QueuedMessage>(std::move(report));
  services.store.add(message, std::nullopt, [&services, message, about](const Result<void>& stored) {
    if (stored) {
      services.on_queued(message, {});
      services.log.write(Severity::Info, "report_queued", {{"id", message->id.str()}, {"about", about.str()}});
    } else {
      services.log.write(Severity::Error, "message_not_stored",
                         {{"id", message->id.str()}, {"reason", stored.error().detail}});
    }
  });
}

}  // namespace

void seal_report(MessageSealer& sealer, const DomainName& author, QueuedMessage report,
                 std::function<void(QueuedMessage)> on_sealed) {
  BodyHasher hasher(Canonicalization::Relaxed);
  hasher.update(report.body);
  SealRequest request{report.header, hasher.finish(), author, std::nullopt, {}, {}};
  for (const QueuedRecipient& recipient : report.recipients)
    request.recipient_domains.push_back(recipient.address.domain.str());
  sealer.seal(std::move(request),
              [report = std::move(report), on_sealed = std::move(on_sealed)](Result<Sealed> sealed) mutable {
                if (sealed) report.header = std::move(sealed->header);
                on_sealed(std::move(report));
              });
}

void report_refused(IntakeServices& services, const RefusedMessage& refused) {
  const WallTime now = services.loop.wall_now();
  QueuedMessage original;
  original.id = services.ids.next(now);
  original.accepted = now;
  original.tenant = refused.account.tenant_name();
  original.reverse_path = refused.envelope.reverse_path;
  original.notice.envelope_id = refused.envelope.notice.envelope_id;
  original.header = refused.header;
  std::vector<ReportedRecipient> failed;
  for (const EnvelopeRecipient& recipient : refused.envelope.recipients) {
    if (!is_wanted(ReportedAction::Failed, recipient.notice)) continue;
    failed.push_back({recipient.address,
                      refused.refusal.enhanced_code,
                      refused.refusal.lines.front(),
                      {},
                      {},
                      now,
                      ReportedAction::Failed,
                      recipient.notice.original_recipient});
  }
  const auto author = DomainName::parse(services.config.hostname);
  if (failed.empty() || !author) return;
  const BounceOptions options{services.config.hostname, now, services.config.lifetime,
                              (std::uint64_t{std::random_device()()} << 32) | std::random_device()()};
  for (QueuedMessage& report : compose_bounces(original, failed, options, services.ids)) {
    seal_report(services.sealer, *author, std::move(report),
                [&services, about = original.id](QueuedMessage sealed) { store(services, std::move(sealed), about); });
  }
}

}  // namespace waxwing
