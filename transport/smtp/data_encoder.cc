#include "transport/smtp/data_encoder.h"

namespace waxwing {
namespace {

tl::unexpected<Error> bare(std::string_view what) {
  return fail(ErrorKind::Malformed, "content has a bare " + std::string(what));
}

}  // namespace

Result<void> DataEncoder::append(std::string_view content, std::string& out) {
  out.reserve(out.size() + content.size() + content.size() / 64 + 8);
  while (!content.empty()) {
    if (after_cr_ && content.front() != '\n') return bare("CR");
    if (at_line_start_ && content.front() == '.' && form_ == Form::Data) out += '.';
    const std::size_t lf = content.find('\n');
    const std::string_view piece = content.substr(0, lf == std::string_view::npos ? lf : lf + 1);
    const std::size_t cr = piece.find('\r');
    if (lf == std::string_view::npos) {
      if (cr != std::string_view::npos && cr + 1 != piece.size()) return bare("CR");
      after_cr_ = cr != std::string_view::npos;
    } else {
      const bool crlf = piece.size() == 1 ? after_cr_ : cr + 2 == piece.size();
      if (!crlf) return bare(cr == std::string_view::npos ? "LF" : "CR");
      after_cr_ = false;
    }
    at_line_start_ = lf != std::string_view::npos;
    out += piece;
    content.remove_prefix(piece.size());
  }
  return {};
}

Result<void> DataEncoder::finish(std::string& out) {
  if (after_cr_) return bare("CR");
  if (form_ == Form::Chunk) return {};
  out += at_line_start_ ? ".\r\n" : "\r\n.\r\n";
  return {};
}

}  // namespace waxwing
