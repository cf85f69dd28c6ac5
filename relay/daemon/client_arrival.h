#pragma once

#include <optional>
#include <string_view>

#include "policy/ip_address.h"
#include "policy/secret.h"
#include "policy/time_point.h"
#include "relay/daemon/session_services.h"
#include "relay/server/proxy_header.h"
#include "transport/io/connection.h"

namespace waxwing {

/// What comes before the first octet of a client's protocol, whichever that is: the PROXY header where the peer is listed
/// as a proxy, the limits on connections, and the handshake where TLS is implicit. Lives on its event loop.
class ClientArrival {
 public:
  enum class Step {
    Header,     ///< a PROXY header is awaited: on_bytes() goes on
    Handshake,  ///< TLS is awaited: Connection::Callbacks::on_secured goes on
    Ready,      ///< the client may be served, see take_first_octets()
    Refused,    ///< a limit on connections is reached; the client may be told, and is to be left
    Invalid,    ///< what stands in the place of the PROXY header is none: to be left without a word
  };

  /// Both must outlive it.
  ClientArrival(const SessionServices& services, Connection& connection);
  ~ClientArrival();  ///< leave()
  ClientArrival(const ClientArrival&) = delete;
  ClientArrival& operator=(const ClientArrival&) = delete;

  /// To be called once. Why a client is refused, is logged here.
  [[nodiscard]] Step begin();
  /// While awaits_header(). As begin().
  [[nodiscard]] Step on_bytes(std::string_view octets);

  [[nodiscard]] bool awaits_header() const { return header_.has_value(); }

  /// How long Header or Handshake may take.
  [[nodiscard]] static Milliseconds time_limit(Step step);

  /// What of the protocol came together with the PROXY header.
  [[nodiscard]] Secret take_first_octets() { return std::move(first_octets_); }

  /// Who speaks, as far as it is known: a proxy may have told.
  [[nodiscard]] const IpAddress& client() const { return client_; }

  /// The connection counts for the limits no longer.
  void leave();

 private:
  [[nodiscard]] Step admit(std::string_view first_octets);

  const SessionServices& services_;
  Connection& connection_;
  IpAddress client_;
  std::optional<ProxyHeaderReader> header_;  ///< while it is awaited
  Secret first_octets_;
  bool admitted_ = false;
};

/// How long a handshake may take, wherever it stands.
inline constexpr Milliseconds kHandshakeTimeout{15'000};

}  // namespace waxwing
