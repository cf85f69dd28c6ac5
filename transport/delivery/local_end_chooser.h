#pragma once

#include <optional>
#include <span>
#include <string>

#include "policy/delivery_stage.h"
#include "policy/ip_address.h"
#include "policy/time_point.h"
#include "transport/delivery/local_end.h"
#include "transport/smtp/reply.h"

namespace waxwing {

/// Decides, for one attempt, from which end of ours each host is contacted. Asked on the agent's thread.
class LocalEndChooser {
 public:
  virtual ~LocalEndChooser() = default;

  struct Choice {
    std::optional<LocalEnd> end;    ///< no value: this host cannot be contacted now
    std::string reason;             ///< then: one sentence
    std::optional<WallTime> until;  ///< then: when it can be; no value: unknown
  };
  /// Asked before each connection.
  /// @param addresses  of the host, those that are still to be tried; what is chosen reaches one of them at least
  [[nodiscard]] virtual Choice choose(const std::string& mx_name, std::span<const IpAddress> addresses) = 0;

  /// Takes a reply by which the host refused something to the end that was chosen last; perhaps twice.
  /// @param stage  what the reply answered
  /// @return  when another attempt may be made, where the reply is about our end rather than about message and recipient
  [[nodiscard]] virtual std::optional<WallTime> on_refused(const std::string& mx_name, const SmtpReply& reply,
                                                           DeliveryStage stage) = 0;

  /// Hears that this host lacks the address of the end that was chosen last.
  /// @return  as on_refused()
  [[nodiscard]] virtual std::optional<WallTime> on_unusable(const std::string& detail) = 0;
};

/// The same end for all.
class OneLocalEnd final : public LocalEndChooser {
 public:
  explicit OneLocalEnd(LocalEnd end) : end_(std::move(end)) {}

  Choice choose(const std::string& /*mx_name*/, std::span<const IpAddress> /*addresses*/) override {
    return {end_, {}, {}};
  }
  std::optional<WallTime> on_refused(const std::string& /*mx_name*/, const SmtpReply& /*reply*/,
                                     DeliveryStage /*stage*/) override {
    return std::nullopt;
  }

  std::optional<WallTime> on_unusable(const std::string& /*detail*/) override { return std::nullopt; }

 private:
  const LocalEnd end_;
};

}  // namespace waxwing
