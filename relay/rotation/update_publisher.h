#pragma once

#include <functional>
#include <memory>
#include <string>

#include "policy/time_point.h"
#include "relay/rotation/publisher.h"
#include "transport/dns/dns_client.h"
#include "transport/dns/tsig.h"
#include "transport/io/endpoint.h"

namespace waxwing {

/// Changes the zone on its primary server by signed updates (RFC 2136, RFC 8945). The server says which zone a name is
/// in. A record of ours is added only where there is none, and removed by its data.
class UpdatePublisher final : public Publisher {
 public:
  UpdatePublisher(Endpoint server, TsigKey key, unsigned ttl_seconds, Milliseconds timeout);
  ~UpdatePublisher() override;

  /// Waits for the server's answer.
  Result<void> carry_out(const RotationAction& action, const std::string& name, const RotationState& state) override;

 private:
  [[nodiscard]] Result<DnsMessage> ask(const std::string& name, std::uint16_t type);
  [[nodiscard]] Result<DnsMessage> exchange(const std::function<void(DnsClient&, DnsClient::OnReply)>& start);
  [[nodiscard]] Result<std::string> find_zone(const std::string& name);
  [[nodiscard]] Result<unsigned> update(const Result<std::string>& message);
  [[nodiscard]] Result<void> explain_refusal(const RotationAction& action, const std::string& name, unsigned rcode);
  [[nodiscard]] std::string who() const;

  EventLoop loop_;
  DnsClient client_;
  Endpoint server_;
  TsigKey key_;
  unsigned ttl_seconds_;
};

}  // namespace waxwing
