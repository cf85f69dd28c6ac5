#include "relay/store/suppression_store.h"

#include <fmt/format.h>

#include <utility>

#include "relay/store/message_rows.h"
#include "relay/store/sqlite_connection.h"

namespace waxwing {
namespace {

// tenant, address, reason, since, ends.
Suppression suppression_columns(Query& row) {
  std::string tenant = row.octets(kMaxStoredNameOctets);
  auto address = MailAddress::parse(row.octets(kMaxStoredAddressOctets));
  if (!address) throw CorruptValue("a suppressed address is not one: " + address.error().detail);
  Suppression suppression{std::move(tenant), std::move(*address), {}, {}, {}};
  suppression.reason = row.octets(kMaxSuppressionReasonOctets);
  suppression.since = row.time();
  suppression.until = row.time();
  return suppression;
}

}  // namespace

Result<std::optional<Suppression>> SuppressionStore::find(const std::string& tenant, const MailAddress& address,
                                                          WallTime now) {
  return connection_.contained("read the suppression list", [&]() -> Result<std::optional<Suppression>> {
    const std::string key = address.str();
    auto row = connection_.query(
        "SELECT tenant, address, reason, since, ends FROM suppressions WHERE tenant=? AND address=? AND ends>?");
    row.bind_text(tenant).bind_text(key).bind(now);
    if (!row.step()) return std::optional<Suppression>();
    return std::optional<Suppression>(suppression_columns(row));
  });
}

Result<bool> SuppressionStore::is_empty(const std::string& tenant) {
  return connection_.contained("read the suppression list", [&]() -> Result<bool> {
    auto row = connection_.query("SELECT 1 FROM suppressions WHERE tenant=? LIMIT 1");
    return !row.bind_text(tenant).step();
  });
}

Result<void> SuppressionStore::keep(const Suppression& suppression) {
  if (suppression.tenant.size() > kMaxStoredNameOctets)
    return fail(ErrorKind::Malformed, "the tenant's name is too long");
  return connection_.contained("write to the suppression list", [&]() -> Result<void> {
    const std::string key = suppression.address.str();
    const std::string reason = suppression.reason.substr(0, kMaxSuppressionReasonOctets);
    auto change =
        connection_.query("UPDATE suppressions SET reason=?3, ends=max(ends, ?4) WHERE tenant=?1 AND address=?2");
    change.bind_text(suppression.tenant).bind_text(key).bind_text(reason).bind(suppression.until);
    if (change.run() > 0) return {};
    const std::uint64_t entries = count(suppression.tenant);
    if (entries >= kMaxSuppressions) {
      return fail(ErrorKind::Exhausted, fmt::format("the suppression list of {} is full", suppression.tenant));
    }
    auto insert = connection_.query("INSERT INTO suppressions(tenant, address, reason, since, ends) VALUES(?,?,?,?,?)");
    insert.bind_text(suppression.tenant).bind_text(key).bind_text(reason);
    insert.bind(suppression.since).bind(suppression.until).run();
    count_again(suppression.tenant, entries + 1);
    return {};
  });
}

Result<void> SuppressionStore::remove(const std::string& tenant, const MailAddress& address) {
  return connection_.contained("write to the suppression list", [&]() -> Result<void> {
    const std::string key = address.str();
    auto removal = connection_.query("DELETE FROM suppressions WHERE tenant=? AND address=?");
    if (removal.bind_text(tenant).bind_text(key).run() == 0) {
      return fail(ErrorKind::NotFound, fmt::format("{} is not on the suppression list of {}", key, tenant));
    }
    const std::uint64_t entries = count(tenant);
    count_again(tenant, entries == 0 ? 0 : entries - 1);
    return {};
  });
}

// The counts are made anew at this occasion, which comes once an hour.
Result<void> SuppressionStore::remove_expired(WallTime now) {
  return connection_.contained("shorten the suppression list", [&]() -> Result<void> {
    if (connection_.query("DELETE FROM suppressions WHERE ends<=?").bind(now).run() == 0) return {};
    connection_.run(
        "DELETE FROM suppression_counts; "
        "INSERT INTO suppression_counts SELECT tenant, count(*) FROM suppressions GROUP BY tenant");
    return {};
  });
}

Result<std::vector<Suppression>> SuppressionStore::list(const std::string& tenant, const Position& after, WallTime now,
                                                        std::size_t limit) {
  return connection_.contained("read the suppression list", [&]() -> Result<std::vector<Suppression>> {
    auto row = connection_.query(
        "SELECT tenant, address, reason, since, ends FROM suppressions WHERE (tenant, address)>(?1, ?2) AND "
        "(?3='' OR tenant=?3) AND ends>?4 ORDER BY tenant, address LIMIT ?5");
    // Those of one tenant begin at its name, so that nothing before it is read.
    const std::string& first_tenant = after.tenant.empty() ? tenant : after.tenant;
    row.bind_text(first_tenant).bind_text(after.address).bind_text(tenant).bind(now).bind(std::uint64_t{limit});
    std::vector<Suppression> found;
    while (row.step()) {
      row.rewind_columns();
      found.push_back(suppression_columns(row));
    }
    return found;
  });
}

std::uint64_t SuppressionStore::count(const std::string& tenant) {
  auto row = connection_.query("SELECT entries FROM suppression_counts WHERE tenant=?");
  row.bind_text(tenant);
  return row.step() ? static_cast<std::uint64_t>(row.integer(0, INT64_MAX)) : 0;
}

void SuppressionStore::count_again(const std::string& tenant, std::uint64_t entries) {
  connection_.query("INSERT OR REPLACE INTO suppression_counts(tenant, entries) VALUES(?,?)")
      .bind_text(tenant)
      .bind(entries)
      .run();
}

}  // namespace waxwing
