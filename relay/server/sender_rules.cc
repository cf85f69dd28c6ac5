#include "relay/server/sender_rules.h"

#include <algorithm>
#include <string_view>

#include "policy/ascii.h"

namespace waxwing {
namespace {

bool matches(std::string_view rule, const MailAddress& address) {
  const std::string& domain = address.domain.str();
  if (rule.find('@') != std::string_view::npos) return ascii_iequal(rule, address.str());
  if (rule.substr(0, 2) != "*.") return ascii_iequal(rule, domain);
  const std::string_view suffix = rule.substr(1);  // with its dot, so that "*.example.org" is not "badexample.org"
  return domain.size() > suffix.size() &&
         ascii_iequal(std::string_view(domain).substr(domain.size() - suffix.size()), suffix);
}

}  // namespace

bool sender_allowed(const Account& account, const MailAddress& address) {
  return account.allowed_senders.empty() ||
         std::any_of(account.allowed_senders.begin(), account.allowed_senders.end(),
                     [&](const std::string& rule) { return matches(rule, address); });
}

}  // namespace waxwing
