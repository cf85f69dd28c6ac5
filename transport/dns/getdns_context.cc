#include "transport/dns/getdns_context.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <span>
#include <utility>

namespace waxwing {
namespace {

constexpr std::uint16_t kUdpPayloadOctets = 1'232;  // fits every path without fragments
constexpr std::uint64_t kIdleTimeoutMs = 10'000;
constexpr std::uint16_t kTlsBackoffSeconds = 1;

struct GetdnsListDeleter {
  void operator()(getdns_list* list) const { getdns_list_destroy(list); }
};
using GetdnsList = std::unique_ptr<getdns_list, GetdnsListDeleter>;

struct Setting {
  const char* name;
  getdns_return_t result;
};

bool set_text(getdns_dict* dict, const char* name, std::string text) {
  getdns_bindata data{text.size(), reinterpret_cast<std::uint8_t*>(text.data())};
  return getdns_dict_set_bindata(dict, name, &data) == GETDNS_RETURN_GOOD;
}

GetdnsDict make_address(const IpAddress& address) {
  GetdnsDict dict(getdns_dict_create());
  std::vector<std::uint8_t> octets(address.octets().begin(), address.octets().end());
  getdns_bindata data{octets.size(), octets.data()};
  const bool good = dict != nullptr &&
                    set_text(dict.get(), "address_type", address.family() == IpAddress::Family::V4 ? "IPv4" : "IPv6") &&
                    getdns_dict_set_bindata(dict.get(), "address_data", &data) == GETDNS_RETURN_GOOD;
  return good ? std::move(dict) : nullptr;
}

GetdnsList make_pins(getdns_context* context, const std::vector<std::string>& pins) {
  GetdnsList list(getdns_list_create());
  bool good = list != nullptr;
  for (std::size_t i = 0; i < pins.size() && good; ++i) {
    const std::string text = fmt::format("pin-sha256=\"{}\"", pins[i]);
    const GetdnsDict pin(getdns_pubkey_pin_create_from_string(context, text.c_str()));
    good = pin != nullptr && getdns_list_set_dict(list.get(), i, pin.get()) == GETDNS_RETURN_GOOD;
  }
  return good ? std::move(list) : nullptr;
}

bool set_identity(getdns_context* context, getdns_dict* server, const DnsTlsIdentity& identity) {
  if (!identity.name.empty() && !set_text(server, "tls_auth_name", identity.name)) return false;
  if (identity.pins.empty()) return true;
  const GetdnsList pins = make_pins(context, identity.pins);
  return pins != nullptr && getdns_dict_set_list(server, "tls_pubkey_pinset", pins.get()) == GETDNS_RETURN_GOOD;
}

// A list with the one server.
GetdnsList make_server_list(getdns_context* context, const IpAddress& server, std::uint16_t port,
                            const DnsTlsIdentity& identity) {
  const GetdnsDict dict = make_address(server);
  GetdnsList list(getdns_list_create());
  const bool good = dict != nullptr && list != nullptr &&
                    getdns_dict_set_int(dict.get(), "port", port) == GETDNS_RETURN_GOOD &&
                    getdns_dict_set_int(dict.get(), "tls_port", port) == GETDNS_RETURN_GOOD &&
                    set_identity(context, dict.get(), identity) &&
                    getdns_list_set_dict(list.get(), 0, dict.get()) == GETDNS_RETURN_GOOD;
  return good ? std::move(list) : nullptr;
}

GetdnsList make_root_list(const std::vector<IpAddress>& servers) {
  GetdnsList list(getdns_list_create());
  bool good = list != nullptr;
  for (std::size_t i = 0; i < servers.size() && good; ++i) {
    const GetdnsDict dict = make_address(servers[i]);
    good = dict != nullptr && getdns_list_set_dict(list.get(), i, dict.get()) == GETDNS_RETURN_GOOD;
  }
  return good ? std::move(list) : nullptr;
}

getdns_return_t set_transport(getdns_context* context, DnsTransport transport) {
  std::array<getdns_transport_list_t, 2> both = {GETDNS_TRANSPORT_UDP, GETDNS_TRANSPORT_TCP};
  getdns_transport_list_t tls = GETDNS_TRANSPORT_TLS;
  switch (transport) {
    case DnsTransport::UdpThenTcp:
      return getdns_context_set_dns_transport_list(context, 2, both.data());
    case DnsTransport::Tcp:
      return getdns_context_set_dns_transport_list(context, 1, &both[1]);
    case DnsTransport::Tls:
      return getdns_context_set_dns_transport_list(context, 1, &tls);
  }
  return GETDNS_RETURN_INVALID_PARAMETER;
}

Result<void> check(std::span<const Setting> settings) {
  for (const Setting& setting : settings) {
    if (setting.result == GETDNS_RETURN_GOOD) continue;
    return fail(ErrorKind::Unavailable,
                fmt::format("getdns refuses {}: {}", setting.name, getdns_get_errorstr_by_id(setting.result)));
  }
  return {};
}

// libunbound initialises itself with the first context and, where it recurses, with the first lookup of it; neither is
// made for threads.
std::mutex& initialisation() {
  static std::mutex mutex;
  return mutex;
}

// With what every context has.
Result<GetdnsContext> make_context(GetdnsEventLoop& loop, getdns_resolution_t resolution) {
  getdns_context* created = nullptr;
  {
    const std::lock_guard lock(initialisation());
    if (getdns_context_create(&created, 0) != GETDNS_RETURN_GOOD) {
      return fail(ErrorKind::Unavailable, "getdns cannot make a context");
    }
  }
  GetdnsContext context(created);
  getdns_namespace_t dns_only = GETDNS_NAMESPACE_DNS;
  const Setting settings[] = {
      {"the event loop", getdns_context_set_eventloop(created, loop.native())},
      {"the kind of resolution", getdns_context_set_resolution_type(created, resolution)},
      {"namespaces", getdns_context_set_namespaces(created, 1, &dns_only)},
      {"names as they are", getdns_context_set_append_name(created, GETDNS_APPEND_NAME_NEVER)},
      {"the UDP payload size", getdns_context_set_edns_maximum_udp_payload_size(created, kUdpPayloadOctets)},
  };
  if (auto good = check(settings); !good) return tl::unexpected(good.error());
  return context;
}

// TLS 1.2 or later, and no query to a server that has not proven who it is. A server that was away is asked again with
// the next query, since there is no other to turn to.
Result<void> require_identity(getdns_context* context, const DnsTlsIdentity& identity) {
  if (identity.name.empty() && identity.pins.empty()) {
    return fail(ErrorKind::Unavailable, "DNS over TLS needs a name or a key that the server must prove");
  }
  const Setting settings[] = {
      {"authentication", getdns_context_set_tls_authentication(context, GETDNS_AUTHENTICATION_REQUIRED)},
      {"the version of TLS", getdns_context_set_tls_min_version(context, GETDNS_TLS1_2)},
      {"the file of authorities", identity.ca_file.empty()
                                      ? GETDNS_RETURN_GOOD
                                      : getdns_context_set_tls_ca_file(context, identity.ca_file.c_str())},
      {"the time to back off", getdns_context_set_tls_backoff_time(context, kTlsBackoffSeconds)},
  };
  return check(settings);
}

// A lookup that is taken back at once makes libunbound set itself up here rather than in the first one that counts.
Result<void> begin_recursion(getdns_context* context) {
  const auto drop = [](getdns_context*, getdns_callback_type_t, getdns_dict* response, void*, getdns_transaction_t) {
    getdns_dict_destroy(response);
  };
  const std::lock_guard lock(initialisation());
  getdns_transaction_t lookup{};
  const Setting setting{"recursion", getdns_general(context, ".", GETDNS_RRTYPE_NS, nullptr, nullptr, &lookup, drop)};
  getdns_cancel_callback(context, lookup);
  return check({&setting, 1});
}

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// getdns takes an empty list without a word and validates nothing then.
Result<GetdnsList> read_trust_anchors(const std::string& path) {
  const std::unique_ptr<std::FILE, FileCloser> file(std::fopen(path.c_str(), "re"));
  if (file == nullptr) {
    return fail(ErrorKind::Unavailable,
                fmt::format("the trust anchors in {} cannot be read: {}", path, std::strerror(errno)));
  }
  constexpr std::uint32_t kDefaultTtl = 3'600;
  getdns_list* read = nullptr;
  const getdns_return_t result = getdns_fp2rr_list(file.get(), &read, nullptr, kDefaultTtl);
  GetdnsList anchors(read);
  std::size_t count = 0;
  if (result == GETDNS_RETURN_GOOD) getdns_list_get_length(anchors.get(), &count);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t type = 0;
    getdns_dict* record = nullptr;
    const bool good = getdns_list_get_dict(anchors.get(), i, &record) == GETDNS_RETURN_GOOD &&
                      getdns_dict_get_int(record, "type", &type) == GETDNS_RETURN_GOOD;
    if (!good || (type != GETDNS_RRTYPE_DS && type != GETDNS_RRTYPE_DNSKEY)) count = 0;
  }
  if (count == 0) {
    return fail(ErrorKind::Unavailable,
                fmt::format("{} has no trust anchors, or other than DS and DNSKEY records", path));
  }
  return anchors;
}

}  // namespace

