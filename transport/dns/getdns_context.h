#pragma once

#include <getdns/getdns_extra.h>

#include <memory>

#include "policy/ip_address.h"
#include "policy/result.h"
#include "transport/dns/getdns_event_loop.h"

namespace waxwing {

struct GetdnsContextDeleter {
  void operator()(getdns_context* context) const { getdns_context_destroy(context); }
};
using GetdnsContext = std::unique_ptr<getdns_context, GetdnsContextDeleter>;

struct GetdnsDictDeleter {
  void operator()(getdns_dict* dict) const { getdns_dict_destroy(dict); }
};
using GetdnsDict = std::unique_ptr<getdns_dict, GetdnsDictDeleter>;

enum class DnsTransport { UdpThenTcp, Tcp };

/// Makes a context that asks one server as a stub with the DO bit, waits on `loop`, and validates nothing itself (what
/// getdns's own validation does wrong is listed in README.md).
/// @param loop  outlives the context
/// @errors      Unavailable: getdns refuses a setting; the detail names it
[[nodiscard]] Result<GetdnsContext> make_stub_context(GetdnsEventLoop& loop, const IpAddress& server,
                                                      std::uint16_t port, DnsTransport transport);

/// Makes the extensions that set the CD bit: the server is to answer without checking signatures.
/// @errors  Exhausted: out of memory
[[nodiscard]] Result<GetdnsDict> make_checking_disabled();

}  // namespace waxwing
