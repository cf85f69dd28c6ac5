#include "transport/delivery/sts_fetch.h"

#include <fmt/format.h>

#include <utility>

#include "policy/mta_sts.h"
#include "transport/http/sts_fetch_rules.h"

namespace waxwing {
namespace {

TlsRequirement requirement_of(const std::string& host) {
  TlsRequirement requirement;
  requirement.method = TlsRequirement::Method::Pkix;
  requirement.level = TlsLevel::Verified;
  requirement.reference_identifiers = {host};
  requirement.server_name = host;
  requirement.reason =
      fmt::format("An MTA-STS policy is believed only from a host with a certificate for {} (RFC 8461 §3.3).", host);
  return requirement;
}

}  // namespace

StsFetch::StsFetch(EventLoop& loop, Resolver& resolver, TlsClientContext& tls, const DomainName& domain,
                   const Options& options, OnDone on_done) {
  const std::string host = sts_policy_host(domain);
  HttpsExchange::Request request{host, format_http_request(sts_policy_request(domain, options.user_agent)),
                                 requirement_of(host), kMaxStsPolicyOctets};
  exchange_ = std::make_shared<HttpsExchange>(
      loop, resolver, tls, options.https, std::move(request),
      [on_done = std::move(on_done)](Result<HttpResponse> response) {
        on_done(response ? take_sts_policy_text(std::move(*response)) : tl::unexpected(std::move(response.error())));
      });
}

}  // namespace waxwing
