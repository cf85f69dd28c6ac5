#include "relay/store/sqlite_queue_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "relay/store/account_store.h"
#include "relay/store/audit_store.h"
#include "relay/store/disk_reserve.h"
#include "relay/store/egress_store.h"
#include "relay/store/message_rows.h"
#include "relay/store/posix_error.h"
#include "relay/store/proven_tls_store.h"
#include "relay/store/quota_store.h"
#include "relay/store/schema.h"
#include "relay/store/spool_file.h"
#include "relay/store/sqlite_connection.h"
#include "relay/store/sts_policy_store.h"
#include "relay/store/suppression_store.h"
#include "relay/store/tls_result_store.h"

namespace waxwing {
namespace {

// A checkpoint of this many pages takes a few milliseconds; larger ones would be felt by whoever waits for the next
// commit.
constexpr int kCheckpointPages = 1'000;
// Free pages go back to the file system when there are many and most of the file is free.
constexpr std::int64_t kMinFreePages = 4'096;

std::string database_path(const std::string& state_directory) {
  return state_directory + "/queue.db";
}

// Makes an empty file, so that SQLite need not choose its mode.
Result<void> ensure_database_file(const std::string& state_directory) {
  const std::string path = database_path(state_directory);
  // Never opened when it exists: closing any descriptor of the file would drop the locks that SQLite holds in this
  // process.
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor >= 0) {
    ::close(descriptor);
    return sync_directory(state_directory);
  }
  if (errno != EEXIST) return posix_failure("create", path, errno);
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return posix_failure("read", path, errno);
  if (!S_ISREG(status.st_mode)) return fail(ErrorKind::Denied, path + " is not a regular file");
  return {};
}

tl::unexpected<Error> not_open() {
  return fail(ErrorKind::Unavailable, "the queue database is not open");
}

// A full check reads the whole file, so that only a small one is checked at each start.
Result<void> check_integrity(SqliteConnection& connection, const std::string& state_directory) {
  struct stat status {};
  if (::stat(database_path(state_directory).c_str(), &status) != 0) return {};
  if (static_cast<std::uint64_t>(status.st_size) > kMaxCheckedOctets) return {};
  return connection.contained("check queue.db", [&]() -> Result<void> {
    const std::string verdict = connection.pragma_text("PRAGMA quick_check(1)");
    if (verdict != "ok") throw CorruptValue(verdict);
    return {};
  });
}

Result<void> check_limits(const QueuedMessage& message) {
  const auto refuse = [&](std::string_view what) {
    return fail(ErrorKind::Malformed, fmt::format("message {} cannot be stored: {}", message.id.str(), what));
  };
  if (message.id.value() > static_cast<std::uint64_t>(kMaxStoredId)) return refuse("its id is out of range");
  if (message.header.size() > kMaxStoredHeaderOctets) return refuse("its header is too long");
  if (message.recipients.empty()) return refuse("it has no recipients");
  if (message.recipients.size() > kMaxStoredRecipients) return refuse("it has too many recipients");
  if (message.spooled ? !message.body.empty() : message.body_octets != message.body.size()) {
    return refuse("the length of its body is not body_octets");
  }
  if (message.body.size() > kMaxInlineBodyOctets) return refuse("its body is too long to be inline");
  if (message.body_octets > kMaxStoredBodyOctets) return refuse("its body is too long");
  if (message.account.size() > kMaxStoredNameOctets || message.tenant.size() > kMaxStoredNameOctets ||
      message.message_id.size() > kMaxStoredMessageIdOctets) {
    return refuse("account, tenant or Message-ID is too long");
  }
  return {};
}

}  // namespace

SqliteQueueStore::SqliteQueueStore(StateLock lock) : lock_(std::move(lock)) {}

SqliteQueueStore::~SqliteQueueStore() = default;

