#include "relay/store/account_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "policy/domain_name.h"
#include "policy/mail_address.h"
#include "policy/scram_keys.h"
#include "relay/store/sqlite_connection.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxNameOctets = 128;
constexpr std::size_t kMaxSenderOctets = 320;
constexpr std::size_t kMaxHashOctets = 384;  // of crypt(3)

Result<void> check_scram_keys(const std::string& text) {
  if (text.empty()) return {};
  auto keys = parse_scram_keys(text);
  return keys ? Result<void>() : tl::unexpected(std::move(keys.error()));
}

bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= kMaxNameOctets &&
         std::ranges::all_of(name, [](char c) { return c > 0x20 && c < 0x7f; });
}

// A domain, "*." with a domain, or an address.
bool is_sender_rule(const std::string& rule) {
  if (rule.size() > kMaxSenderOctets || rule.find('\n') != std::string::npos) return false;
  if (rule.find('@') != std::string::npos) return MailAddress::parse(rule).has_value();
  return DomainName::parse(rule.starts_with("*.") ? std::string_view(rule).substr(2) : rule).has_value();
}

Result<void> check_account(const Account& account) {
  if (!is_name(account.name)) {
    return fail(ErrorKind::Malformed, "an account name has 1 to 128 printable ASCII characters and no space");
  }
  if (!account.tenant.empty() && !is_name(account.tenant)) {
    return fail(ErrorKind::Malformed, "a tenant name has 1 to 128 printable ASCII characters and no space");
  }
  if (account.allowed_senders.size() > kMaxAllowedSenders) {
    return fail(ErrorKind::Malformed, fmt::format("an account has at most {} sender rules", kMaxAllowedSenders));
  }
  for (const std::string& rule : account.allowed_senders) {
    if (!is_sender_rule(rule)) {
      return fail(ErrorKind::Malformed,
                  "a sender rule is a domain (example.org), its subdomains (*.example.org) or an address");
    }
  }
  if (auto checked = check_scram_keys(account.scram_keys); !checked) return checked;
  if (account.certificates.size() > kMaxCertificateIdentities) {
    return fail(ErrorKind::Malformed, fmt::format("an account has at most {} certificates", kMaxCertificateIdentities));
  }
  for (const std::string& certificate : account.certificates) {
    if (auto read = parse_certificate_identity(certificate); !read) return tl::unexpected(std::move(read.error()));
  }
  return {};
}

Account account_columns(Query& row) {
  row.rewind_columns();
  Account account;
  account.name = row.octets(kMaxNameOctets);
  account.tenant = row.octets(kMaxNameOctets);
  account.password_hash = row.octets(kMaxHashOctets);
  account.declared = row.flag();
  if (!row.skip_null()) account.uid = static_cast<std::uint32_t>(row.integer(0, UINT32_MAX));
  const std::string senders = row.octets(kMaxAllowedSenders * (kMaxSenderOctets + 1));
  for (std::size_t start = 0; start < senders.size();) {
    const std::size_t end = std::min(senders.find('\n', start), senders.size());
    account.allowed_senders.push_back(senders.substr(start, end - start));
    start = end + 1;
  }
  account.scram_keys = row.octets(kMaxScramKeysOctets);
  return account;
}

}  // namespace

Result<void> AccountStore::add(const Account& account) {
  if (auto checked = check_account(account); !checked) return checked;
  return connection_.contained("store account " + account.name, [&] { return insert(account); });
}

Result<void> AccountStore::insert(const Account& account) {
  if (account.uid) {
    auto row = connection_.query("SELECT name FROM accounts WHERE uid=?");
    row.bind(std::int64_t{*account.uid});
    if (row.step()) {
      return fail(ErrorKind::Conflict,
                  fmt::format("uid {} has the account {} already", *account.uid, row.octets(kMaxNameOctets)));
    }
  }
  const std::string senders = fmt::format("{}", fmt::join(account.allowed_senders, "\n"));
  auto insert = connection_.query(
      "INSERT INTO accounts(name, tenant, password_hash, scram_keys, allowed_senders, declared, uid) "
      "VALUES(?,?,?,?,?,?,?) ON CONFLICT(name) DO NOTHING");
  insert.bind_text(account.name).bind_text(account.tenant).bind_text(account.password_hash);
  insert.bind_text(account.scram_keys).bind_text(senders).bind(std::int64_t{account.declared});
  account.uid ? insert.bind(std::int64_t{*account.uid}) : insert.bind_null();
  if (insert.run() == 0) return fail(ErrorKind::Conflict, fmt::format("there is an account {} already", account.name));
  return insert_certificates(account.name, account.certificates);
}

