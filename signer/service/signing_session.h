#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/result.h"
#include "policy/time_point.h"
#include "signer/service/signing_service.h"

namespace waxwing {

/// Why a request was not granted, for the log.
struct Refusal {
  std::string domain;  ///< of the request; empty when it could not be read
  Error error;
};

/// One connection to waxwing-signer: octets in, octets out. Requests are answered in their order; after the first frame
/// that cannot be read the connection is of no more use.
class SigningSession {
 public:
  static constexpr std::size_t kMaxKeptRefusals = 16;

  explicit SigningSession(SigningService& service) : service_(service) {}

  /// Takes what came.
  void append(std::string_view octets);

  /// Answers the next request that has come whole.
  /// @return  what to send; no value: more octets are needed, or the session is over
  [[nodiscard]] std::optional<std::string> next(MonotonicTime now);

  /// Whether to close once all is sent.
  [[nodiscard]] bool is_over() const { return over_; }

  /// Requests that were refused since this was last called, the first kMaxKeptRefusals of them.
  [[nodiscard]] std::vector<Refusal> take_refusals() { return std::exchange(refusals_, {}); }

 private:
  void note(std::string domain, const Error& error);
  [[nodiscard]] std::string refuse_all(const Error& error);

  SigningService& service_;
  FrameReader reader_;
  std::vector<Refusal> refusals_;
  bool over_ = false;
};

}  // namespace waxwing
