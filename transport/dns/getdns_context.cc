#include "transport/dns/getdns_context.h"

#include <fmt/format.h>

#include <array>
#include <mutex>
#include <utility>

namespace waxwing {
namespace {

constexpr std::uint16_t kUdpPayloadOctets = 1'232;  // fits every path without fragments
constexpr std::uint64_t kIdleTimeoutMs = 10'000;

struct GetdnsListDeleter {
  void operator()(getdns_list* list) const { getdns_list_destroy(list); }
};
using GetdnsList = std::unique_ptr<getdns_list, GetdnsListDeleter>;

struct Setting {
  const char* name;
  getdns_return_t result;
};

// A list with the one server.
GetdnsList make_server_list(const IpAddress& server, std::uint16_t port) {
  const bool v4 = server.family() == IpAddress::Family::V4;
  std::string type = v4 ? "IPv4" : "IPv6";
  auto octets = std::vector<std::uint8_t>(server.octets().begin(), server.octets().end());
  getdns_bindata type_data{type.size(), reinterpret_cast<std::uint8_t*>(type.data())};
  getdns_bindata address_data{octets.size(), octets.data()};
  const GetdnsDict dict(getdns_dict_create());
  GetdnsList list(getdns_list_create());
  const bool good = dict != nullptr && list != nullptr &&
                    getdns_dict_set_bindata(dict.get(), "address_type", &type_data) == GETDNS_RETURN_GOOD &&
                    getdns_dict_set_bindata(dict.get(), "address_data", &address_data) == GETDNS_RETURN_GOOD &&
                    getdns_dict_set_int(dict.get(), "port", port) == GETDNS_RETURN_GOOD &&
                    getdns_list_set_dict(list.get(), 0, dict.get()) == GETDNS_RETURN_GOOD;
  return good ? std::move(list) : nullptr;
}

getdns_return_t set_transport(getdns_context* context, DnsTransport transport) {
  std::array<getdns_transport_list_t, 2> both = {GETDNS_TRANSPORT_UDP, GETDNS_TRANSPORT_TCP};
  if (transport == DnsTransport::UdpThenTcp) return getdns_context_set_dns_transport_list(context, 2, both.data());
  return getdns_context_set_dns_transport_list(context, 1, &both[1]);
}

}  // namespace

Result<GetdnsContext> make_stub_context(GetdnsEventLoop& loop, const IpAddress& server, std::uint16_t port,
                                        DnsTransport transport) {
  getdns_context* created = nullptr;
  {
    static std::mutex initialisation;  // the first context initialises libunbound, which is not made for threads
    const std::lock_guard lock(initialisation);
    if (getdns_context_create(&created, 0) != GETDNS_RETURN_GOOD) {
      return fail(ErrorKind::Unavailable, "getdns cannot make a context");
    }
  }
  GetdnsContext context(created);
  const GetdnsList servers = make_server_list(server, port);
  if (servers == nullptr) return fail(ErrorKind::Exhausted, "getdns is out of memory");
  getdns_namespace_t dns_only = GETDNS_NAMESPACE_DNS;
  const Setting settings[] = {
      {"the event loop", getdns_context_set_eventloop(created, loop.native())},
      {"stub resolution", getdns_context_set_resolution_type(created, GETDNS_RESOLUTION_STUB)},
      {"namespaces", getdns_context_set_namespaces(created, 1, &dns_only)},
      {"the upstream server", getdns_context_set_upstream_recursive_servers(created, servers.get())},
      {"transports", set_transport(created, transport)},
      {"names as they are", getdns_context_set_append_name(created, GETDNS_APPEND_NAME_NEVER)},
      {"the DO bit", getdns_context_set_edns_do_bit(created, 1)},
      {"the UDP payload size", getdns_context_set_edns_maximum_udp_payload_size(created, kUdpPayloadOctets)},
      {"the idle time", getdns_context_set_idle_timeout(created, kIdleTimeoutMs)},
  };
  for (const Setting& setting : settings) {
    if (setting.result == GETDNS_RETURN_GOOD) continue;
    return fail(ErrorKind::Unavailable,
                fmt::format("getdns refuses {}: {}", setting.name, getdns_get_errorstr_by_id(setting.result)));
  }
  return context;
}

Result<GetdnsDict> make_checking_disabled() {
  GetdnsDict extensions(getdns_dict_create());
  const GetdnsDict header(getdns_dict_create());
  const bool good = extensions != nullptr && header != nullptr &&
                    getdns_dict_set_int(header.get(), "rd", 1) == GETDNS_RETURN_GOOD &&
                    getdns_dict_set_int(header.get(), "cd", 1) == GETDNS_RETURN_GOOD &&
                    getdns_dict_set_dict(extensions.get(), "header", header.get()) == GETDNS_RETURN_GOOD;
  if (!good) return fail(ErrorKind::Exhausted, "getdns is out of memory");
  return extensions;
}

}  // namespace waxwing
