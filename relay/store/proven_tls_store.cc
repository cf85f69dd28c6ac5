#include "relay/store/proven_tls_store.h"

#include <fmt/format.h>

#include "relay/store/sqlite_connection.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxDomainOctets = 255;
constexpr std::size_t kMaxMethodOctets = 16;

// method, first_proven, last_proven.
RememberedTls remembered_columns(Query& row) {
  RememberedTls remembered;
  remembered.method = row.octets(kMaxMethodOctets);
  if (remembered.method != "dane" && remembered.method != "mta-sts") {
    throw CorruptValue("TLS was proven by the unknown method " + remembered.method);
  }
  remembered.first_proven = row.time();
  remembered.last_proven = row.time();
  return remembered;
}

}  // namespace

Result<std::optional<RememberedTls>> ProvenTlsStore::find(const DomainName& domain, WallTime not_before) {
  return connection_.contained("read what TLS proved about " + domain.str(),
                               [&]() -> Result<std::optional<RememberedTls>> {
                                 auto row = connection_.query(
                                     "SELECT method, first_proven, last_proven FROM proven_tls "
                                     "WHERE domain=? AND last_proven>=?");
                                 row.bind_text(domain.str()).bind(not_before);
                                 if (!row.step()) return std::optional<RememberedTls>();
                                 return std::optional<RememberedTls>(remembered_columns(row));
                               });
}

Result<void> ProvenTlsStore::keep(const DomainName& domain, std::string_view method, WallTime now) {
  return connection_.contained("note what TLS proved about " + domain.str(), [&]() -> Result<void> {
    const std::string method_text(method);
    auto change = connection_.query(
        "INSERT INTO proven_tls(domain, method, first_proven, last_proven) VALUES(?,?,?,?) ON CONFLICT(domain) DO "
        "UPDATE SET method=excluded.method, last_proven=excluded.last_proven");
    change.bind_text(domain.str()).bind_text(method_text).bind(now).bind(now).run();
    return {};
  });
}

Result<std::vector<ProvenTlsStore::Entry>> ProvenTlsStore::list() {
  return connection_.contained("list what TLS proved", [&]() -> Result<std::vector<Entry>> {
    auto row =
        connection_.query("SELECT domain, method, first_proven, last_proven FROM proven_tls ORDER BY domain LIMIT ?");
    row.bind(std::uint64_t{kMaxListedProvenDomains});
    std::vector<Entry> entries;
    while (row.step()) {
      row.rewind_columns();
      std::string domain = row.octets(kMaxDomainOctets);
      entries.push_back({std::move(domain), remembered_columns(row)});
    }
    return entries;
  });
}

Result<void> ProvenTlsStore::forget(const DomainName& domain) {
  return connection_.contained("forget what TLS proved about " + domain.str(), [&]() -> Result<void> {
    auto known = connection_.query("SELECT 1 FROM proven_tls WHERE domain=?");
    if (!known.bind_text(domain.str()).step()) {
      return fail(ErrorKind::NotFound,
                  fmt::format("nothing is remembered of {}; \"waxwing tls list\" shows what is", domain.str()));
    }
    connection_.query("DELETE FROM proven_tls WHERE domain=?").bind_text(domain.str()).run();
    return {};
  });
}

Result<void> ProvenTlsStore::remove_before(WallTime time) {
  return connection_.contained("forget what TLS proved long ago", [&]() -> Result<void> {
    connection_.query("DELETE FROM proven_tls WHERE last_proven<?").bind(time).run();
    return {};
  });
}

}  // namespace waxwing
