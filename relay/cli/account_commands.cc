#include "relay/cli/account_commands.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "policy/base64.h"
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

}  // namespace

Result<void> add_account(const AskRelay& ask, const Account& account, const Secret& password, Output& output) {
  Json request = {{"command", "account add"}, {"name", account.name}};
  const bool needs_password = !account.uid && account.certificates.empty();
  if (needs_password || !password.reveal().empty()) {
    const auto hash = hash_password(password.reveal());
    if (!hash) return tl::unexpected(hash.error());
    request["password_hash"] = *hash;
  }
  if (account.uid) request["uid"] = *account.uid;
  if (!account.certificates.empty()) request["certificates"] = account.certificates;
  if (!account.tenant.empty()) request["tenant"] = account.tenant;
  if (!account.allowed_senders.empty()) request["allowed_senders"] = account.allowed_senders;
  return send(ask, std::move(request), "may submit now", output);
}

Result<void> change_password(const AskRelay& ask, const std::string& name, const Secret& password, Output& output) {
  const auto hash = hash_password(password.reveal());
  if (!hash) return tl::unexpected(hash.error());
  return send(ask, {{"command", "account passwd"}, {"name", name}, {"password_hash", *hash}}, "has a new password",
              output);
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
    output.add_line(fmt::format("{}  tenant {}  senders {}{}", json_text(line, "name"), json_text(line, "tenant"),
                                json_list(json_member(line, "allowed_senders"), "any"),
                                certificates.empty() ? "" : "  certificates " + certificates));
  }
  return {};
}

}  // namespace waxwing
