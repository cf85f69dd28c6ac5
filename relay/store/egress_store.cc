#include "relay/store/egress_store.h"

#include "relay/egress/egress_source.h"
#include "relay/store/sqlite_connection.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxNameOctets = 255;      // of sources, providers and rules
constexpr std::size_t kMaxReasonOctets = 4'096;  // a reply, or what an operator wrote
constexpr std::int64_t kMaxDay = INT64_MAX / 86'400'000;
constexpr std::int64_t kMaxUsed = 1LL << 50;

}  // namespace

Result<void> EgressStore::keep_uses(const std::vector<WarmUpUse>& uses) {
  return connection_.contained("note what sources have sent", [&]() -> Result<void> {
    for (const WarmUpUse& use : uses) {
      auto change = connection_.query(
          "INSERT INTO egress_uses(source, provider, day, used) VALUES(?,?,?,?) ON CONFLICT(source, provider) DO "
          "UPDATE "
          "SET day=excluded.day, used=excluded.used WHERE excluded.day>day OR (excluded.day=day AND "
          "excluded.used>used)");
      change.bind_text(use.source).bind_text(use.provider).bind(use.day).bind(use.used).run();
    }
    return {};
  });
}

Result<std::vector<WarmUpUse>> EgressStore::uses(std::int64_t day) {
  return connection_.contained("read what sources have sent", [&]() -> Result<std::vector<WarmUpUse>> {
    auto row = connection_.query(
        "SELECT source, provider, day, used FROM egress_uses WHERE day=? ORDER BY source, provider LIMIT ?");
    row.bind(day).bind(std::uint64_t{kMaxWarmUpPairs});
    std::vector<WarmUpUse> uses;
    while (row.step()) {
      row.rewind_columns();
      WarmUpUse use;
      use.source = row.octets(kMaxNameOctets);
      use.provider = row.octets(kMaxNameOctets);
      use.day = row.integer(0, kMaxDay);
      use.used = static_cast<std::uint64_t>(row.integer(0, kMaxUsed));
      uses.push_back(std::move(use));
    }
    return uses;
  });
}

Result<void> EgressStore::keep_pause(const EgressPause& pause) {
  return connection_.contained("note a pause of " + pause.source, [&]() -> Result<void> {
    auto change = connection_.query(
        "INSERT INTO egress_pauses(source, provider, ends, rule, reason) VALUES(?,?,?,?,?) ON CONFLICT(source, "
        "provider) "
        "DO UPDATE SET ends=excluded.ends, rule=excluded.rule, reason=excluded.reason");
    change.bind_text(pause.source).bind_text(pause.provider).bind(pause.until);
    change.bind_text(pause.rule).bind_text(pause.reason).run();
    return {};
  });
}

Result<bool> EgressStore::remove_pause(const std::string& source, const std::string& provider) {
  return connection_.contained("end a pause of " + source, [&]() -> Result<bool> {
    auto change = connection_.query("DELETE FROM egress_pauses WHERE source=? AND provider=?");
    return change.bind_text(source).bind_text(provider).run() > 0;
  });
}

Result<std::vector<EgressPause>> EgressStore::pauses(WallTime now) {
  return connection_.contained("read which sources rest", [&]() -> Result<std::vector<EgressPause>> {
    auto row = connection_.query(
        "SELECT source, provider, ends, rule, reason FROM egress_pauses WHERE ends>? ORDER BY source, provider LIMIT "
        "?");
    row.bind(now).bind(std::uint64_t{kMaxEgressPauses});
    std::vector<EgressPause> pauses;
    while (row.step()) {
      row.rewind_columns();
      EgressPause pause;
      pause.source = row.octets(kMaxNameOctets);
      pause.provider = row.octets(kMaxNameOctets);
      pause.until = row.time();
      pause.rule = row.octets(kMaxNameOctets);
      pause.reason = row.octets(kMaxReasonOctets);
      pauses.push_back(std::move(pause));
    }
    return pauses;
  });
}

Result<void> EgressStore::remove_outdated(WallTime now) {
  return connection_.contained("forget pauses that are over", [&]() -> Result<void> {
    connection_.query("DELETE FROM egress_pauses WHERE ends<=?").bind(now).run();
    connection_.query("DELETE FROM egress_uses WHERE day<?").bind(day_of(now)).run();
    return {};
  });
}

}  // namespace waxwing
