#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policy/ip_address.h"
#include "transport/dns/dns_client.h"
#include "transport/dns/dns_message.h"

namespace waxwing {

/// A question to one server over one carrier.
struct ServerQuestion {
  std::optional<IpAddress> server;  ///< no value: the validating resolver
  DnsCarrier carrier = DnsCarrier::Udp;
  std::string name;  ///< as Question::name
  std::uint16_t type = 0;
  friend auto operator<=>(const ServerQuestion&, const ServerQuestion&) = default;
};

/// What came back.
struct ServerAnswer {
  enum class Kind {
    Answered,    ///< `message` is its reply
    Silent,      ///< no reply in time, or none that can be read
    Unroutable,  ///< this host cannot reach addresses of that family at all
  };
  Kind kind = Kind::Silent;
  DnsMessage message;
  std::string detail;  ///< phrase for people, unless Answered
};

/// The answers that a look works on, as Answers (policy/lookup.h) are for rules: a pure function notes what it is
/// missing, somebody asks, and the function is called again from its start.
class ServerAnswers {
 public:
  /// Returns the answer, or nullptr after noting the question as missing.
  [[nodiscard]] const ServerAnswer* find(const ServerQuestion& question) {
    const auto found = known_.find(question);
    if (found != known_.end()) return found->second.get();
    missing_.push_back(question);
    return nullptr;
  }

  void add(const ServerQuestion& question, std::shared_ptr<const ServerAnswer> answer) {
    known_[question] = std::move(answer);
  }

  /// What was missing since the last call.
  [[nodiscard]] std::vector<ServerQuestion> take_missing() { return std::exchange(missing_, {}); }

 private:
  std::map<ServerQuestion, std::shared_ptr<const ServerAnswer>> known_;
  std::vector<ServerQuestion> missing_;
};

}  // namespace waxwing