Result<std::unique_ptr<SqliteQueueStore>> SqliteQueueStore::open(const std::string& state_directory) {
  auto lock = StateLock::take(state_directory);
  if (!lock) return tl::unexpected(std::move(lock.error()));
  if (auto made = ensure_directory(state_directory + "/spool"); !made) return tl::unexpected(std::move(made.error()));
  DiskReserve::give_up(state_directory);  // on a full disk the database could not be opened without it
  std::unique_ptr<SqliteQueueStore> store(new SqliteQueueStore(std::move(*lock)));
  if (auto connected = store->connect(); !connected) return tl::unexpected(std::move(connected.error()));
  if (auto checked = check_integrity(*store->connection_, state_directory); !checked) {
    return tl::unexpected(std::move(checked.error()));
  }
  if (auto removed = store->remove_orphans(); !removed) return tl::unexpected(std::move(removed.error()));
  return store;
}

Result<void> SqliteQueueStore::reopen() {
  audits_.reset();
  accounts_.reset();
  quotas_.reset();
  sts_policies_.reset();
  tls_results_.reset();
  egress_.reset();
  proven_tls_.reset();
  suppressions_.reset();
  connection_.reset();
  removed_spool_files_.clear();
  spool_names_changed_ = false;
  auto connected = connect();
  settings_version_->advance();  // a batch of unknown fate may have been committed
  return connected;
}

Result<void> SqliteQueueStore::connect() {
  if (auto file = ensure_database_file(state_directory()); !file) return file;
  auto connection = SqliteConnection::open(database_path(state_directory()), SqliteConnection::Mode::ReadWrite);
  if (!connection) return tl::unexpected(std::move(connection.error()));
  if (auto prepared = prepare_database(**connection, state_directory()); !prepared) return prepared;
  connection_ = std::move(*connection);
  audits_ = std::make_unique<AuditStore>(*connection_);
  accounts_ = std::make_unique<AccountStore>(*connection_);
  quotas_ = std::make_unique<QuotaStore>(*connection_);
  sts_policies_ = std::make_unique<StsPolicyStore>(*connection_);
  tls_results_ = std::make_unique<TlsResultStore>(*connection_);
  proven_tls_ = std::make_unique<ProvenTlsStore>(*connection_);
  egress_ = std::make_unique<EgressStore>(*connection_);
  suppressions_ = std::make_unique<SuppressionStore>(*connection_);
  return {};
}

// Bodies whose message never came into the database: whoever sent them was not told that they were accepted.
Result<void> SqliteQueueStore::remove_orphans() {
  const std::string spool = state_directory() + "/spool";
  std::error_code error;
  std::vector<std::string> names;
  for (std::filesystem::directory_iterator entry(spool, error), end; !error && entry != end; entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error) return posix_failure("read", spool, error.value());
  return connection_->contained("look for spool files without a message", [&]() -> Result<void> {
    for (const std::string& name : names) {
      const std::string_view stem = std::string_view(name).substr(0, name.find('.'));
      const auto id = QueueId::parse(stem);
      if (!id || (stem != name && name != std::string(stem) + ".part")) continue;  // not ours
      if (stem == name) {
        auto row = connection_->query("SELECT 1 FROM messages WHERE id=? AND spooled=1");
        row.bind(id->value());
        if (row.step()) continue;
      }
      ::unlink((spool + "/" + name).c_str());
    }
    return {};
  });
}

Result<void> SqliteQueueStore::begin() {
  if (!connection_) return not_open();
  return connection_->contained("begin a batch", [&]() -> Result<void> {
    connection_->run("BEGIN IMMEDIATE");
    return {};
  });
}

Result<void> SqliteQueueStore::commit() {
  if (!connection_) return not_open();
  if (std::exchange(spool_names_changed_, false)) {
    if (auto synced = sync_directory(state_directory() + "/spool"); !synced) return synced;
  }
  auto committed = connection_->contained("commit a batch", [&]() -> Result<void> {
    connection_->run("COMMIT");
    return {};
  });
  const std::vector<QueueId> removed = std::exchange(removed_spool_files_, {});
  if (!committed) return committed;
  if (std::exchange(touches_settings_, false)) settings_version_->advance();
  // A file that stays because of an error is an orphan, and goes at the next start.
  for (const QueueId id : removed) ::unlink(spool_path(state_directory(), id).c_str());
  return {};
}

