#include "relay/store/account_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "policy/domain_name.h"
#include "policy/mail_address.h"
#include "relay/store/sqlite_connection.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxNameOctets = 128;
constexpr std::size_t kMaxSenderOctets = 320;
constexpr std::size_t kMaxHashOctets = 384;  // of crypt(3)

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
  return {};
}

Account account_columns(Query& row) {
  row.rewind_columns();
  Account account;
  account.name = row.octets(kMaxNameOctets);
  account.tenant = row.octets(kMaxNameOctets);
  account.password_hash = row.octets(kMaxHashOctets);
  const std::string senders = row.octets(kMaxAllowedSenders * (kMaxSenderOctets + 1));
  for (std::size_t start = 0; start < senders.size();) {
    const std::size_t end = std::min(senders.find('\n', start), senders.size());
    account.allowed_senders.push_back(senders.substr(start, end - start));
    start = end + 1;
  }
  return account;
}

}  // namespace

Result<void> AccountStore::add(const Account& account) {
  if (auto checked = check_account(account); !checked) return checked;
  return connection_.contained("store account " + account.name, [&]() -> Result<void> {
    const std::string senders = fmt::format("{}", fmt::join(account.allowed_senders, "\n"));
    auto insert = connection_.query(
        "INSERT INTO accounts(name, tenant, password_hash, allowed_senders) VALUES(?,?,?,?) "
        "ON CONFLICT(name) DO NOTHING");
    insert.bind_text(account.name).bind_text(account.tenant).bind_text(account.password_hash).bind_text(senders);
    if (insert.run() == 0)
      return fail(ErrorKind::Conflict, fmt::format("there is an account {} already", account.name));
    return {};
  });
}

Result<void> AccountStore::set_password_hash(const std::string& name, const std::string& password_hash) {
  return connection_.contained("store the password of account " + name, [&]() -> Result<void> {
    auto change = connection_.query("UPDATE accounts SET password_hash=? WHERE name=?");
    change.bind_text(password_hash).bind_text(name);
    if (change.run() == 0) return fail(ErrorKind::NotFound, fmt::format("there is no account {}", name));
    return {};
  });
}

Result<Account> AccountStore::find(const std::string& name) {
  return connection_.contained("read account " + name, [&]() -> Result<Account> {
    auto row = connection_.query("SELECT name, tenant, password_hash, allowed_senders FROM accounts WHERE name=?");
    row.bind_text(name);
    if (!row.step()) return fail(ErrorKind::NotFound, fmt::format("there is no account {}", name));
    return account_columns(row);
  });
}

Result<std::vector<Account>> AccountStore::list() {
  return connection_.contained("list the accounts", [&]() -> Result<std::vector<Account>> {
    auto row = connection_.query("SELECT name, tenant, password_hash, allowed_senders FROM accounts ORDER BY name");
    std::vector<Account> accounts;
    while (row.step()) {
      if (accounts.size() == kMaxAccounts)
        return fail(ErrorKind::Exhausted, "there are too many accounts to be listed");
      accounts.push_back(account_columns(row));
    }
    return accounts;
  });
}

}  // namespace waxwing
