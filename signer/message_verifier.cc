#include "signer/message_verifier.h"

#include <cassert>

namespace waxwing {

void MessageVerifier::begin_body() {
  if (dkim_ || !reader_.has_header()) return;
  dkim_.emplace(reader_.fields(), digests_);
  arc_.emplace(reader_.fields(), digests_);
}

Result<void> MessageVerifier::feed(std::string_view chunk) {
  const auto body = reader_.read(chunk);
  if (!body) return tl::unexpected(body.error());
  begin_body();
  if (!body->empty()) digests_.update(*body);
  return {};
}

Result<void> MessageVerifier::finish() {
  if (auto finished = reader_.finish(); !finished) return finished;
  begin_body();
  digests_.finish();
  return {};
}

std::optional<SignatureVerdicts> MessageVerifier::verify(Answers& answers, WallTime now) const {
  assert(dkim_ && arc_);
  // Both note their questions before either gives up, so that all keys are asked for in one round.
  auto dkim = dkim_->verify(answers, now);
  auto arc = arc_->validate(answers, now);
  if (!dkim || !arc) return std::nullopt;
  return SignatureVerdicts{std::move(*dkim), std::move(*arc)};
}

}  // namespace waxwing
