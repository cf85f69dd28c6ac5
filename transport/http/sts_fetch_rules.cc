#include "transport/http/sts_fetch_rules.h"

#include <fmt/format.h>

#include <utility>

#include "policy/mta_sts.h"

namespace waxwing {

std::string sts_policy_host(const DomainName& policy_domain) {
  return "mta-sts." + policy_domain.str();
}

HttpRequest sts_policy_request(const DomainName& policy_domain, std::string_view user_agent) {
  return {.host = sts_policy_host(policy_domain),
          .path = "/.well-known/mta-sts.txt",
          .user_agent = std::string(user_agent),
          .accept = "text/plain"};
}

Result<std::string> take_sts_policy_text(HttpResponse response) {
  if (response.status >= 300 && response.status <= 399) {
    return fail(ErrorKind::Denied, fmt::format("the policy host answered with status {}, a redirect; RFC 8461 §3.3 "
                                               "forbids to follow it",
                                               response.status));
  }
  if (response.status != 200) {
    return fail(ErrorKind::Denied,
                fmt::format("the policy host answered with status {} instead of 200", response.status));
  }
  if (response.media_type.empty()) {
    return fail(ErrorKind::Denied, "the policy is served without a media type instead of as text/plain");
  }
  if (response.media_type != "text/plain") {
    return fail(ErrorKind::Denied,
                fmt::format("the policy is served as '{}' instead of text/plain", response.media_type));
  }
  if (response.body.size() > kMaxStsPolicyOctets) {
    return fail(ErrorKind::Denied, fmt::format("the policy is larger than {} octets", kMaxStsPolicyOctets));
  }
  return std::move(response.body);
}

}  // namespace waxwing
