#include "transport/dns/validation_gate.h"

#include <fmt/format.h>

#include <utility>

namespace waxwing {
namespace {

bool decides_about_tls(RecordType type) {
  switch (type) {
    case RecordType::MX:
    case RecordType::A:
    case RecordType::AAAA:
    case RecordType::CNAME:
    case RecordType::TLSA:
      return true;
    case RecordType::TXT:
    case RecordType::PTR:
      return false;
  }
  return true;
}

}  // namespace

ValidationGate::ValidationGate(Resolver& inner, ValidationProbe& probe, std::string server_name)
    : inner_(inner), state_(std::make_shared<const State>(State{probe, std::move(server_name)})) {}

ValidationGate::~ValidationGate() = default;

void ValidationGate::resolve(const Question& question, OnAnswer on_answer) {
  if (!decides_about_tls(question.type)) {
    inner_.resolve(question, std::move(on_answer));
    return;
  }
  inner_.resolve(question, [weak = std::weak_ptr(state_), on_answer = std::move(on_answer)](const Answer& answer) {
    const auto state = weak.lock();
    if (state == nullptr) return;
    if (answer.status != Answer::Status::Insecure) {
      on_answer(answer);
      return;
    }
    state->probe.when_known([weak, on_answer, answer] {
      if (const auto known = weak.lock()) on_answer(known->judge(answer));
    });
  });
}

Answer ValidationGate::State::judge(const Answer& answer) const {
  if (probe.validates()) return answer;
  const bool not_validating = probe.state() == ValidationProbe::State::NotValidating;
  Answer failure;
  failure.detail =
      fmt::format("the resolver at {} {}", server_name,
                  not_validating ? "does not validate DNSSEC" : "could not prove that it validates DNSSEC");
  return failure;
}

}  // namespace waxwing
