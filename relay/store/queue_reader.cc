#include "relay/store/queue_reader.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>

#include "relay/store/account_store.h"
#include "relay/store/message_rows.h"
#include "relay/store/proven_tls_store.h"
#include "relay/store/quota_store.h"
#include "relay/store/sqlite_connection.h"
#include "relay/store/sts_policy_store.h"
#include "relay/store/suppression_store.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxRemembered = 10'000;  // of each kind

}  // namespace

// Each is asked for with every message or connection, and changes when an operator says so.
struct QueueReader::Remembered {
  std::shared_ptr<const SettingsVersion> settings;
  std::uint64_t version = 0;
  std::map<std::pair<QuotaOwner, std::string>, Quota> quotas;
  std::set<std::string> without_suppressions;                         // tenants
  std::optional<std::optional<std::string>> account_without_scram{};  // asked for by each connection
};

Result<QueueReader> QueueReader::open(const std::string& state_directory,
                                      std::shared_ptr<const SettingsVersion> settings) {
  auto connection = SqliteConnection::open(state_directory + "/queue.db", SqliteConnection::Mode::ReadOnly);
  if (!connection) return tl::unexpected(std::move(connection.error()));
  return QueueReader(std::move(*connection), state_directory, std::move(settings));
}

QueueReader::QueueReader(std::unique_ptr<SqliteConnection> connection, std::string state_directory,
                         std::shared_ptr<const SettingsVersion> settings)
    : connection_(std::move(connection)), state_directory_(std::move(state_directory)) {
  if (!settings) return;
  const std::uint64_t version = settings->get();
  remembered_ = std::make_unique<Remembered>(Remembered{std::move(settings), version, {}, {}});
}

QueueReader::Remembered* QueueReader::remembered() {
  if (!remembered_) return nullptr;
  const std::uint64_t version = remembered_->settings->get();
  if (std::exchange(remembered_->version, version) != version || remembered_->quotas.size() >= kMaxRemembered ||
      remembered_->without_suppressions.size() >= kMaxRemembered) {
    remembered_->quotas.clear();
    remembered_->without_suppressions.clear();
    remembered_->account_without_scram.reset();
  }
  return remembered_.get();
}

QueueReader::QueueReader(QueueReader&&) noexcept = default;
QueueReader& QueueReader::operator=(QueueReader&&) noexcept = default;
QueueReader::~QueueReader() = default;

template <class Read>
Result<QueuedMessage> QueueReader::load_with(QueueId id, const Read& read) {
  return connection_->contained("read message " + id.str(), [&]() -> Result<QueuedMessage> {
    std::optional<QueuedMessage> loaded = read();
    if (!loaded) return fail(ErrorKind::NotFound, fmt::format("there is no message {} in the queue", id.str()));
    return std::move(*loaded);
  });
}

Result<QueuedMessage> QueueReader::load(QueueId id) {
  return load_with(id, [&] { return load_message(*connection_, id); });
}

Result<QueuedMessage> QueueReader::load(QueueId id, const std::vector<std::uint32_t>& ordinals) {
  return load_with(id, [&] { return load_message(*connection_, id, ordinals); });
}

Result<Account> QueueReader::find_account(const std::string& name) {
  return AccountStore(*connection_).find(name);
}

Result<std::optional<std::string>> QueueReader::find_account_without_scram() {
  Remembered* const known = remembered();
  if (known != nullptr && known->account_without_scram) return *known->account_without_scram;
  auto found = AccountStore(*connection_).find_without_scram();
  if (known != nullptr && found) known->account_without_scram = *found;
  return found;
}

Result<Account> QueueReader::find_account_of(std::uint32_t uid) {
  return AccountStore(*connection_).find_by_uid(uid);
}

Result<Account> QueueReader::find_account_by_certificate(const CertificateIdentities& identities) {
  return AccountStore(*connection_).find_by_certificate(identities);
}

Result<Quota> QueueReader::find_quota(QuotaOwner owner, const std::string& name) {
  Remembered* const known = remembered();
  if (known != nullptr) {
    if (const auto found = known->quotas.find({owner, name}); found != known->quotas.end()) return found->second;
  }
  auto quota = QuotaStore(*connection_).find(owner, name);
  if (known != nullptr && quota) known->quotas.emplace(std::pair(owner, name), *quota);
  return quota;
}

Result<Account> QueueReader::find_account_by_token(const std::string& digest) {
  return AccountStore(*connection_).find_by_token(digest);
}

Result<std::optional<QueueReader::EarlierSubmission>> QueueReader::find_submission(const std::string& account,
                                                                                   const std::string& key) {
  using Found = std::optional<EarlierSubmission>;
  return connection_->contained("look for an earlier request", [&]() -> Result<Found> {
    constexpr std::size_t kDigestOctets = 32;
    auto row = connection_->query("SELECT digest, message FROM idempotency_keys WHERE account=? AND key=?");
    row.bind_text(account).bind_text(key);
    if (!row.step()) return Found();
    std::string digest = row.octets(kDigestOctets);
    return Found({std::move(digest), QueueId(static_cast<std::uint64_t>(row.integer(0, kMaxStoredId)))});
  });
}

Result<std::vector<std::string>> QueueReader::unknown_recipients(const std::string& account,
                                                                 const std::vector<std::string>& fingerprints) {
  std::vector<std::string> unknown;
  for (const std::string& fingerprint : fingerprints) {
    const auto known = QuotaStore(*connection_).knows(account, fingerprint);
    if (!known) return tl::unexpected(known.error());
    if (!*known) unknown.push_back(fingerprint);
  }
  return unknown;
}

Result<std::optional<Suppression>> QueueReader::find_suppression(const std::string& tenant, const MailAddress& address,
                                                                 WallTime now) {
  SuppressionStore list(*connection_);
  if (Remembered* const known = remembered()) {
    if (known->without_suppressions.contains(tenant)) return std::optional<Suppression>();
    const auto empty = list.is_empty(tenant);
    if (!empty) return tl::unexpected(empty.error());
    if (*empty) known->without_suppressions.insert(tenant);
  }
  return list.find(tenant, address, now);
}

Result<std::optional<CachedStsPolicy>> QueueReader::find_sts_policy(const DomainName& domain, WallTime now) {
  return StsPolicyStore(*connection_).find(domain, now);
}

Result<void> QueueReader::visit_headers(const std::function<void(std::string_view)>& visit) {
  return connection_->contained("look through the queue", [&]() -> Result<void> {
    auto row = connection_->query("SELECT header FROM messages");
    while (row.step()) {
      row.rewind_columns();
      visit(row.octets(kMaxStoredHeaderOctets));
    }
    return {};
  });
}

Result<std::optional<RememberedTls>> QueueReader::find_proven_tls(const DomainName& domain, WallTime not_before) {
  return ProvenTlsStore(*connection_).find(domain, not_before);
}

}  // namespace waxwing
