#include "relay/daemon/configured_resolver.h"

#include <utility>

#include "transport/dns/getdns_resolver.h"
#include "transport/dns/recursing_resolver.h"

namespace waxwing {
namespace {

template <class Kind>
Result<std::unique_ptr<Resolver>> make(EventLoop& loop, const typename Kind::Options& options) {
  auto resolver = Kind::create(loop, options);
  if (!resolver) return tl::unexpected(resolver.error());
  return std::unique_ptr<Resolver>(std::move(*resolver));
}

}  // namespace

Result<std::unique_ptr<Resolver>> make_configured_resolver(EventLoop& loop, const Config& config) {
  if (config.dns_mode == DnsMode::Recursing) {
    return make<RecursingResolver>(
        loop, {.roots = {.trust_anchor_file = config.trust_anchor_file, .root_servers = config.root_servers}});
  }
  GetdnsResolver::Options options{.server = config.resolver_address, .port = config.resolver_port};
  if (config.dns_mode == DnsMode::Tls) {
    options.tls =
        DnsTlsIdentity{.name = config.resolver_tls_name, .pins = config.resolver_tls_pins, .ca_file = config.ca_file};
  }
  return make<GetdnsResolver>(loop, options);
}

std::string resolver_name(const Config& config) {
  switch (config.dns_mode) {
    case DnsMode::Stub:
      break;
    case DnsMode::Tls:
      return config.resolver_address.str() + " (DNS over TLS)";
    case DnsMode::Recursing:
      return "this relay (recursing)";
  }
  return config.resolver_address.str();
}

}  // namespace waxwing
