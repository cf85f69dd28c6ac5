#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policy/lookup.h"
#include "policy/result.h"
#include "policy/tls_requirement.h"
#include "transport/dns/resolver.h"
#include "transport/http/http_response_reader.h"
#include "transport/io/connection.h"
#include "transport/io/event_loop.h"
#include "transport/io/timer.h"
#include "transport/tls/tls_client_context.h"

namespace waxwing {

/// One HTTP request over TLS to one host, and its response: addresses, connection, handshake, request, response. No
/// redirect, no second request.
/// @limits  kHttpsDeadline in total; kMaxHttpsAddresses addresses are tried, only global ones unless allowed otherwise
class HttpsExchange : public std::enable_shared_from_this<HttpsExchange> {
 public:
  struct Options {
    std::uint16_t port = 443;
    bool allow_non_global_addresses = false;
    std::vector<IpAddress> source_addresses;  ///< to bind to, at most one per family
  };
  struct Request {
    std::string host;                   ///< A-labels
    std::string octets;                 ///< the whole request, HTTP/1.1 with Connection: close
    TlsRequirement requirement;         ///< what the host must prove
    std::size_t max_response_octets{};  ///< of the body
  };
  using OnDone = std::function<void(Result<HttpResponse>)>;

  HttpsExchange(EventLoop& loop, Resolver& resolver, TlsClientContext& tls, Options options, Request request,
                OnDone on_done);

  /// Begins; `on_done` is called once, never inside this call, and not after the object is gone.
  void start();

  /// Whether it failed because the certificate of the host was not accepted.
  [[nodiscard]] bool certificate_refused() const { return certificate_refused_; }

 private:
  void on_resolved();
  void connect_next();
  void on_connected();
  void on_bytes(std::string_view octets);
  void on_closed(const std::optional<Error>& error);
  void take_response();
  void finish(Result<HttpResponse> result);

  EventLoop& loop_;
  Resolver& resolver_;
  TlsClientContext& tls_;
  const Options options_;
  const Request request_;
  OnDone on_done_;
  Timer deadline_;
  Answers answers_;
  std::vector<IpAddress> addresses_;  // still to be tried, the next one last
  std::unique_ptr<Connection> connection_;
  bool connected_ = false;
  bool certificate_refused_ = false;
  HttpResponseReader reader_;
};

inline constexpr Milliseconds kHttpsDeadline{60'000};
inline constexpr std::size_t kMaxHttpsAddresses = 4;

}  // namespace waxwing
