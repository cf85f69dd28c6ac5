#include "relay/server/content_decoder.h"

namespace waxwing {
namespace {

constexpr std::string_view kBareLf = "bare LF in the content; lines end with CRLF";
constexpr std::string_view kBareCr = "bare CR in the content; lines end with CRLF";
constexpr std::string_view kNul = "NUL in the content";

}  // namespace

void ContentDecoder::line_end(std::string_view flaw, std::string& content) {
  if (mode_ == BareLineEnds::Reject) {
    if (flaw_.empty()) flaw_ = flaw;
    return;
  }
  ++fixed_;
  line_open_ = false;
  if (flaw_.empty()) content += "\r\n";
}

// The part of a line up to the next octet that matters; most content goes this way.
std::size_t ContentDecoder::decode_run(std::string_view octets, std::string& content) {
  const std::size_t line = octets.find('\n');
  std::size_t length = octets.substr(0, line).find('\r');
  if (length == std::string_view::npos) length = line == std::string_view::npos ? octets.size() : line;
  const std::string_view run = octets.substr(0, length);
  const std::size_t nul = run.find('\0');
  if (flaw_.empty()) content += run.substr(0, nul);
  if (nul != std::string_view::npos && flaw_.empty()) flaw_ = kNul;
  line_open_ = line_open_ || length > 0;
  return length;
}

void ContentDecoder::finish(std::string& content) {
  if (state_ == State::Cr) line_end(kBareCr, content);
  if (line_open_ && flaw_.empty()) content += "\r\n";
  state_ = State::Ended;
}

std::size_t ContentDecoder::decode(std::string_view octets, std::string& content) {
  std::size_t at = 0;
  while (at < octets.size() && state_ != State::Ended) {
    const char octet = octets[at];
    switch (state_) {
      case State::LineStart:
        state_ = octet == '.' && framing_ == ContentFraming::Dot ? State::Dot : State::InLine;
        if (state_ == State::Dot) ++at;
        break;
      case State::InLine:
        at += decode_run(octets.substr(at), content);
        if (at == octets.size()) break;
        if (octets[at] == '\r') state_ = State::Cr;
        if (octets[at] == '\n') line_end(kBareLf, content);
        ++at;
        break;
      case State::Cr:
        if (octet == '\n') {
          if (flaw_.empty()) content += "\r\n";
          line_open_ = false;
          state_ = State::LineStart;
          ++at;
        } else {
          line_end(kBareCr, content);
          state_ = State::InLine;
        }
        break;
      case State::Dot:
        if (octet == '\r') {
          state_ = State::DotCr;
          ++at;
          break;
        }
        // ".LF" is content that looks like an end: the dot is kept, and line_end() deals with the LF.
        if (octet == '\n' && flaw_.empty()) content += '.';
        state_ = State::InLine;
        break;
      case State::DotCr:
        if (octet == '\n') {
          state_ = State::Ended;
          ++at;
          break;
        }
        if (flaw_.empty()) content += '.';
        line_end(kBareCr, content);
        state_ = State::InLine;
        break;
      case State::Ended:
        break;
    }
  }
  return at;
}

}  // namespace waxwing
