#include "relay/daemon/client_arrival.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "transport/tls/tls_server_context.h"

namespace waxwing {
namespace {

constexpr Milliseconds kProxyHeaderTimeout{5'000};

}  // namespace

ClientArrival::ClientArrival(const SessionServices& services, Connection& connection)
    : services_(services), connection_(connection), client_(connection.peer().address) {}

ClientArrival::~ClientArrival() {
  leave();
}

ClientArrival::Step ClientArrival::begin() {
  const std::vector<IpAddress>& proxies = services_.config.proxies;
  if (std::ranges::find(proxies, client_) == proxies.end()) return admit({});
  header_.emplace();
  return Step::Header;
}

ClientArrival::Step ClientArrival::on_bytes(std::string_view octets) {
  switch (header_->on_bytes(octets)) {
    case ProxyHeaderReader::State::More:
      return Step::Header;
    case ProxyHeaderReader::State::Invalid:
      services_.intake.log.write(Severity::Warning, "proxy_header_invalid",
                                 {{"listener", services_.config.name}, {"peer", connection_.peer().str()}});
      return Step::Invalid;
    case ProxyHeaderReader::State::Done:
      break;
  }
  if (header_->client()) client_ = *header_->client();
  const Secret rest(header_->rest());  // a login may be among it
  header_.reset();
  return admit(rest.reveal());
}

// From here on it is known whose connection it is.
ClientArrival::Step ClientArrival::admit(std::string_view first_octets) {
  if (const auto reached = services_.intake.limits.open(services_.config, client_)) {
    services_.intake.log.write(Severity::Warning, "connection_refused",
                               {{"listener", services_.config.name}, {"peer", client_.str()}, {"reason", *reached}});
    return Step::Refused;
  }
  admitted_ = true;
  if (services_.engine.tls == SmtpServerEngine::Tls::Implicit) {
    connection_.start_tls(services_.tls->start(), first_octets);
    return Step::Handshake;
  }
  first_octets_ = Secret(first_octets);
  return Step::Ready;
}

Milliseconds ClientArrival::time_limit(Step step) {
  return step == Step::Header ? kProxyHeaderTimeout : kHandshakeTimeout;
}

void ClientArrival::leave() {
  if (std::exchange(admitted_, false)) services_.intake.limits.close(services_.config, client_);
}

}  // namespace waxwing
