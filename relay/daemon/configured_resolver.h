#pragma once

#include <memory>
#include <string>

#include "policy/result.h"
#include "relay/config/config.h"
#include "transport/dns/resolver.h"
#include "transport/io/event_loop.h"

namespace waxwing {

/// Makes the resolver of `dns.mode`, without cache.
/// @param loop  outlives the resolver
/// @errors      Unavailable: the resolver library refuses a setting, or there are no trust anchors
[[nodiscard]] Result<std::unique_ptr<Resolver>> make_configured_resolver(EventLoop& loop, const Config& config);

/// What people are told is asked: "127.0.0.1", "192.0.2.53 (DNS over TLS)", "this relay (recursing)".
[[nodiscard]] std::string resolver_name(const Config& config);

}  // namespace waxwing