Result<GetdnsContext> make_stub_context(GetdnsEventLoop& loop, const IpAddress& server, std::uint16_t port,
                                        DnsTransport transport, const DnsTlsIdentity& identity) {
  auto context = make_context(loop, GETDNS_RESOLUTION_STUB);
  if (!context) return context;
  if (transport == DnsTransport::Tls) {
    if (auto good = require_identity(context->get(), identity); !good) return tl::unexpected(good.error());
  }
  const GetdnsList servers = make_server_list(context->get(), server, port, identity);
  if (servers == nullptr) return fail(ErrorKind::Unavailable, "getdns refuses the server, or a pin of its key");
  const Setting settings[] = {
      {"transports", set_transport(context->get(), transport)},
      {"the upstream server", getdns_context_set_upstream_recursive_servers(context->get(), servers.get())},
      {"the DO bit", getdns_context_set_edns_do_bit(context->get(), 1)},
      {"the idle time", getdns_context_set_idle_timeout(context->get(), kIdleTimeoutMs)},
  };
  if (auto good = check(settings); !good) return tl::unexpected(good.error());
  return context;
}

Result<GetdnsContext> make_recursing_context(GetdnsEventLoop& loop, const RecursionRoots& roots, Milliseconds timeout) {
  const auto anchors = read_trust_anchors(roots.trust_anchor_file);
  if (!anchors) return tl::unexpected(anchors.error());
  auto context = make_context(loop, GETDNS_RESOLUTION_RECURSING);
  if (!context) return context;
  const GetdnsList servers = make_root_list(roots.root_servers);
  const Setting settings[] = {
      {"the trust anchors", getdns_context_set_dnssec_trust_anchors(context->get(), anchors->get())},
      {"the root servers", roots.root_servers.empty()
                               ? GETDNS_RETURN_GOOD
                               : getdns_context_set_dns_root_servers(context->get(), servers.get())},
      {"the time limit", getdns_context_set_timeout(context->get(), static_cast<std::uint64_t>(timeout.count()))},
  };
  if (auto good = check(settings); !good) return tl::unexpected(good.error());
  if (auto begun = begin_recursion(context->get()); !begun) return tl::unexpected(begun.error());
  return context;
}

Result<GetdnsDict> make_all_statuses() {
  GetdnsDict extensions(getdns_dict_create());
  const bool good = extensions != nullptr && getdns_dict_set_int(extensions.get(), "dnssec_return_all_statuses",
                                                                 GETDNS_EXTENSION_TRUE) == GETDNS_RETURN_GOOD;
  if (!good) return fail(ErrorKind::Exhausted, "getdns is out of memory");
  return extensions;
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

std::vector<std::uint8_t> reply_octets(const getdns_dict* response) {
  getdns_bindata* wire = nullptr;
  if (response == nullptr || getdns_dict_get_bindata(response, "/replies_full/0", &wire) != GETDNS_RETURN_GOOD)
    return {};
  return {wire->data, wire->data + wire->size};
}

}  // namespace waxwing
