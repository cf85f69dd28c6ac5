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
static_assert(static_cast<int>(ReturnedContent::Unsaid) == 0 && static_cast<int>(ReturnedContent::Full) == 1 &&
              static_cast<int>(ReturnedContent::Headers) == 2);
static_assert(static_cast<int>(ByMode::Notify) == 0 && static_cast<int>(ByMode::Return) == 1);
static_assert(static_cast<int>(TlsRequest::None) == 0 && static_cast<int>(TlsRequest::Required) == 1 &&
              static_cast<int>(TlsRequest::Optional) == 2);

MailAddress stored_address(Query& row) {
  auto address = MailAddress::parse(row.octets(kMaxStoredAddressOctets));
  if (!address) throw CorruptValue("an address is not one: " + address.error().detail);
  return std::move(*address);
}

constexpr std::int64_t kWishSuccess = 1;
constexpr std::int64_t kWishFailure = 2;
constexpr std::int64_t kWishDelay = 4;
constexpr std::int64_t kWishSaid = 8;

RecipientNotice stored_notice(Query& row) {
  RecipientNotice notice;
  const std::int64_t wish = row.integer(0, kWishSaid + kWishDelay + kWishFailure + kWishSuccess);
  if (wish != 0) {
    if ((wish & kWishSaid) == 0) throw CorruptValue("what its sender wants to be told is not readable");
    notice.notify = NotifyWish{(wish & kWishSuccess) != 0, (wish & kWishFailure) != 0, (wish & kWishDelay) != 0};
  }
  notice.original_recipient = row.octets(kMaxOriginalRecipientOctets);
  if (!notice.original_recipient.empty() && !is_original_recipient(notice.original_recipient))
    throw CorruptValue("an original recipient is not one");
  return notice;
}

MessageNotice stored_message_notice(Query& row) {
  MessageNotice notice;
  notice.content = static_cast<ReturnedContent>(row.integer(0, static_cast<int>(ReturnedContent::Headers)));
  notice.envelope_id = row.octets(kMaxEnvelopeIdOctets);
  if (!notice.envelope_id.empty() && !is_envelope_id(notice.envelope_id))
    throw CorruptValue("its envelope id is not one");
  return notice;
}

void read_timing(Query& row, QueuedMessage& message) {
  message.release_request = row.octets(kMaxReleaseRequestOctets);
  if (!message.release_request.empty() && !is_release_request(message.release_request))
    throw CorruptValue("a request for a later release is not one");
  std::optional<WallTime> by;
  if (!row.skip_null()) by = row.time();
  const auto mode = static_cast<ByMode>(row.integer(0, static_cast<int>(ByMode::Return)));
  const bool trace = row.flag();
  if (by) message.deliver_by = DeliverBy{*by, mode, trace};
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

QueuedRecipient recipient_columns(Query& row) {
  row.rewind_columns();
  const auto ordinal = static_cast<std::uint32_t>(row.integer(0, kMaxStoredCount));
  QueuedRecipient recipient{ordinal, stored_address(row)};
  recipient.state = static_cast<RecipientState>(row.integer(0, static_cast<int>(RecipientState::Dropped)));
  recipient.attempts = static_cast<std::uint32_t>(row.integer(0, kMaxStoredCount));
  recipient.next_attempt = row.time();
  recipient.status = row.octets(kMaxStoredStatusOctets);
  recipient.reason = row.octets(kMaxStoredReasonOctets);
  recipient.notice = stored_notice(row);
  recipient.delay_told = row.flag();
  recipient.not_before = row.time();
  recipient.report = row.octets(kMaxStoredReportOctets);
  return recipient;
}

enum class Reports { Read, LeaveOut };

void read_recipients(SqliteConnection& connection, QueuedMessage& message, Reports reports) {
  auto row = connection.query(
      reports == Reports::Read
          ? "SELECT ordinal, address, state, attempts, next_attempt, status, reason, notify, original_recipient, "
            "delay_told, not_before, report FROM recipients "
            "WHERE message=? ORDER BY ordinal"
          : "SELECT ordinal, address, state, attempts, next_attempt, status, reason, notify, original_recipient, "
            "delay_told, not_before, '' FROM recipients "
            "WHERE message=? ORDER BY ordinal");
  row.bind(message.id.value());
  while (row.step()) {
    if (message.recipients.size() == kMaxStoredRecipients) throw CorruptValue("it has too many recipients");
    message.recipients.push_back(recipient_columns(row));
  }
  if (message.recipients.empty()) throw CorruptValue("it has no recipients");
}

void read_recipient(SqliteConnection& connection, QueuedMessage& message, std::uint32_t ordinal) {
  auto row = connection.query(
      "SELECT ordinal, address, state, attempts, next_attempt, status, reason, notify, original_recipient, "
      "delay_told, not_before, report FROM recipients WHERE message=? AND ordinal=?");
  row.bind(message.id.value()).bind(std::int64_t{ordinal});
  if (row.step()) message.recipients.push_back(recipient_columns(row));
}

}  // namespace

std::int64_t stored_wish(const std::optional<NotifyWish>& wish) {
  if (!wish) return 0;
  return kWishSaid + (wish->success ? kWishSuccess : 0) + (wish->failure ? kWishFailure : 0) +
         (wish->delay ? kWishDelay : 0);
}

namespace {

// @param read  reads the recipients
template <class Read>
std::optional<QueuedMessage> load_message_with(SqliteConnection& connection, QueueId id, const Read& read) {
  auto row = connection.query(
      "SELECT id, accepted, expires, account, tenant, reverse_path, message_id, needs_8bit, needs_smtputf8, spooled, "
      "body_octets, header, body, sealing, tls_request, returned_content, envelope_id, release_request, deliver_by, "
      "by_mode, by_trace FROM messages WHERE id=?");
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
  message.notice = stored_message_notice(row);
  read_timing(row, message);
  // The row is still open: as long as it is, SQLite shows the recipients of the same moment.
  read(message);
  return message;
}

}  // namespace

std::optional<QueuedMessage> load_message(SqliteConnection& connection, QueueId id) {
  return load_message_with(connection, id,
                           [&](QueuedMessage& message) { read_recipients(connection, message, Reports::Read); });
}

std::optional<QueuedMessage> load_message(SqliteConnection& connection, QueueId id,
                                          const std::vector<std::uint32_t>& ordinals) {
  return load_message_with(connection, id, [&](QueuedMessage& message) {
    for (const std::uint32_t ordinal : ordinals) read_recipient(connection, message, ordinal);
  });
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
