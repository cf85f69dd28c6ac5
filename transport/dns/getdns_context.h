#pragma once

#include <getdns/getdns_extra.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "policy/ip_address.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "transport/dns/dns_tls_identity.h"
#include "transport/dns/getdns_event_loop.h"
#include "transport/dns/recursion_roots.h"

namespace waxwing {

struct GetdnsContextDeleter {
  void operator()(getdns_context* context) const { getdns_context_destroy(context); }
};
using GetdnsContext = std::unique_ptr<getdns_context, GetdnsContextDeleter>;

struct GetdnsDictDeleter {
  void operator()(getdns_dict* dict) const { getdns_dict_destroy(dict); }
};
using GetdnsDict = std::unique_ptr<getdns_dict, GetdnsDictDeleter>;

enum class DnsTransport { UdpThenTcp, Tcp, Tls };

/// Makes a context that asks one server as a stub with the DO bit, waits on `loop`, and validates nothing itself (what
/// getdns's own validation does wrong is listed in README.md).
/// @param loop      outlives the context
/// @param identity  for DnsTransport::Tls alone
/// @errors      Unavailable: getdns refuses a setting; the detail names it
[[nodiscard]] Result<GetdnsContext> make_stub_context(GetdnsEventLoop& loop, const IpAddress& server,
                                                      std::uint16_t port, DnsTransport transport,
                                                      const DnsTlsIdentity& identity = {});

/// Makes a context that asks authoritative servers itself and validates their answers, by libunbound inside getdns.
/// @param loop  outlives the context
/// @errors      Unavailable: the file cannot be read or has no trust anchor, or getdns refuses a setting
[[nodiscard]] Result<GetdnsContext> make_recursing_context(GetdnsEventLoop& loop, const RecursionRoots& roots,
                                                           Milliseconds timeout);

/// Makes the extensions that ask a recursing context for the DNSSEC state of every answer, bogus ones included.
/// @errors  Exhausted: out of memory
[[nodiscard]] Result<GetdnsDict> make_all_statuses();

/// Makes the extensions that set the CD bit: the server is to answer without checking signatures.
/// @errors  Exhausted: out of memory
[[nodiscard]] Result<GetdnsDict> make_checking_disabled();

/// The wire of a reply; empty: none came.
[[nodiscard]] std::vector<std::uint8_t> reply_octets(const getdns_dict* response);

}  // namespace waxwing
