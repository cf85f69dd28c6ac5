#pragma once

#include <functional>
#include <memory>
#include <string>

#include "policy/domain_name.h"
#include "policy/result.h"
#include "transport/delivery/https_exchange.h"
#include "transport/dns/resolver.h"
#include "transport/io/event_loop.h"
#include "transport/tls/tls_client_context.h"

namespace waxwing {

/// Fetches the MTA-STS policy of one domain once: TLS to mta-sts.<domain> with a certificate for that name by a public
/// authority, one GET, no redirect.
/// @limits  those of HttpsExchange, and kMaxStsPolicyOctets
/// @source  RFC 8461 §3.3
class StsFetch {
 public:
  struct Options {
    HttpsExchange::Options https;
    std::string user_agent;
  };
  using OnDone = std::function<void(Result<std::string>)>;

  StsFetch(EventLoop& loop, Resolver& resolver, TlsClientContext& tls, const DomainName& domain, const Options& options,
           OnDone on_done);

  /// Begins; `on_done` is called once with the policy text, never inside this call, and not after the object is gone.
  void start() { exchange_->start(); }

  /// Whether it failed because the certificate of the policy host was not accepted.
  [[nodiscard]] bool certificate_refused() const { return exchange_->certificate_refused(); }

 private:
  std::shared_ptr<HttpsExchange> exchange_;
};

}  // namespace waxwing
