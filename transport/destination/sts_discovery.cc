#include "transport/destination/sts_discovery.h"

#include <fmt/format.h>

#include <chrono>

namespace waxwing {
namespace {

constexpr std::size_t kMaxNameOctets = 253;

std::string date(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day parts{day};
  return fmt::format("{:04}-{:02}-{:02}", int{parts.year()}, unsigned{parts.month()}, unsigned{parts.day()});
}

// The id of the policy that is published now, or why none can be told.
Result<std::string> published_id(const DomainName& domain, const Answer& txt) {
  const std::string name = "_mta-sts." + domain.str();
  if (!txt.usable()) {
    return fail(ErrorKind::Unavailable,
                fmt::format("the TXT lookup of {} {} ({})", name,
                            txt.status == Answer::Status::Bogus ? "failed DNSSEC validation" : "could not be completed",
                            txt.detail.empty() ? "no detail" : txt.detail));
  }
  std::vector<std::string> texts;
  for (const RecordData& data : txt.records) {
    if (const auto* record = std::get_if<TxtRecord>(&data)) texts.push_back(record->text);
  }
  if (texts.empty()) return fail(ErrorKind::NotFound, fmt::format("{} has no TXT record", name));
  auto id = select_sts_record(texts);
  if (!id) return fail(id.error().kind, fmt::format("{}: {}", name, id.error().detail));
  return id;
}

StsDiscovery holds(const DomainName& domain, const CachedStsPolicy& policy, std::string_view origin) {
  return {{policy.policy, domain.str()},
          fmt::format("MTA-STS policy {} of {} (mode {}, {}, valid until {})", policy.policy_id, domain.str(),
                      sts_mode_name(policy.policy.mode), origin, date(policy.expires))};
}

StsDiscovery fall_back(const DomainName& domain, const StsState& state, const std::string& why) {
  if (!state.cached && !state.cache_failure.empty()) {
    return {{std::nullopt, domain.str()},
            fmt::format("MTA-STS unknown: the kept policies cannot be read: {}, and {}", state.cache_failure, why)};
  }
  if (!state.cached) return {{std::nullopt, domain.str()}, fmt::format("no MTA-STS policy: {} (RFC 8461 §3)", why)};
  StsDiscovery discovery = holds(domain, *state.cached, "cached");
  discovery.detail += fmt::format(" still holds although {} (RFC 8461 §5.1)", why);
  return discovery;
}

}  // namespace

std::optional<StsDiscovery> discover_sts(const DomainName& domain, const StsState& state, Answers& answers,
                                         DestinationNeeds& needs) {
  const std::string name = "_mta-sts." + domain.str();
  if (name.size() > kMaxNameOctets) return fall_back(domain, state, "the domain name is too long to have one");
  const Answer* txt = answers.find({name, RecordType::TXT});
  if (txt == nullptr) return std::nullopt;
  const auto id = published_id(domain, *txt);
  if (!id) return fall_back(domain, state, id.error().detail);
  const bool current = state.cached && state.cached->policy_id == *id;
  if (current && !state.refresh_due) return holds(domain, *state.cached, "cached");
  if (!state.fetch_done) {
    needs.sts_fetch = true;
    needs.sts_policy_id = *id;
    return std::nullopt;
  }
  if (state.fetched) return holds(domain, *state.fetched, "fetched");
  return fall_back(domain, state, fmt::format("its policy {} could not be fetched: {}", *id, state.fetch_failure));
}

}  // namespace waxwing
