#pragma once

#include <memory>
#include <string>

#include "keys/rotation.h"
#include "policy/result.h"

namespace waxwing {

/// Brings key records into the DNS and out of it. What is there already, or gone already, is no mistake: every order may
/// be repeated. Records of others at the same name are left alone.
class Publisher {
 public:
  Publisher() = default;
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  virtual ~Publisher() = default;

  /// Carries out Publish, Withdraw or Revoke.
  /// @param name    where the record belongs
  /// @param state   all that is to be published for the domain after this
  /// @errors        Conflict: somebody else's record is in the way; Denied: we may not; Unavailable: try again later;
  ///                the detail names the remedy
  [[nodiscard]] virtual Result<void> carry_out(const RotationAction& action, const std::string& name,
                                               const RotationState& state) = 0;

  /// Says that no more orders come now.
  [[nodiscard]] virtual Result<void> finish() { return {}; }
};

/// What a withdrawn record says once its key is revoked.
/// @source  RFC 6376 §3.6.1 (p=)
inline constexpr const char* kRevokedRecord = "v=DKIM1; p=";

/// Leaves publishing to the operator.
class ManualPublisher final : public Publisher {
 public:
  Result<void> carry_out(const RotationAction& action, const std::string& name, const RotationState& state) override;
};

/// Writes `<folder>/<domain>.zone`, to be included in the domain's zone ($INCLUDE), and has the server told at the end.
class ZoneFilePublisher final : public Publisher {
 public:
  /// @param reload  program that is run after files have changed; empty: none
  ZoneFilePublisher(std::string folder, std::string reload, unsigned ttl_seconds);
  Result<void> carry_out(const RotationAction& action, const std::string& name, const RotationState& state) override;
  Result<void> finish() override;

 private:
  std::string folder_;
  std::string reload_;
  unsigned ttl_seconds_;
  bool changed_ = false;
};

/// Has a program do it: `PROGRAM publish|withdraw|revoke NAME TTL TEXT`, where exit status 0 means that the provider has
/// accepted it, and what it prints on standard error is the reason of a failure. It must stand being told again.
class CommandPublisher final : public Publisher {
 public:
  CommandPublisher(std::string program, unsigned ttl_seconds)
      : program_(std::move(program)), ttl_seconds_(ttl_seconds) {}
  Result<void> carry_out(const RotationAction& action, const std::string& name, const RotationState& state) override;

 private:
  std::string program_;
  unsigned ttl_seconds_;
};

}  // namespace waxwing
