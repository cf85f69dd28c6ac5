#include "relay/admin/account_commands.h"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "policy/base64.h"
#include "policy/scram_keys.h"
#include "relay/admin/reply_lines.h"
#include "relay/store/account_store.h"

namespace waxwing {
namespace {

// Passwords are hashed by whoever asks, so that they never cross a socket nor keep the store waiting.
std::string password_hash(AdminRequest& request) {
  std::string hash = request.text("password_hash");
  if (!hash.starts_with("$y$")) request.refuse("\"password_hash\" is missing or not a yescrypt hash");
  return hash;
}

// Likewise derived by whoever asks; none where SCRAM is offered nowhere.
std::string scram_keys(AdminRequest& request) {
  std::string keys = request.text("scram_keys");
  if (!keys.empty() && !parse_scram_keys(keys)) request.refuse("\"scram_keys\" are no keys of SCRAM-SHA-256");
  return keys;
}

}  // namespace

Result<AdminReply> account_add(AdminRequest& request, SqliteQueueStore& store) {
  Account account;
  account.name = request.text("name");
  account.tenant = request.text("tenant");
  const auto uid = request.number("uid");
  if (uid && *uid > UINT32_MAX) request.refuse("\"uid\" is no user id");
  if (uid) account.uid = static_cast<std::uint32_t>(*uid);
  account.certificates = request.texts("certificates", kMaxCertificateIdentities);
  const bool needs_password = !uid && account.certificates.empty();
  account.password_hash = needs_password ? password_hash(request) : request.text("password_hash");
  if (!account.password_hash.empty() && !account.password_hash.starts_with("$y$"))
    request.refuse("\"password_hash\" is not a yescrypt hash");
  account.scram_keys = scram_keys(request);
  account.allowed_senders = request.texts("allowed_senders", kMaxAllowedSenders);
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  if (auto added = store.accounts().add(account); !added) return tl::unexpected(std::move(added.error()));
  AdminReply reply;
  add_line(reply, {{"name", account.name}, {"added", true}});
  return reply;
}

Result<AdminReply> account_passwd(AdminRequest& request, SqliteQueueStore& store) {
  const std::string name = request.text("name");
  const std::string hash = password_hash(request);
  const std::string keys = scram_keys(request);
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  if (auto set = store.accounts().set_password(name, hash, keys); !set) return tl::unexpected(std::move(set.error()));
  AdminReply reply;
  add_line(reply, {{"name", name}, {"changed", true}});
  return reply;
}

Result<AdminReply> account_list(AdminRequest& request, SqliteQueueStore& store) {
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  auto accounts = store.accounts().list();
  if (!accounts) return tl::unexpected(std::move(accounts.error()));
  AdminReply reply;
  for (const Account& account : *accounts) {
    nlohmann::ordered_json line = {
        {"name", account.name}, {"tenant", account.tenant_name()}, {"allowed_senders", account.allowed_senders}};
    if (!account.password_hash.empty() || !account.scram_keys.empty()) line["scram"] = !account.scram_keys.empty();
    if (account.uid) line["uid"] = *account.uid;
    if (!account.certificates.empty()) line["certificates"] = account.certificates;
    add_line(reply, line);
  }
  return reply;
}

Result<AdminReply> account_token(AdminRequest& request, SqliteQueueStore& store, WallTime now) {
  const std::string name = request.text("name");
  const auto digest = decode_base64(request.text("digest"));
  if (!digest || digest->size() != kTokenDigestOctets) request.refuse("\"digest\" is not a SHA-256 in base64");
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  if (auto added = store.accounts().add_token(name, *digest, now); !added)
    return tl::unexpected(std::move(added.error()));
  AdminReply reply;
  add_line(reply, {{"name", name}, {"added", true}});
  return reply;
}

Result<AdminReply> account_certificates(AdminRequest& request, SqliteQueueStore& store) {
  const std::string name = request.text("name");
  const auto certificates = request.texts("certificates", kMaxCertificateIdentities);
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  if (auto set = store.accounts().set_certificates(name, certificates); !set)
    return tl::unexpected(std::move(set.error()));
  AdminReply reply;
  add_line(reply, {{"name", name}, {"certificates", certificates}});
  return reply;
}

Result<AdminReply> account_revoke(AdminRequest& request, SqliteQueueStore& store) {
  const std::string name = request.text("name");
  if (auto good = request.finish(); !good) return tl::unexpected(std::move(good.error()));
  auto revoked = store.accounts().revoke_tokens(name);
  if (!revoked) return tl::unexpected(std::move(revoked.error()));
  AdminReply reply;
  add_line(reply, {{"name", name}, {"revoked", *revoked}});
  return reply;
}

}  // namespace waxwing
