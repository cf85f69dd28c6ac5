#pragma once

#include <sys/types.h>

#include <cstdint>

namespace waxwing::bench {

/// A resolver in a process of its own, which answers over UDP on 127.0.0.1 from nothing but the question, with AD: each
/// domain has one MX host `mx.<domain>`, which has one IPv4 address and one TLSA record; TXT names do not exist. Ends
/// with this object.
class DnsResponder {
 public:
  /// Aborts when there is no socket or process to be had.
  DnsResponder();
  ~DnsResponder();
  DnsResponder(const DnsResponder&) = delete;
  DnsResponder& operator=(const DnsResponder&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

  /// CPU time that it has used.
  [[nodiscard]] double cpu_ms() const;

 private:
  pid_t child_ = 0;
  std::uint16_t port_ = 0;
};

}  // namespace waxwing::bench
