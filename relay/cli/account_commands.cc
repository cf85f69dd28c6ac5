#include "relay/cli/account_commands.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "relay/cli/json_text.h"
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
  const auto hash = hash_password(password.reveal());
  if (!hash) return tl::unexpected(hash.error());
  Json request = {{"command", "account add"}, {"name", account.name}, {"password_hash", *hash}};
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

Result<void> list_accounts(const AskRelay& ask, Output& output) {
  const auto lines = ask({{"command", "account list"}});
  if (!lines) return tl::unexpected(lines.error());
  for (const Json& line : *lines) {
    output.add_object(line);
    output.add_line(fmt::format("{}  tenant {}  senders {}", json_text(line, "name"), json_text(line, "tenant"),
                                json_list(json_member(line, "allowed_senders"), "any")));
  }
  return {};
}

}  // namespace waxwing