Result<void> SqliteQueueStore::add(const QueuedMessage& message) {
  if (!connection_) return not_open();
  if (auto checked = check_limits(message); !checked) return checked;
  if (message.spooled) {
    auto body = SpoolReader::open(state_directory(), message.id, message.body_octets);
    if (!body) return tl::unexpected(std::move(body.error()));
    spool_names_changed_ = true;
  }
  return connection_->contained("store message " + message.id.str(), [&]() -> Result<void> {
    const std::string reverse_path = message.reverse_path ? message.reverse_path->str() : std::string();
    auto insert = connection_->query(
        "INSERT INTO messages(id, accepted, expires, account, tenant, reverse_path, message_id, needs_8bit, "
        "needs_smtputf8, spooled, body_octets, header, body, sealing, tls_request, returned_content, envelope_id, "
        "release_request, deliver_by, by_mode, by_trace) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
        "ON CONFLICT(id) DO NOTHING");
    insert.bind(message.id.value()).bind(message.accepted).bind(message.expires);
    insert.bind_text(message.account).bind_text(message.tenant);
    message.reverse_path ? insert.bind_text(reverse_path) : insert.bind_null();
    insert.bind_text(message.message_id).bind(std::int64_t{message.needs_8bit});
    insert.bind(std::int64_t{message.needs_smtputf8}).bind(std::int64_t{message.spooled}).bind(message.body_octets);
    insert.bind_octets(message.header);
    message.spooled ? insert.bind_null() : insert.bind_octets(message.body);
    insert.bind(std::int64_t{static_cast<int>(message.sealing)});
    insert.bind(std::int64_t{static_cast<int>(message.tls_request)});
    insert.bind(std::int64_t{static_cast<int>(message.notice.content)}).bind_text(message.notice.envelope_id);
    insert.bind_text(message.release_request);
    message.deliver_by ? insert.bind(message.deliver_by->time) : insert.bind_null();
    const DeliverBy by = message.deliver_by.value_or(DeliverBy());
    insert.bind(std::int64_t{static_cast<int>(by.mode)}).bind(std::int64_t{by.trace});
    if (insert.run() == 0) return {};
    for (const QueuedRecipient& recipient : message.recipients) insert_recipient(message.id, recipient);
    if (!message.submission.key.empty()) return insert_submission(message);
    return {};
  });
}

Result<void> SqliteQueueStore::insert_submission(const QueuedMessage& message) {
  const WallTime oldest = message.accepted - kSubmissionKeyMemory;
  connection_->query("DELETE FROM idempotency_keys WHERE account=? AND created<?")
      .bind_text(message.account)
      .bind(oldest)
      .run();
  auto insert = connection_->query(
      "INSERT INTO idempotency_keys(account, key, digest, message, created) VALUES(?,?,?,?,?) "
      "ON CONFLICT(account, key) DO NOTHING");
  insert.bind_text(message.account).bind_text(message.submission.key).bind_octets(message.submission.digest);
  if (insert.bind(message.id.value()).bind(message.accepted).run() > 0) return {};
  return fail(ErrorKind::Conflict, "a message with this key has been accepted already");
}

