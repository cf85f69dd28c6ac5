#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "policy/lookup.h"
#include "policy/time_point.h"
#include "transport/dns/resolver.h"

namespace waxwing {

/// Finds out, at start and again and again, whether the resolver really validates: it asks for a name that is known to
/// be signed and expects AD. When a resolver stops validating, its answers look like those of a world without DNSSEC,
/// and every decision that rests on "Insecure" would silently become weaker. Belongs to its loop's thread.
class ValidationProbe {
 public:
  enum class State {
    Unknown,        ///< the first probe has not come back
    Validating,     ///< the signed name is Secure
    NotValidating,  ///< the signed name is Insecure: its DNSSEC data is ignored or stripped
    Unreachable,    ///< the signed name got no usable answer
  };
  struct Options {
    Question question{".", RecordType::A};  ///< signed; it need not have records, for absence is signed too
    Seconds interval{3'600};                ///< after Validating
    Seconds retry_interval{30};             ///< after anything else
  };

  /// @param resolver     the one to judge, not one that caches; outlives this object
  /// @param start_timer  makes the owner call probe() after that time; a later call replaces an earlier one
  ValidationProbe(Resolver& resolver, Options options, std::function<void(Milliseconds)> start_timer);
  ~ValidationProbe();
  ValidationProbe(const ValidationProbe&) = delete;
  ValidationProbe& operator=(const ValidationProbe&) = delete;

  /// Asks now. The owner calls it once at start and then whenever the timer that start_timer set has expired.
  void probe();

  /// Whether "Insecure" from this resolver means that a zone is not signed.
  [[nodiscard]] bool validates() const { return state_ == State::Validating; }
  [[nodiscard]] State state() const { return state_; }

  /// Why it does not validate, for people; empty when it does or nothing is known.
  [[nodiscard]] const std::string& detail() const { return detail_; }

  /// Calls back when the first probe has come back; at once if it has. Nobody is called after the probe is gone.
  void when_known(std::function<void()> on_known);

  /// Whom to tell of each change of state; he may clear caches.
  void set_on_change(std::function<void(State)> on_change) { on_change_ = std::move(on_change); }

 private:
  void on_answer(const Answer& answer);

  Resolver& resolver_;
  const Options options_;
  const std::function<void(Milliseconds)> start_timer_;
  std::function<void(State)> on_change_;
  std::vector<std::function<void()>> waiting_;
  State state_ = State::Unknown;
  std::string detail_;
  const std::shared_ptr<const bool> alive_;  ///< its end tells callbacks that come late
};

}  // namespace waxwing
