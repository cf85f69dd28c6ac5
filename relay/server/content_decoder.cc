#include "relay/server/content_decoder.h"

#include <algorithm>
#include <utility>

namespace waxwing {
namespace {

constexpr std::string_view kBareLf = "bare LF in the content; lines end with CRLF";
constexpr std::string_view kBareCr = "bare CR in the content; lines end with CRLF";
constexpr std::string_view kNul = "NUL in the content";
constexpr std::string_view kLongLine = "a line of the content is longer than 998 octets";
static_assert(kMaxLineOctets == 998, "the limit is written out above");

// A line is handed on at once up to here; the rest waits until it is known whether it fits.
constexpr std::size_t kHeldFromOctet = 800;

// Looks for an octet again once what was found is behind us.
void find_next(std::string_view octets, char wanted, std::size_t at, std::size_t& found) {
  if (found < at || at == 0) found = std::min(octets.find(wanted, at), octets.size());
}

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

}  // namespace

std::size_t ContentDecoder::decode(std::string_view octets, std::string& content) {
  NextLineEnds next;
  std::size_t at = 0;
  while (at < octets.size() && state_ != State::Ended) {
    if (state_ == State::InLine)
      take_run(octets, at, next, content);
    else
      take_octet(octets[at], at, content);
  }
  return at;
}

// The part of a line up to the next octet that matters; most content goes this way.
void ContentDecoder::take_run(std::string_view octets, std::size_t& at, NextLineEnds& next, std::string& content) {
  find_next(octets, '\r', at, next.cr);
  find_next(octets, '\n', at, next.lf);
  const std::size_t end = std::min(next.cr, next.lf);
  append(octets.substr(at, end - at), content);
  at = end;
  if (at == octets.size()) return;
  if (octets[at] == '\r') state_ = State::Cr;
  if (octets[at] == '\n') lone_line_end(kBareLf, content);
  ++at;
}

// One octet where it depends on what came before; those that are not taken are looked at again in the next state.
void ContentDecoder::take_octet(char octet, std::size_t& at, std::string& content) {
  const State before = std::exchange(state_, State::InLine);
  switch (before) {
    case State::LineStart:
      if (octet != '.' || options_.framing != ContentFraming::Dot) return;
      state_ = State::Dot;
      break;
    case State::Cr:
      if (octet != '\n') return lone_line_end(kBareCr, content);
      end_line(content);
      state_ = State::LineStart;
      break;
    case State::Dot:
      if (octet != '\r') {
        // ".LF" is content that looks like an end: the dot is kept, and the LF is dealt with next.
        if (octet == '\n') append(".", content);
        return;
      }
      state_ = State::DotCr;
      break;
    case State::DotCr:
      if (octet != '\n') {
        append(".", content);
        return lone_line_end(kBareCr, content);
      }
      state_ = State::Ended;
      break;
    case State::InLine:
    case State::Ended:
      return;
  }
  ++at;
}

void ContentDecoder::finish(std::string& content) {
  if (state_ == State::Cr) lone_line_end(kBareCr, content);
  if (line_octets_ > 0) end_line(content);
  state_ = State::Ended;
}

void ContentDecoder::lone_line_end(std::string_view flaw, std::string& content) {
  if (options_.bare_line_ends == BareLineEnds::Fix) return end_line(content);
  if (flaw_.empty()) flaw_ = flaw;
  ambiguous_ = true;
}

void ContentDecoder::end_line(std::string& content) {
  line_octets_ = 0;
  if (!flaw_.empty()) return;
  content += held_;
  content += "\r\n";
  held_.clear();
}

// What stands before a flaw is kept, so that cutting the input changes nothing.
void ContentDecoder::append(std::string_view text, std::string& content) {
  if (!flaw_.empty()) return;
  const std::size_t nul = text.find('\0');
  const std::string_view run = text.substr(0, nul);
  if (options_.long_lines == LongLines::Fix) {
    append_breaking(run, content);
  } else {
    const std::size_t room = kMaxLineOctets - std::min(line_octets_, kMaxLineOctets);
    const bool fits = run.size() <= room || options_.long_lines == LongLines::Pass;
    content += fits ? run : run.substr(0, room);
    line_octets_ += run.size();
    if (!fits) flaw_ = kLongLine;
  }
  if (nul != std::string_view::npos && flaw_.empty()) flaw_ = kNul;
}

void ContentDecoder::append_breaking(std::string_view text, std::string& content) {
  while (!text.empty()) {
    if (line_octets_ == kMaxLineOctets) break_line(continues_character(text.front()), content);
    const bool direct = line_octets_ < kHeldFromOctet;
    const std::string_view part = text.substr(0, (direct ? kHeldFromOctet : kMaxLineOctets) - line_octets_);
    (direct ? content : held_) += part;
    line_octets_ += part.size();
    text.remove_prefix(part.size());
  }
}

// @param inside_character  the next octet belongs to the UTF-8 sequence at the end of the line
void ContentDecoder::break_line(bool inside_character, std::string& content) {
  std::size_t at = held_.find_last_of(" \t");
  std::string_view gap = "\r\n";
  if (at == std::string::npos) {
    constexpr std::size_t kMaxCharacterOctets = 4;
    at = held_.size();
    for (std::size_t back = 0; inside_character && back < kMaxCharacterOctets; ++back)
      inside_character = continues_character(held_[--at]);
    gap = "\r\n ";  // what goes on in the next line must not look like a field of its own
  }
  content.append(held_, 0, at).append(gap);
  const std::string rest = held_.substr(at);
  held_.clear();
  content += rest;  // shorter than what is held back
  line_octets_ = rest.size() + gap.size() - 2;
}

}  // namespace waxwing