void SqliteQueueStore::insert_recipient(QueueId message, const QueuedRecipient& recipient) {
  const std::string address = recipient.address.str();
  auto insert = connection_->query(
      "INSERT INTO recipients(message, ordinal, address, domain, state, attempts, next_attempt, status, reason, "
      "report, notify, original_recipient, delay_told, not_before) "
      "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  insert.bind(message.value()).bind(std::int64_t{recipient.ordinal});
  insert.bind_text(address).bind_text(recipient.address.domain.str());
  insert.bind(std::int64_t{static_cast<int>(recipient.state)}).bind(std::int64_t{recipient.attempts});
  insert.bind(recipient.next_attempt).bind_text(recipient.status).bind_text(recipient.reason);
  insert.bind_text(recipient.report).bind(stored_wish(recipient.notice.notify));
  insert.bind_text(recipient.notice.original_recipient).bind(std::int64_t{recipient.delay_told});
  insert.bind(recipient.not_before).run();
}

Result<void> SqliteQueueStore::update(const RecipientUpdate& update) {
  if (!connection_) return not_open();
  return connection_->contained("update message " + update.message.str(), [&]() -> Result<void> {
    // What explains an outcome must not keep it from being recorded: too long texts are cut, a too long report is left
    // out.
    const std::string status = update.status.substr(0, kMaxStoredStatusOctets);
    const std::string reason = update.reason.substr(0, kMaxStoredReasonOctets);
    const std::string report = update.report.size() > kMaxStoredReportOctets ? std::string() : update.report;
    auto change = connection_->query(
        "UPDATE recipients SET state=iif(state=2 AND ?3=1, 2, ?3), attempts=?4, "
        "next_attempt=iif(state=2 AND ?3=1, next_attempt, ?5), status=?6, reason=iif(state=2 AND ?3=1, reason, ?7), "
        "report=?8, delay_told=max(delay_told, ?9) WHERE message=?1 AND ordinal=?2 AND (state<3 OR ?3>=3)");
    change.bind(update.message.value()).bind(std::int64_t{update.ordinal});
    change.bind(std::int64_t{static_cast<int>(update.state)}).bind(std::int64_t{update.attempts});
    change.bind(update.next_attempt).bind_text(status).bind_text(reason).bind_text(report);
    change.bind(std::int64_t{update.delay_told});
    if (change.run() > 0) return {};
    auto known = connection_->query("SELECT 1 FROM recipients WHERE message=? AND ordinal=?");
    known.bind(update.message.value()).bind(std::int64_t{update.ordinal});
    if (known.step()) return {};
    return fail(ErrorKind::NotFound,
                fmt::format("there is no recipient {} of message {}", update.ordinal, update.message.str()));
  });
}

Result<void> SqliteQueueStore::renew(QueueId id, WallTime expires) {
  if (!connection_) return not_open();
  return connection_->contained("renew message " + id.str(), [&]() -> Result<void> {
    auto change = connection_->query("UPDATE messages SET expires=?, sealing=iif(sealing=2, 2, 1) WHERE id=?");
    if (change.bind(expires).bind(id.value()).run() > 0) return {};
    return fail(ErrorKind::NotFound, fmt::format("there is no message {} in the queue", id.str()));
  });
}

Result<void> SqliteQueueStore::remove(QueueId id) {
  if (!connection_) return not_open();
  return connection_->contained("remove message " + id.str(), [&]() -> Result<void> {
    {
      auto waiting = connection_->query("SELECT 1 FROM recipients WHERE message=? AND state<3 LIMIT 1");
      waiting.bind(id.value());
      if (waiting.step())
        return fail(ErrorKind::Conflict, fmt::format("a recipient of message {} still waits", id.str()));
    }
    delete_message(id);
    return {};
  });
}

Result<void> SqliteQueueStore::discard(QueueId id) {
  if (!connection_) return not_open();
  removed_spool_files_.push_back(id);  // the file may be there although the row is not
  return connection_->contained("discard message " + id.str(), [&]() -> Result<void> {
    delete_message(id);
    return {};
  });
}

void SqliteQueueStore::delete_message(QueueId id) {
  {
    auto spooled = connection_->query("SELECT 1 FROM messages WHERE id=? AND spooled=1");
    spooled.bind(id.value());
    if (spooled.step()) removed_spool_files_.push_back(id);
  }
  connection_->query("DELETE FROM recipients WHERE message=?").bind(id.value()).run();
  connection_->query("DELETE FROM messages WHERE id=?").bind(id.value()).run();
}

Result<QueuedMessage> SqliteQueueStore::load(QueueId id) {
  if (!connection_) return not_open();
  return connection_->contained("read message " + id.str(), [&]() -> Result<QueuedMessage> {
    auto loaded = load_message(*connection_, id);
    if (!loaded) return fail(ErrorKind::NotFound, fmt::format("there is no message {} in the queue", id.str()));
    return std::move(*loaded);
  });
}

Result<void> SqliteQueueStore::each_waiting(const std::function<void(const WaitingRecipient&)>& each) {
  if (!connection_) return not_open();
  return connection_->contained("read the queue", [&]() -> Result<void> {
    auto row = connection_->query(
        "SELECT recipients.message, ordinal, recipients.domain, attempts, next_attempt, expires, tenant, not_before "
        "FROM recipients INDEXED BY recipients_waiting CROSS JOIN messages INDEXED BY messages_at_start "
        "ON messages.id=recipients.message WHERE state<2 ORDER BY recipients.message, ordinal");
    while (row.step()) {
      row.rewind_columns();
      WaitingRecipient recipient;
      recipient.message = QueueId(static_cast<std::uint64_t>(row.integer(0, kMaxStoredId)));
      naming(recipient.message, [&] {
        recipient.ordinal = static_cast<std::uint32_t>(row.integer(0, kMaxStoredCount));
        recipient.domain = row.octets(kMaxStoredNameOctets);
        recipient.attempts = static_cast<std::uint32_t>(row.integer(0, kMaxStoredCount));
        recipient.next_attempt = row.time();
        recipient.expires = row.time();
        recipient.tenant = row.octets(kMaxStoredNameOctets);
        recipient.not_before = row.time();
      });
      each(recipient);
    }
    return {};
  });
}

Result<std::vector<QueuedMessage>> SqliteQueueStore::list(const QueueFilter& filter) {
  if (!connection_) return not_open();
  return connection_->contained(
      "list the queue", [&]() -> Result<std::vector<QueuedMessage>> { return list_messages(*connection_, filter); });
}

Result<void> SqliteQueueStore::apart(const std::function<Result<void>()>& change) {
  if (!connection_) return not_open();
  const std::size_t removed_before = removed_spool_files_.size();
  auto changed = connection_->contained("begin a change", [&]() -> Result<void> {
    connection_->query("SAVEPOINT item").run();
    return {};
  });
  if (!changed) return changed;
  changed = change();
  auto ended = connection_->contained("end a change", [&]() -> Result<void> {
    if (!changed) connection_->query("ROLLBACK TO item").run();
    connection_->query("RELEASE item").run();
    return {};
  });
  if (changed && ended) return {};
  removed_spool_files_.resize(std::min(removed_before, removed_spool_files_.size()));
  return changed ? ended : changed;
}

bool SqliteQueueStore::needs_reopen() const {
  return !connection_ || connection_->failed();
}

Result<void> SqliteQueueStore::maintain() {
  if (!connection_) return not_open();
  if (connection_->log_pages() < kCheckpointPages) return {};
  return connection_->contained("copy the log into the database", [&]() -> Result<void> {
    connection_->checkpoint();
    const std::int64_t free_pages = connection_->pragma_number("PRAGMA freelist_count");
    if (free_pages >= kMinFreePages && free_pages > connection_->pragma_number("PRAGMA page_count") / 2) {
      connection_->run("PRAGMA incremental_vacuum(1000)");
    }
    return {};
  });
}

Result<std::uint64_t> SqliteQueueStore::message_count() {
  if (!connection_) return not_open();
  return connection_->contained("count the messages", [&]() -> Result<std::uint64_t> {
    return static_cast<std::uint64_t>(connection_->pragma_number("SELECT count(*) FROM messages"));
  });
}

Result<std::uint64_t> SqliteQueueStore::held_count() {
  if (!connection_) return not_open();
  return connection_->contained("count what is held", [&]() -> Result<std::uint64_t> {
    return static_cast<std::uint64_t>(
        connection_->pragma_number("SELECT count(*) FROM recipients INDEXED BY recipients_held WHERE state=2"));
  });
}

}  // namespace waxwing
