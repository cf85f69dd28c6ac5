#include "relay/store/audit_store.h"

#include "relay/store/sqlite_connection.h"

namespace waxwing {

Result<void> AuditStore::add(const OperatorAction& entry) {
  return connection_.contained("write to the audit log", [&]() -> Result<void> {
    const auto cut = [](const std::string& text) { return text.substr(0, kMaxAuditTextOctets); };
    const std::string name = cut(entry.operator_name);
    const std::string command = cut(entry.command);
    const std::string filter = cut(entry.filter);
    const std::string reason = cut(entry.reason);
    auto insert = connection_.query(
        "INSERT INTO audit(time, uid, operator, command, filter, messages, recipients, reason) "
        "VALUES(?,?,?,?,?,?,?,?)");
    insert.bind(entry.time).bind(std::int64_t{entry.uid}).bind_text(name).bind_text(command).bind_text(filter);
    insert.bind(entry.messages).bind(entry.recipients).bind_text(reason).run();
    connection_.query("DELETE FROM audit WHERE id<=(SELECT max(id) FROM audit)-?").bind(kMaxAuditEntries).run();
    return {};
  });
}

Result<std::vector<OperatorAction>> AuditStore::list(std::uint64_t before, std::size_t limit) {
  return connection_.contained("read the audit log", [&]() -> Result<std::vector<OperatorAction>> {
    auto row = connection_.query(
        "SELECT id, time, uid, operator, command, filter, messages, recipients, reason FROM audit "
        "WHERE ?1=0 OR id<?1 ORDER BY id DESC LIMIT ?2");
    row.bind(before).bind(std::uint64_t{limit});
    std::vector<OperatorAction> entries;
    while (row.step()) {
      row.rewind_columns();
      OperatorAction entry;
      entry.id = static_cast<std::uint64_t>(row.integer(1, INT64_MAX));
      entry.time = row.time();
      entry.uid = static_cast<std::uint32_t>(row.integer(0, UINT32_MAX));
      entry.operator_name = row.octets(kMaxAuditTextOctets);
      entry.command = row.octets(kMaxAuditTextOctets);
      entry.filter = row.octets(kMaxAuditTextOctets);
      entry.messages = static_cast<std::uint64_t>(row.integer(0, INT64_MAX));
      entry.recipients = static_cast<std::uint64_t>(row.integer(0, INT64_MAX));
      entry.reason = row.octets(kMaxAuditTextOctets);
      entries.push_back(std::move(entry));
    }
    return entries;
  });
}

Result<void> AuditStore::remove_before(WallTime time) {
  return connection_.contained("shorten the audit log", [&]() -> Result<void> {
    connection_.query("DELETE FROM audit WHERE time<?").bind(time).run();
    return {};
  });
}

}  // namespace waxwing
