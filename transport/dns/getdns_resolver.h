#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "policy/ip_address.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "transport/dns/dns_tls_identity.h"
#include "transport/dns/resolver.h"
#include "transport/io/event_loop.h"

namespace waxwing {

/// Asks one validating resolver through getdns as a stub, and believes its AD bit if it is on this machine or has proven
/// over TLS who it is. getdns
/// carries the messages; what they say is read by answer_reader.h. Belongs to its loop's thread and does not outlive
/// the loop. Each lookup is tried over UDP (with TCP for truncated replies) and last over TCP alone; or each time over TLS,
/// where a server is asked nothing before it has proven who it is. SERVFAIL is asked
/// again with checking disabled: if that gets a proper answer, validation was what failed, and the answer is Bogus.
/// @source  RFC 4035 §4.9.3, RFC 6840 §5.7, RFC 7858 §3, RFC 8310 §5
class GetdnsResolver final : public Resolver {
 public:
  struct Options {
    IpAddress server;  ///< without TLS, from any but a loopback address the AD bit is ignored: everything is Insecure
    std::uint16_t port = 53;
    std::optional<DnsTlsIdentity> tls{};  ///< asks over TLS a server that must prove this; no value: UDP and TCP
    std::array<Milliseconds, 3> attempt_timeouts = {Milliseconds(2'000), Milliseconds(3'000), Milliseconds(5'000)};
    std::uint16_t max_outstanding = 100;  ///< lookups in flight, each with a socket; more wait for their turn
  };

  /// @errors  Unavailable: getdns refuses a setting; the detail names it
  [[nodiscard]] static Result<std::unique_ptr<GetdnsResolver>> create(EventLoop& loop, const Options& options);

  ~GetdnsResolver() override;
  GetdnsResolver(const GetdnsResolver&) = delete;
  GetdnsResolver& operator=(const GetdnsResolver&) = delete;

  void resolve(const Question& question, OnAnswer on_answer) override;

 private:
  struct Impl;
  explicit GetdnsResolver(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace waxwing
