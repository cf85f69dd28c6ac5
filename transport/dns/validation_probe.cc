#include "transport/dns/validation_probe.h"

#include <utility>

namespace waxwing {

ValidationProbe::ValidationProbe(Resolver& resolver, Options options, std::function<void(Milliseconds)> start_timer)
    : resolver_(resolver),
      options_(std::move(options)),
      start_timer_(std::move(start_timer)),
      alive_(std::make_shared<const bool>(true)) {}

ValidationProbe::~ValidationProbe() = default;

void ValidationProbe::probe() {
  resolver_.resolve(options_.question, [this, alive = std::weak_ptr(alive_)](const Answer& answer) {
    if (!alive.expired()) on_answer(answer);
  });
}

void ValidationProbe::when_known(std::function<void()> on_known) {
  if (state_ == State::Unknown) {
    waiting_.push_back(std::move(on_known));
  } else {
    on_known();
  }
}

void ValidationProbe::on_answer(const Answer& answer) {
  State state = State::Unreachable;
  if (answer.status == Answer::Status::Secure) {
    state = State::Validating;
    detail_.clear();
  } else if (answer.status == Answer::Status::Insecure) {
    state = State::NotValidating;
    detail_ = "the resolver does not validate DNSSEC";
  } else {
    detail_ = "the resolver cannot be asked: " + answer.detail;
  }
  start_timer_(state == State::Validating ? options_.interval : options_.retry_interval);
  const bool changed = std::exchange(state_, state) != state;
  const std::weak_ptr<const bool> alive = alive_;
  // Copies: the owner may destroy the probe or replace the callback.
  if (const auto on_change = on_change_; changed && on_change) on_change(state);
  if (alive.expired()) return;
  for (const std::function<void()>& on_known : std::exchange(waiting_, {})) {
    on_known();
    if (alive.expired()) return;
  }
}

}  // namespace waxwing