Result<void> AccountStore::insert_certificates(const std::string& name, const std::vector<std::string>& certificates) {
  for (const std::string& certificate : certificates) {
    auto identity = parse_certificate_identity(certificate);
    if (!identity) return tl::unexpected(std::move(identity.error()));
    auto insert = connection_.query(
        "INSERT INTO certificates(identity, account) VALUES(?1,?2) "
        "ON CONFLICT(identity) DO UPDATE SET account=?2 WHERE account=?2");
    if (insert.bind_text(*identity).bind_text(name).run() == 0)
      return fail(ErrorKind::Conflict, fmt::format("the certificate {} has an account already", *identity));
  }
  return {};
}

void AccountStore::read_certificates(Account& account) {
  auto row = connection_.query("SELECT identity FROM certificates WHERE account=? ORDER BY identity");
  row.bind_text(account.name);
  while (row.step()) {
    row.rewind_columns();
    account.certificates.push_back(row.octets(kMaxSenderOctets));
  }
}

Result<void> AccountStore::set_certificates(const std::string& name, const std::vector<std::string>& certificates) {
  auto account = find(name);
  if (!account) return tl::unexpected(std::move(account.error()));
  if (account->declared) {
    return fail(ErrorKind::Conflict, fmt::format("account {} stands in the configuration file; change it there", name));
  }
  account->certificates = certificates;
  if (auto checked = check_account(*account); !checked) return checked;
  return connection_.contained("store the certificates of account " + name, [&] {
    connection_.query("DELETE FROM certificates WHERE account=?").bind_text(name).run();
    return insert_certificates(name, certificates);
  });
}

Result<Account> AccountStore::find_by_certificate(const CertificateIdentities& identities) {
  return connection_.contained("look for the account of a certificate", [&]() -> Result<Account> {
    std::string name;
    for (const std::string& identity : identities) {
      auto row = connection_.query("SELECT account FROM certificates WHERE identity=?");
      row.bind_text(identity);
      if (!row.step()) continue;
      std::string found = row.octets(kMaxNameOctets);
      if (!name.empty() && found != name)
        return fail(ErrorKind::Conflict, fmt::format("the certificate stands for {} and for {}", name, found));
      name = std::move(found);
    }
    if (name.empty()) return fail(ErrorKind::NotFound, "no account has this certificate");
    return find(name);
  });
}

Result<void> AccountStore::declare(const std::vector<Account>& accounts) {
  for (const Account& account : accounts)
    if (auto checked = check_account(account); !checked) return checked;
  return connection_.contained("store the accounts of the configuration file", [&]() -> Result<void> {
    connection_.query("DELETE FROM certificates WHERE account IN (SELECT name FROM accounts WHERE declared=1)").run();
    connection_.query("DELETE FROM accounts WHERE declared=1").run();
    for (Account account : accounts) {
      account.declared = true;
      if (auto inserted = insert(account); !inserted) return inserted;
    }
    return {};
  });
}

Result<void> AccountStore::set_password(const std::string& name, const std::string& password_hash,
                                        const std::string& scram_keys) {
  if (auto checked = check_scram_keys(scram_keys); !checked) return checked;
  return connection_.contained("store the password of account " + name, [&]() -> Result<void> {
    auto change = connection_.query("UPDATE accounts SET password_hash=?, scram_keys=? WHERE name=? AND declared=0");
    change.bind_text(password_hash).bind_text(scram_keys).bind_text(name);
    if (change.run() > 0) return {};
    if (find(name)) {
      return fail(ErrorKind::Conflict,
                  fmt::format("account {} stands in the configuration file; change it there", name));
    }
    return fail(ErrorKind::NotFound, fmt::format("there is no account {}", name));
  });
}

