#include "signer/message_reader.h"

#include <algorithm>
#include <cassert>

namespace waxwing {
namespace {

constexpr std::string_view kCrlf = "\r\n";
constexpr std::string_view kHeaderEnd = "\r\n\r\n";

}  // namespace

Result<std::string_view> MessageReader::read(std::string_view chunk) {
  assert(state_ != State::Complete);
  if (state_ == State::Body) return chunk;
  return read_header(chunk);
}

Result<std::string_view> MessageReader::read_header(std::string_view chunk) {
  const std::size_t known = header_.size();
  // Only what can still be header is copied, however large the chunk.
  header_.append(
      chunk.substr(0, kMaxHeaderOctets + kHeaderEnd.size() - std::min(known, kMaxHeaderOctets + kHeaderEnd.size())));

  std::size_t block_size = 0;
  std::size_t body_at = kCrlf.size();
  if (!header_.starts_with(kCrlf)) {
    const std::size_t end = header_.find(kHeaderEnd, known - std::min(known, kHeaderEnd.size() - 1));
    if (end == std::string::npos) {
      if (header_.size() > kMaxHeaderOctets + kCrlf.size()) return tl::unexpected(parse_header_block(header_).error());
      return std::string_view();
    }
    block_size = end + kCrlf.size();
    body_at = end + kHeaderEnd.size();
  }
  header_.resize(block_size);
  if (auto entered = enter_body(); !entered) return tl::unexpected(entered.error());
  return chunk.substr(body_at - known);
}

Result<void> MessageReader::enter_body() {
  auto fields = parse_header_block(header_);
  if (!fields) return tl::unexpected(fields.error());
  fields_ = std::move(*fields);
  state_ = State::Body;
  return {};
}

Result<void> MessageReader::finish() {
  assert(state_ != State::Complete);
  if (state_ == State::Header) {
    if (auto entered = enter_body(); !entered) return entered;
  }
  state_ = State::Complete;
  return {};
}

}  // namespace waxwing
