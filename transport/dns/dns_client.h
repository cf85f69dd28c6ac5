#pragma once

#include <functional>
#include <memory>
#include <string>

#include "policy/result.h"
#include "policy/time_point.h"
#include "transport/dns/dns_message.h"
#include "transport/io/endpoint.h"
#include "transport/io/event_loop.h"

namespace waxwing {

enum class DnsCarrier { Udp, Tcp };

/// Speaks to name servers directly, each over one UDP socket and one TCP connection, on which messages overlap (RFC 7766
/// §6.2.1.1). Belongs to its loop's thread; callbacks come in a later turn, exactly once for each message, and none after
/// the client is gone.
class DnsClient {
 public:
  struct Options {
    Milliseconds timeout{5'000};         ///< for the answer to one message
    Milliseconds retransmission{1'500};  ///< of a datagram that got no answer
  };
  /// @errors  NotFound: this host has no route for addresses of that family; Unavailable: no answer in time, or the
  ///          connection failed; Malformed: the answer cannot be read, or the message is none
  using OnReply = std::function<void(Result<DnsMessage>)>;

  DnsClient(EventLoop& loop, Options options);
  ~DnsClient();
  DnsClient(const DnsClient&) = delete;
  DnsClient& operator=(const DnsClient&) = delete;

  /// Asks a question. Answers to other questions, and those with another identifier, are passed over.
  /// @param query  of write_dns_query(); its identifier is replaced by a random one
  void ask(const Endpoint& server, DnsCarrier carrier, std::string query, OnReply on_reply);

  /// Sends a message over TCP as it is, with its own identifier; for those that are signed.
  void send(const Endpoint& server, std::string message, OnReply on_reply);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// A random identifier.
[[nodiscard]] std::uint16_t random_dns_id();

}  // namespace waxwing
