#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policy/domain_name.h"
#include "policy/lookup.h"
#include "policy/result.h"
#include "transport/dns/resolver.h"
#include "transport/http/http_response_reader.h"
#include "transport/io/connection.h"
#include "transport/io/event_loop.h"
#include "transport/tls/tls_client_context.h"

namespace waxwing {

/// Fetches the MTA-STS policy of one domain once: addresses of mta-sts.<domain>, TLS with a certificate for that name
/// by a public authority, one GET, no redirect.
/// @limits  one minute in total, kMaxStsPolicyOctets, kMaxAddresses addresses; only global ones unless allowed
/// otherwise
/// @source  RFC 8461 §3.3
class StsFetch : public std::enable_shared_from_this<StsFetch> {
 public:
  struct Options {
    std::uint16_t port = 443;
    bool allow_non_global_addresses = false;
    std::vector<IpAddress> source_addresses;
    std::string user_agent;
  };
  using OnDone = std::function<void(Result<std::string>)>;

  StsFetch(EventLoop& loop, Resolver& resolver, TlsClientContext& tls, const DomainName& domain, Options options,
           OnDone on_done);

  /// Begins; `on_done` is called once with the policy text, never inside this call, and not after the object is gone.
  void start();

  /// Whether it failed because the certificate of the policy host was not accepted.
  [[nodiscard]] bool certificate_refused() const { return certificate_refused_; }

 private:
  void on_resolved();
  void connect_next();
  void on_connected();
  void on_secured();
  void on_bytes(std::string_view octets);
  void on_closed(const std::optional<Error>& error);
  void take_response();
  void finish(Result<std::string> result);

  EventLoop& loop_;
  Resolver& resolver_;
  TlsClientContext& tls_;
  const DomainName domain_;
  const std::string host_;
  const Options options_;
  OnDone on_done_;
  Timer deadline_;
  Answers answers_;
  std::vector<IpAddress> addresses_;  // still to be tried, the next one last
  std::unique_ptr<Connection> connection_;
  bool connected_ = false;
  bool certificate_refused_ = false;
  HttpResponseReader reader_;
};

}  // namespace waxwing
