#include "relay/cli/account_commands.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "policy/base64.h"
#include "policy/scram_keys.h"
#include "relay/cli/json_text.h"
#include "relay/server/token.h"
#include "relay/store/password.h"

namespace waxwing {
namespace {

using Json = nlohmann::json;

Result<void> send(const AskRelay& ask, Json request, std::string_view done, Output& output) {
  const auto lines = ask(std::move(request));
  if (!lines) return tl::unexpected(lines.error());
  for (const Json& line : *lines) {
    output.add_object(line);
    output.add_line(fmt::format("{} {}", json_text(line, "name"), done));
  }
  return {};
}

// What is kept of a password, as members of a request.
Result<Json> password_members(const Secret& password, PasswordUse use) {
  auto hash = hash_password(password.reveal());
  if (!hash) return tl::unexpected(std::move(hash.error()));
  Json members = {{"password_hash", std::move(*hash)}};
  if (use == PasswordUse::Hash || !is_scram_text(password.reveal())) return members;
  auto keys = make_scram_keys(password.reveal());
  if (!keys) return tl::unexpected(std::move(keys.error()));
  members["scram_keys"] = std::move(*keys);
  return members;
}

void tell_without_scram(const Json& members, PasswordUse use, Output& output) {
  if (use == PasswordUse::Hash || !members.contains("password_hash") || members.contains("scram_keys")) return;
  output.add_line(
      "its password is not printable ASCII, so that it has no SCRAM keys: a listener with scram = \"ready\" offers "
      "SCRAM "
      "to nobody while that is so");
}

}  // namespace

Result<void> add_account(const AskRelay& ask, const Account& account, const Secret& password, PasswordUse use,
                         Output& output) {
  Json request = {{"command", "account add"}, {"name", account.name}};
  const bool needs_password = !account.uid && account.certificates.empty();
  if (needs_password || !password.reveal().empty()) {
    auto members = password_members(password, use);
    if (!members) return tl::unexpected(std::move(members.error()));
    request.update(*members);
  }
  if (account.uid) request["uid"] = *account.uid;
  if (!account.certificates.empty()) request["certificates"] = account.certificates;
  if (!account.tenant.empty()) request["tenant"] = account.tenant;
  if (!account.allowed_senders.empty()) request["allowed_senders"] = account.allowed_senders;
  auto sent = send(ask, request, "may submit now", output);
  if (sent) tell_without_scram(request, use, output);
  return sent;
}

Result<void> change_password(const AskRelay& ask, const std::string& name, const Secret& password, PasswordUse use,
                             Output& output) {
  auto members = password_members(password, use);
  if (!members) return tl::unexpected(std::move(members.error()));
  Json request = {{"command", "account passwd"}, {"name", name}};
  request.update(*members);
  auto sent = send(ask, request, "has a new password", output);
  if (sent) tell_without_scram(request, use, output);
  return sent;
}

Result<void> print_password_hash(const Secret& password, Output& output) {
  const auto members = password_members(password, PasswordUse::HashAndScram);
  if (!members) return tl::unexpected(members.error());
  output.add_object(*members);
  for (const auto& [name, value] : members->items())
    output.add_line(fmt::format("{} = \"{}\"", name, value.get<std::string>()));
  return {};
}

Result<void> add_token(const AskRelay& ask, const std::string& name, Output& output) {
  const auto token = make_token();
  if (!token) return tl::unexpected(token.error());
  const auto lines =
      ask({{"command", "account token"}, {"name", name}, {"digest", encode_base64(token_digest(*token))}});
  if (!lines) return tl::unexpected(lines.error());
  output.add_object(Json{{"name", name}, {"token", *token}});
  output.add_line(*token);
  return {};
}

Result<void> revoke_tokens(const AskRelay& ask, const std::string& name, Output& output) {
  const auto lines = ask({{"command", "account revoke"}, {"name", name}});
  if (!lines) return tl::unexpected(lines.error());
  for (const Json& line : *lines) {
    output.add_object(line);
    output.add_line(fmt::format("{}: {} tokens revoked", json_text(line, "name"), json_text(line, "revoked")));
  }
  return {};
}

Result<void> set_certificates(const AskRelay& ask, const std::string& name,
                              const std::vector<std::string>& certificates, Output& output) {
  return send(ask, {{"command", "account certificates"}, {"name", name}, {"certificates", certificates}},
              certificates.empty() ? "logs in by no certificate" : "logs in by these certificates alone", output);
}

Result<void> list_accounts(const AskRelay& ask, Output& output) {
  const auto lines = ask({{"command", "account list"}});
  if (!lines) return tl::unexpected(lines.error());
  for (const Json& line : *lines) {
    output.add_object(line);
    const std::string certificates = json_list(json_member(line, "certificates"), "");
    const bool lacks_scram = json_member(line, "scram") == false;
    output.add_line(fmt::format("{}  tenant {}  senders {}{}{}", json_text(line, "name"), json_text(line, "tenant"),
                                json_list(json_member(line, "allowed_senders"), "any"),
                                certificates.empty() ? "" : "  certificates " + certificates,
                                lacks_scram ? "  no SCRAM keys" : ""));
  }
  return {};
}

}  // namespace waxwing
