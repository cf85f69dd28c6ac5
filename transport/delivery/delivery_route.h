#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "transport/destination/route.h"
#include "transport/smtp/sasl_client.h"

namespace waxwing {

/// What a route logs in with, exchanged as a whole when the operator changes the password. Thread-safe.
class LoginSlot {
 public:
  void set(std::shared_ptr<const SmtpLogin> login) {
    const std::lock_guard lock(mutex_);
    login_ = std::move(login);
  }
  /// @return  nullptr: nothing was set yet
  [[nodiscard]] std::shared_ptr<const SmtpLogin> get() const {
    const std::lock_guard lock(mutex_);
    return login_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const SmtpLogin> login_;
};

/// A route as deliveries need it.
struct DeliveryRoute {
  std::shared_ptr<const Route> plan;
  std::shared_ptr<const LoginSlot> login{};  ///< set where plan->tls.logs_in
};

}  // namespace waxwing
