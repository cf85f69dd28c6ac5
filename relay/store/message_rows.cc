#include "relay/store/message_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "relay/store/sqlite_connection.h"

namespace waxwing {
namespace {

// The numbers are in the database: they never change.
static_assert(static_cast<int>(Sealing::Done) == 0 && static_cast<int>(Sealing::Due) == 1 &&
              static_cast<int>(Sealing::Elsewhere) == 2);
static_assert(static_cast<int>(RecipientState::Queued) == 0 && static_cast<int>(RecipientState::Deferred) == 1 &&
              static_cast<int>(RecipientState::Held) == 2 && static_cast<int>(RecipientState::Delivered) == 3 &&
              static_cast<int>(RecipientState::Bounced) == 4 && static_cast<int>(RecipientState::Expired) == 5 &&
              static_cast<int>(RecipientState::Dropped) == 6);
static_assert(static_cast<int>(TlsRequest::None) == 0 && static_cast<int>(TlsRequest::Required) == 1 &&
              static_cast<int>(TlsRequest::Optional) == 2);

MailAddress stored_address(Query& row) {
  auto address = MailAddress::parse(row.octets(kMaxStoredAddressOctets));
  if (!address) throw CorruptValue("an address is not one: " + address.error().detail);
  return std::move(*address);
}

// The columns that both load_message() and list_messages() read.
QueuedMessage message_columns(Query& row) {
  QueuedMessage message;
  message.id = QueueId(static_cast<std::uint64_t>(row.integer(0, kMaxStoredId)));
  message.accepted = row.time();
  message.expires = row.time();
  message.account = row.octets(kMaxStoredNameOctets);
  message.tenant = row.octets(kMaxStoredNameOctets);
  if (!row.skip_null()) message.reverse_path = stored_address(row);
  message.message_id = row.octets(kMaxStoredMessageIdOctets);
  message.needs_8bit = row.flag();
  message.needs_smtputf8 = row.flag();
  message.spooled = row.flag();
  message.body_octets = static_cast<std::uint64_t>(row.integer(0, std::int64_t{kMaxStoredBodyOctets}));
  return message;
}

enum class Reports { Read, LeaveOut };

void read_recipients(SqliteConnection& connection, QueuedMessage& message, Reports reports) {
  auto row = connection.query(
      reports == Reports::Read
          ? "SELECT ordinal, address, state, attempts, next_attempt, status, reason, report FROM recipients "
            "WHERE message=? ORDER BY ordinal"
          : "SELECT ordinal, address, state, attempts, next_attempt, status, reason, '' FROM recipients "
            "WHERE message=? ORDER BY ordinal");
  row.bind(message.id.value());
  while (row.step()) {
    if (message.recipients.size() == kMaxStoredRecipients) throw CorruptValue("it has too many recipients");
    row.rewind_columns();
    const auto ordinal = static_cast<std::uint32_t>(row.integer(0, kMaxStoredCount));
    QueuedRecipient recipient{ordinal, stored_address(row)};
    recipient.state = static_cast<RecipientState>(row.integer(0, static_cast<int>(RecipientState::Dropped)));
    recipient.attempts = static_cast<std::uint32_t>(row.integer(0, kMaxStoredCount));
    recipient.next_attempt = row.time();
    recipient.status = row.octets(kMaxStoredStatusOctets);
    recipient.reason = row.octets(kMaxStoredReasonOctets);
    recipient.report = row.octets(kMaxStoredReportOctets);
    message.recipients.push_back(std::move(recipient));
  }
  if (message.recipients.empty()) throw CorruptValue("it has no recipients");
}

}  // namespace

std::optional<QueuedMessage> load_message(SqliteConnection& connection, QueueId id) {
  auto row = connection.query(
      "SELECT id, accepted, expires, account, tenant, reverse_path, message_id, needs_8bit, needs_smtputf8, spooled, "
      "body_octets, header, body, sealing, tls_request FROM messages WHERE id=?");
  row.bind(id.value());
  if (!row.step()) return std::nullopt;
  QueuedMessage message = message_columns(row);
  message.header = row.octets(kMaxStoredHeaderOctets);
  if (row.skip_null() != message.spooled) throw CorruptValue("its body is neither in the row nor in a file");
  if (!message.spooled) {
    message.body = row.octets(kMaxInlineBodyOctets);
    if (message.body.size() != message.body_octets) throw CorruptValue("its body has another length");
  }
  message.sealing = static_cast<Sealing>(row.integer(0, static_cast<int>(Sealing::Elsewhere)));
  message.tls_request = static_cast<TlsRequest>(row.integer(0, static_cast<int>(TlsRequest::Optional)));
  // The row is still open: as long as it is, SQLite shows the recipients of the same moment.
  read_recipients(connection, message, Reports::Read);
  return message;
}

std::vector<QueuedMessage> list_messages(SqliteConnection& connection, const QueueFilter& filter) {
  auto row = connection.query(
      "SELECT id, accepted, expires, account, tenant, reverse_path, message_id, needs_8bit, needs_smtputf8, "
      "spooled, body_octets FROM messages WHERE id BETWEEN ?1 AND ?2 AND (?3='' OR account=?3) AND "
      "(?4='' OR EXISTS (SELECT 1 FROM recipients WHERE message=messages.id AND domain=?4)) AND "
      "(?5='' OR tenant=?5) AND (?6='' OR coalesce(reverse_path,'<>')=?6) AND accepted<?7 AND "
      "(?8='' OR EXISTS (SELECT 1 FROM recipients WHERE message=messages.id AND (?4='' OR domain=?4) AND "
      "instr(reason,?8)>0)) ORDER BY id LIMIT ?9");
  const std::uint64_t first = filter.after ? filter.after->value() + 1 : 0;
  row.bind(filter.id ? std::max(filter.id->value(), first) : first);
  row.bind(filter.id ? filter.id->value() : static_cast<std::uint64_t>(kMaxStoredId));
  row.bind_text(filter.account).bind_text(filter.domain).bind_text(filter.tenant).bind_text(filter.sender);
  if (filter.accepted_before) {
    row.bind(*filter.accepted_before);
  } else {
    row.bind(std::int64_t{INT64_MAX});
  }
  row.bind_text(filter.reason).bind(static_cast<std::uint64_t>(filter.limit));
  std::vector<QueuedMessage> messages;
  while (row.step()) {
    row.rewind_columns();
    const auto id = QueueId(static_cast<std::uint64_t>(row.integer(0, kMaxStoredId)));
    row.rewind_columns();
    naming(id, [&] {
      messages.push_back(message_columns(row));
      read_recipients(connection, messages.back(), Reports::LeaveOut);
    });
  }
  return messages;
}

}  // namespace waxwing
