#include "relay/server/authserv_id.h"

#include <fmt/format.h>

#include <algorithm>

#include "policy/ascii.h"
#include "signer/authentication_results.h"

namespace waxwing {
namespace {

bool mentions(std::string_view value, const std::string& name) {
  const auto found = std::search(value.begin(), value.end(), name.begin(), name.end(),
                                 [](char a, char b) { return ascii_lower(a) == b; });
  return found != value.end();
}

bool claims_results(const HeaderField& field, const DomainName& ours) {
  return field.is("Authentication-Results") && claims_authserv_id(field.value, ours);
}

}  // namespace

bool claims_authserv_id(std::string_view value, const DomainName& ours) {
  std::string id = read_authserv_id(value);
  std::erase_if(id, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
  if (id.empty()) return mentions(value, ours.str());
  const auto name = DomainName::parse(id);
  return name ? *name == ours : ascii_iequal(id, ours.str());
}

std::optional<ServerReply> check_results(const std::vector<HeaderField>& fields, const std::string& hostname) {
  const auto ours = DomainName::parse(hostname);
  if (!ours) return std::nullopt;
  const bool claimed =
      std::any_of(fields.begin(), fields.end(), [&](const HeaderField& field) { return claims_results(field, *ours); });
  if (!claimed) return std::nullopt;
  return ServerReply{
      550,
      "5.7.1",
      {fmt::format("an Authentication-Results field claims to be from {}, which has not written it; remove it",
                   ours->str())}};
}

std::string without_results_of(const std::vector<HeaderField>& fields, const std::string& hostname) {
  const auto ours = DomainName::parse(hostname);
  std::string block;
  for (const HeaderField& field : fields) {
    if (!ours || !claims_results(field, *ours)) block += field.raw;
  }
  return block;
}

}  // namespace waxwing
