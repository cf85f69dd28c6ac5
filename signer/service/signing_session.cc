#include "signer/service/signing_session.h"

namespace waxwing {

void SigningSession::append(std::string_view octets) {
  if (!over_) reader_.append(octets);
}

std::optional<std::string> SigningSession::next(MonotonicTime now) {
  if (over_) return std::nullopt;
  const auto frame = reader_.next();
  if (!frame) return refuse_all(frame.error());
  if (!*frame) return std::nullopt;
  const auto request = decode_request(**frame);
  if (!request) return refuse_all(request.error());
  const SigningAnswer answer = service_.answer(request->content, now);
  if (const auto* refused = std::get_if<RefusedAnswer>(&answer)) {
    const auto* sign = std::get_if<SignRequest>(&request->content);
    note(sign == nullptr ? "" : sign->domain.str(), refused->error);
  }
  return encode_answer(request->id, answer);
}

// What follows is not looked at: where a frame begins is not known any more.
std::string SigningSession::refuse_all(const Error& error) {
  over_ = true;
  note("", error);
  return encode_answer(0, RefusedAnswer{error});
}

void SigningSession::note(std::string domain, const Error& error) {
  if (refusals_.size() < kMaxKeptRefusals) refusals_.push_back({std::move(domain), error});
}

}  // namespace waxwing
