#include "relay/store/queue_reader.h"

#include <fmt/format.h>

#include <utility>

#include "relay/store/account_store.h"
#include "relay/store/message_rows.h"
#include "relay/store/proven_tls_store.h"
#include "relay/store/sqlite_connection.h"
#include "relay/store/sts_policy_store.h"

namespace waxwing {

Result<QueueReader> QueueReader::open(const std::string& state_directory) {
  auto connection = SqliteConnection::open(state_directory + "/queue.db", SqliteConnection::Mode::ReadOnly);
  if (!connection) return tl::unexpected(std::move(connection.error()));
  return QueueReader(std::move(*connection), state_directory);
}

QueueReader::QueueReader(std::unique_ptr<SqliteConnection> connection, std::string state_directory)
    : connection_(std::move(connection)), state_directory_(std::move(state_directory)) {}

QueueReader::QueueReader(QueueReader&&) noexcept = default;
QueueReader& QueueReader::operator=(QueueReader&&) noexcept = default;
QueueReader::~QueueReader() = default;

Result<QueuedMessage> QueueReader::load(QueueId id) {
  return connection_->contained("read message " + id.str(), [&]() -> Result<QueuedMessage> {
    auto loaded = load_message(*connection_, id);
    if (!loaded) return fail(ErrorKind::NotFound, fmt::format("there is no message {} in the queue", id.str()));
    return std::move(*loaded);
  });
}

Result<Account> QueueReader::find_account(const std::string& name) {
  return AccountStore(*connection_).find(name);
}

Result<std::optional<CachedStsPolicy>> QueueReader::find_sts_policy(const DomainName& domain, WallTime now) {
  return StsPolicyStore(*connection_).find(domain, now);
}

Result<std::optional<RememberedTls>> QueueReader::find_proven_tls(const DomainName& domain, WallTime not_before) {
  return ProvenTlsStore(*connection_).find(domain, not_before);
}

}  // namespace waxwing
