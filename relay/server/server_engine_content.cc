#include <fmt/format.h>

#include <utility>

#include "relay/server/server_engine.h"

// DATA and BDAT, from the command to the verdict on the message.

namespace waxwing {
namespace {

// Content is handed on in pieces of this size, so that a session holds little of a large message.
constexpr std::size_t kContentPieceOctets = 65'536;

}  // namespace

void SmtpServerEngine::execute(const DataCommand&, MonotonicTime now) {
  if (!in_transaction_) return refuse({503, "5.5.1", {"say MAIL and RCPT first"}}, now);
  if (decoder_) return refuse({503, "5.5.1", {"chunks have come; go on with BDAT"}}, now);
  if (envelope_.recipients.empty()) return refuse({554, "5.5.1", {"no valid recipients"}}, now);
  output_ += "354 end the content with a dot on a line of its own\r\n";
  decoder_.emplace(ContentDecoder::Options{options_.bare_line_ends, options_.long_lines, ContentFraming::Dot});
  content_begun_ = now;
  state_ = State::Content;
  wait_for(Need::Content);
}

void SmtpServerEngine::read_content() {
  const std::size_t before = content_.size();
  const std::size_t consumed = decoder_->decode(input_.view(), content_);
  input_.consume(consumed);
  wire_octets_ += consumed;
  content_octets_ += content_.size() - before;
  if (wire_octets_ > 2 * options_.max_message_octets)
    return end(552, "5.3.4", "the message is far over the limit; closing the connection");
  if (content_octets_ > options_.max_message_octets) content_.clear();
  if (decoder_->ended()) return end_content();
  if (content_.size() >= kContentPieceOctets) wait_for(Need::Content);
}

void SmtpServerEngine::end_content() {
  state_ = State::Busy;
  content_refusal_ = refusal_of_content();
  wait_for(Need::Acceptance);
}

std::optional<ServerReply> SmtpServerEngine::refusal_of_content() const {
  if (!decoder_->flaw().empty()) return ServerReply{550, "5.6.0", {std::string(decoder_->flaw())}};
  if (content_octets_ <= options_.max_message_octets) return std::nullopt;
  return ServerReply{552, "5.3.4", {fmt::format("the limit for a message is {} octets", options_.max_message_octets)}};
}

// The octets of a chunk come whatever we think of it. They are read and dropped when it is refused, since left alone
// they would be read as commands; where their end is not known, or too far, the connection ends.
void SmtpServerEngine::execute(const BdatCommand& command, MonotonicTime now) {
  if (!command.size_octets) return end(501, "5.5.4", "the size of the chunk cannot be read; closing the connection");
  if (!account_) return end(530, "5.7.0", "authentication required; closing the connection");
  if (*command.size_octets > options_.max_message_octets)
    return end(552, "5.3.4", "the chunk is larger than a message may be; closing the connection");
  if (!in_transaction_)
    chunk_refusal_ = ServerReply{503, "5.5.1", {"say MAIL and RCPT first"}};
  else if (envelope_.recipients.empty())
    chunk_refusal_ = ServerReply{554, "5.5.1", {"no valid recipients"}};
  else if (!decoder_)
    decoder_.emplace(ContentDecoder::Options{options_.bare_line_ends, options_.long_lines, ContentFraming::Chunks});
  chunk_octets_ = *command.size_octets;
  chunk_last_ = command.last;
  wire_octets_ = 0;
  content_begun_ = now;
  state_ = State::Chunk;
  if (chunk_octets_ == 0) end_chunk(now);
}

void SmtpServerEngine::read_chunk(MonotonicTime now) {
  const std::string_view octets = input_.view().substr(0, chunk_octets_ - wire_octets_);
  wire_octets_ += octets.size();
  if (!chunk_refusal_) {
    const std::size_t before = content_.size();
    decoder_->decode(octets, content_);
    content_octets_ += content_.size() - before;
    if (content_octets_ > options_.max_message_octets) content_.clear();
  }
  input_.consume(octets.size());
  if (wire_octets_ == chunk_octets_) return end_chunk(now);
  if (content_.size() >= kContentPieceOctets) wait_for(Need::Content);
}

void SmtpServerEngine::end_chunk(MonotonicTime now) {
  std::optional<ServerReply> refusal = std::exchange(chunk_refusal_, std::nullopt);
  if (!refusal && chunk_last_) {
    decoder_->finish(content_);
    return end_content();
  }
  if (!refusal) refusal = refusal_of_content();
  if (refusal) {
    const bool ambiguous = decoder_ && decoder_->is_ambiguous();
    reset_transaction();
    return ambiguous ? end(*refusal) : refuse(*refusal, now);
  }
  reply(250, "2.0.0", fmt::format("{} octets received", chunk_octets_));
  await_command(now);
  if (state_ == State::Idle && content_.size() >= kContentPieceOctets) wait_for(Need::Content);
}

void SmtpServerEngine::resume(MonotonicTime now) {
  need_ = Need::Bytes;
  advance(now);
}

void SmtpServerEngine::on_accepted(std::string_view queue_id, MonotonicTime now) {
  on_delivered({250, "2.0.0", {fmt::format("Ok: queued as {}", queue_id)}}, now);
}

void SmtpServerEngine::on_delivered(const ServerReply& reply, MonotonicTime now) {
  say_verdict(reply);
  reset_transaction();
  await_command(now);
  advance(now);
}

void SmtpServerEngine::on_refused(ServerReply refusal, MonotonicTime now) {
  if (decoder_ && decoder_->is_ambiguous()) {
    for (std::size_t i = 1; i < accepted_rcpts_ && options_.protocol == Protocol::Lmtp; ++i) output_ += refusal.str();
    return end(refusal);
  }
  say_verdict(refusal);
  reset_transaction();
  await_command(now);
  advance(now);
}

// RFC 2033 §4.2: LMTP answers once for each RCPT that was accepted. Here all of them share one verdict.
void SmtpServerEngine::say_verdict(const ServerReply& verdict) {
  const std::size_t times = options_.protocol == Protocol::Lmtp ? accepted_rcpts_ : 1;
  for (std::size_t i = 0; i < times; ++i) output_ += verdict.str();
}

}  // namespace waxwing
