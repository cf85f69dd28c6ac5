#pragma once

#include <cstdint>
#include <memory>

#include "policy/pkix.h"
#include "relay/config/config.h"
#include "relay/daemon/authenticator.h"
#include "relay/daemon/message_intake.h"
#include "relay/server/server_engine.h"
#include "transport/tls/tls_server_context.h"

namespace waxwing {

/// What every session of one listener works with; outlives them all.
struct SessionServices {
  IntakeServices& intake;
  Authenticator& authenticator;
  const ListenerConfig& config;
  SmtpServerEngine::Options engine;
  std::shared_ptr<const TlsServerContext> tls;         ///< nullptr where TLS is not offered
  std::shared_ptr<const TrustAnchors> client_anchors;  ///< for certificates of clients; nullptr: none is believed
  mutable std::uint64_t http_octets = 0;               ///< of requests that are in memory; used on the event loop alone
};

}  // namespace waxwing