Result<std::optional<std::string>> AccountStore::find_without_scram() {
  return connection_.contained("look for accounts without SCRAM keys", [&]() -> Result<std::optional<std::string>> {
    auto row = connection_.query("SELECT name FROM accounts WHERE password_hash<>'' AND scram_keys='' LIMIT 1");
    if (!row.step()) return std::nullopt;
    return row.octets(kMaxNameOctets);
  });
}

Result<Account> AccountStore::find_by_uid(std::uint32_t uid) {
  return connection_.contained("look for the account of a local user", [&]() -> Result<Account> {
    auto row = connection_.query(
        "SELECT name, tenant, password_hash, declared, uid, allowed_senders, scram_keys FROM accounts WHERE uid=?");
    row.bind(std::int64_t{uid});
    if (!row.step()) return fail(ErrorKind::NotFound, fmt::format("uid {} has no account", uid));
    return account_columns(row);
  });
}

Result<void> AccountStore::add_token(const std::string& name, const std::string& digest, WallTime now) {
  if (auto account = find(name); !account) return tl::unexpected(std::move(account.error()));
  return connection_.contained("store a token of account " + name, [&]() -> Result<void> {
    {
      auto count = connection_.query("SELECT count(*) FROM tokens WHERE account=?");
      count.bind_text(name);
      if (count.step() && count.integer(0, INT64_MAX) >= static_cast<std::int64_t>(kMaxTokens))
        return fail(ErrorKind::Exhausted, fmt::format("account {} has {} tokens; revoke them", name, kMaxTokens));
    }
    auto insert = connection_.query("INSERT INTO tokens(digest, account, created) VALUES(?,?,?)");
    insert.bind_octets(digest).bind_text(name).bind(now).run();
    return {};
  });
}

Result<std::uint64_t> AccountStore::revoke_tokens(const std::string& name) {
  if (auto account = find(name); !account) return tl::unexpected(std::move(account.error()));
  return connection_.contained("revoke the tokens of account " + name, [&]() -> Result<std::uint64_t> {
    auto change = connection_.query("DELETE FROM tokens WHERE account=?");
    return static_cast<std::uint64_t>(change.bind_text(name).run());
  });
}

Result<Account> AccountStore::find_by_token(const std::string& digest) {
  return connection_.contained("look for the account of a token", [&]() -> Result<Account> {
    auto row = connection_.query(
        "SELECT name, tenant, password_hash, declared, uid, allowed_senders, scram_keys FROM accounts "
        "WHERE name=(SELECT account FROM tokens WHERE digest=?)");
    row.bind_octets(digest);
    if (!row.step()) return fail(ErrorKind::NotFound, "no account has this token");
    return account_columns(row);
  });
}

Result<Account> AccountStore::find(const std::string& name) {
  return connection_.contained("read account " + name, [&]() -> Result<Account> {
    auto row = connection_.query(
        "SELECT name, tenant, password_hash, declared, uid, allowed_senders, scram_keys FROM accounts WHERE name=?");
    row.bind_text(name);
    if (!row.step()) return fail(ErrorKind::NotFound, fmt::format("there is no account {}", name));
    return account_columns(row);
  });
}

Result<std::vector<Account>> AccountStore::list() {
  return connection_.contained("list the accounts", [&]() -> Result<std::vector<Account>> {
    auto row = connection_.query(
        "SELECT name, tenant, password_hash, declared, uid, allowed_senders, scram_keys FROM accounts ORDER BY name");
    std::vector<Account> accounts;
    while (row.step()) {
      if (accounts.size() == kMaxAccounts)
        return fail(ErrorKind::Exhausted, "there are too many accounts to be listed");
      accounts.push_back(account_columns(row));
      read_certificates(accounts.back());
    }
    return accounts;
  });
}

}  // namespace waxwing
