#pragma once

#include <memory>
#include <string>

#include "transport/dns/resolver.h"
#include "transport/dns/validation_probe.h"

namespace waxwing {

/// Passes a resolver's answers on, but turns Insecure ones for the types that decide about TLS (MX, A, AAAA, CNAME,
/// TLSA) into Failed while the probe says that the resolver does not validate: a lookup that could not be validated is
/// never read as "nothing published". Such answers wait while the probe's first result is outstanding. Stands below the
/// cache, so that the cache keeps no Insecure answer from such a time for longer than a failure; when the probe's state
/// leaves Validating, the owner clears the cache.
class ValidationGate final : public Resolver {
 public:
  /// @param inner        asked for everything; outlives this object
  /// @param probe        outlives this object
  /// @param server_name  for details, e.g. "127.0.0.1"
  ValidationGate(Resolver& inner, ValidationProbe& probe, std::string server_name);
  ~ValidationGate() override;
  ValidationGate(const ValidationGate&) = delete;
  ValidationGate& operator=(const ValidationGate&) = delete;

  void resolve(const Question& question, OnAnswer on_answer) override;

 private:
  struct State {
    ValidationProbe& probe;
    std::string server_name;
    [[nodiscard]] Answer judge(const Answer& answer) const;
  };
  Resolver& inner_;
  std::shared_ptr<const State> state_;
};

}  // namespace waxwing
