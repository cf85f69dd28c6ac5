#include "relay/daemon/egress_desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "relay/observe/timestamp.h"
#include "relay/store/egress_store.h"

namespace waxwing {
namespace {

EgressSource egress_source(const EgressSourceConfig& config, bool is_configured) {
  EgressSource source{config.name, config.helo_name, config.addresses, is_configured, std::nullopt};
  if (!config.warm_up_per_day.empty()) source.warm_up = WarmUp{config.warm_up_start, config.warm_up_per_day};
  return source;
}

EgressPool egress_pool(const EgressPoolConfig& config, const std::vector<EgressSource>& sources) {
  EgressPool pool{config.name, {}};
  for (const EgressShare& share : config.sources) {
    const auto found = std::ranges::find(sources, share.source, &EgressSource::name);
    if (found != sources.end())
      pool.members.push_back({static_cast<std::size_t>(found - sources.begin()), share.weight});
  }
  return pool;
}

}  // namespace

EgressPools::Options egress_pools_options(const Config& config) {
  const EgressLayout layout = egress_layout(config);
  EgressPools::Options options;
  for (const EgressSourceConfig& source : layout.sources)
    options.sources.push_back(egress_source(source, layout.is_configured));
  for (const EgressPoolConfig& pool : layout.pools) options.pools.push_back(egress_pool(pool, options.sources));
  for (const EgressPauseRule& rule : config.egress_pauses) {
    PauseRule& added = options.rules.emplace_back();
    added.name = rule.name;
    added.provider = rule.provider;
    added.code = static_cast<int>(rule.code);
    if (!rule.text.empty()) added.text.emplace(rule.text);
    added.pause_for = rule.pause_for;
  }
  return options;
}

EgressDesk::EgressDesk(const Config& config, StoreThread& store, EventLog& log)
    : store_(store),
      log_(log),
      layout_(egress_layout(config)),
      rules_(config.egress_rules),
      pools_(egress_pools_options(config)) {}

Result<void> EgressDesk::load(SqliteQueueStore& store, WallTime now) {
  auto uses = store.egress().uses(day_of(now));
  if (!uses) return tl::unexpected(std::move(uses.error()));
  auto pauses = store.egress().pauses(now);
  if (!pauses) return tl::unexpected(std::move(pauses.error()));
  pools_.load(*uses, *pauses, now);
  return {};
}

void EgressDesk::check_addresses(const std::vector<IpAddress>& local) const {
  if (!layout_.is_configured) return;
  for (const EgressSourceConfig& source : layout_.sources) {
    for (const IpAddress& address : source.addresses) {
      // All of 127.0.0.0/8 is there, whatever the interface lists.
      if (address.is_loopback() || std::ranges::find(local, address) != local.end()) continue;
      log_.write(Severity::Warning, "egress_address_missing",
                 {{"source", source.name},
                  {"address", address.str()},
                  {"reason", "no interface of this host has it, so that nothing can leave from it"}});
    }
  }
}

std::shared_ptr<EgressAttempt> EgressDesk::begin(QueueId id, std::string_view tenant,
                                                 const DomainName& recipient_domain,
                                                 std::shared_ptr<const ProviderConnections> providers,
                                                 std::function<WallTime()> now) {
  EgressClaim claim;
  claim.message = id.value();
  claim.pool = pools_.pool_index(waxwing::egress_pool(layout_, rules_, tenant, recipient_domain));
  return std::make_shared<EgressAttempt>(*this, std::move(claim), id, std::move(providers), std::move(now));
}

void EgressDesk::write_down() {
  if (writing_.exchange(true)) return;
  const auto changes = std::make_shared<EgressPools::Changes>(pools_.take_changes());
  const auto done = [this, changes](const Result<void>& written) {
    if (!written) pools_.not_written(*changes);
    writing_ = false;
  };
  if (changes->empty()) return done({});
  store_.run(
      [changes](SqliteQueueStore& store) -> Result<void> {
        if (auto kept = store.egress().keep_uses(changes->uses); !kept) return kept;
        for (const EgressPause& pause : changes->pauses.begun)
          if (auto kept = store.egress().keep_pause(pause); !kept) return kept;
        for (const auto& [source, provider] : changes->pauses.ended)
          if (auto removed = store.egress().remove_pause(source, provider); !removed)
            return tl::unexpected(std::move(removed.error()));
        return {};
      },
      done);
}

EgressAttempt::EgressAttempt(EgressDesk& desk, EgressClaim claim, QueueId id,
                             std::shared_ptr<const ProviderConnections> providers, std::function<WallTime()> now)
    : desk_(desk), claim_(std::move(claim)), id_(id), providers_(std::move(providers)), now_(std::move(now)) {}

EgressAttempt::~EgressAttempt() {
  desk_.pools_.settle(claim_, EgressPools::Use::NotSent);
}

LocalEndChooser::Choice EgressAttempt::choose(const std::string& mx_name, std::span<const IpAddress> addresses) {
  provider_ = providers_->provider_of(mx_name);
  addresses_.assign(addresses.begin(), addresses.end());
  auto choice = desk_.pools_.choose(claim_, provider_, addresses_, now_());
  source_ = choice.source;
  if (!source_) return {std::nullopt, std::move(choice.reason), choice.until};
  const EgressSource& source = desk_.pools_.source(*source_);
  return {LocalEnd{source.name, source.helo_name, source.addresses, source.binds_always}, {}, {}};
}

std::optional<WallTime> EgressAttempt::on_refused(const std::string& /*mx_name*/, const SmtpReply& reply,
                                                  DeliveryStage stage) {
  if (!source_) return std::nullopt;
  constexpr std::size_t kCodeOctets = 4;  // with the space
  const std::string text = reply.str();
  const auto refusal = desk_.pools_.on_reply(claim_, *source_, provider_, addresses_, reply.code,
                                             std::string_view(text).substr(std::min(kCodeOctets, text.size())), now_());
  if (stage >= DeliveryStage::Mail) desk_.pools_.settle(claim_, EgressPools::Use::Sent);
  if (!refusal) return std::nullopt;
  if (refusal->is_new) {
    desk_.log_.write(Severity::Warning, "egress_paused",
                     {{"rule", refusal->pause.rule},
                      {"source", refusal->pause.source},
                      {"provider", provider_},
                      {"until", format_timestamp(refusal->pause.until)},
                      {"id", id_.str()},
                      {"reply", refusal->pause.reason}});
  }
  return refusal->retry_at;
}

// Of what is not configured, nobody else could take over.
std::optional<WallTime> EgressAttempt::on_unusable(const std::string& detail) {
  if (!source_ || !desk_.layout_.is_configured) return std::nullopt;
  const EgressPause pause{
      desk_.pools_.source(*source_).name, {}, now_() + kMissingAddressRest, "missing-address", detail};
  const EgressPools::Rest rest = desk_.pools_.rest(claim_, pause, provider_, addresses_, now_());
  if (rest.is_new) {
    desk_.log_.write(Severity::Warning, "egress_address_missing",
                     {{"source", pause.source}, {"until", format_timestamp(pause.until)}, {"reason", detail}});
  }
  return rest.retry_at;
}

void EgressAttempt::finish(const DeliveryReport& report) {
  const bool sent = std::ranges::any_of(report.recipients, [](const RecipientOutcome& outcome) {
    return outcome.kind == RecipientOutcome::Kind::Delivered || outcome.stage >= DeliveryStage::Mail;
  });
  desk_.pools_.settle(claim_, sent ? EgressPools::Use::Sent : EgressPools::Use::NotSent);
}

}  // namespace waxwing
