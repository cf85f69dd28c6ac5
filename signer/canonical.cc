#include "signer/canonical.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "policy/ascii.h"
#include "signer/space_reduction.h"
#include "signer/space_scan.h"

namespace waxwing {
namespace {

constexpr std::string_view kCrlf = "\r\n";
constexpr std::size_t kDirectOctets = 1'024;  ///< from this size on, copying costs more than one more call of the sink

constexpr std::size_t kSliceOctets = 4'096;  ///< white space is reduced in so many octets at a time

constexpr std::size_t kLineEndsPerPiece = 256;
constexpr auto kLineEnds = [] {
  std::array<char, 2 * kLineEndsPerPiece> octets{};
  for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = i % 2 == 0 ? '\r' : '\n';
  return octets;
}();

bool is_wsp(char c) {
  return c == ' ' || c == '\t';
}

/// Not find_first_not_of(), which calls memchr for each octet.
std::string_view without_leading_space(std::string_view text) {
  std::size_t count = 0;
  while (count < text.size() && is_wsp(text[count])) ++count;
  return text.substr(count);
}

std::string_view without_trailing_space(std::string_view text) {
  while (!text.empty() && is_wsp(text.back())) text.remove_suffix(1);
  return text;
}

void append_relaxed_name(std::string_view name, std::string& out) {
  for (const char c : without_trailing_space(name)) out.push_back(ascii_lower(c));
}

/// Unfolds, makes each run of white space one space, and drops it at both ends.
void append_relaxed_value(std::string_view value, std::string& out) {
  bool space = false;
  bool begun = false;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (c == '\r' && value.substr(i, kCrlf.size()) == kCrlf) {
      ++i;
    } else if (is_wsp(c)) {
      space = true;
    } else {
      if (space && begun) out.push_back(' ');
      std::size_t end = i + 1;
      while (end < value.size() && !is_wsp(value[end]) && value[end] != '\r') ++end;
      out.append(value.substr(i, end - i));
      i = end - 1;
      begun = true;
      space = false;
    }
  }
}

}  // namespace

std::string_view canonicalization_name(Canonicalization canonicalization) {
  return canonicalization == Canonicalization::Simple ? "simple" : "relaxed";
}

void append_canonical_field(std::string_view raw, Canonicalization canonicalization, std::string& out) {
  if (raw.ends_with(kCrlf)) raw.remove_suffix(kCrlf.size());
  if (canonicalization == Canonicalization::Simple) {
    out.append(raw);
  } else {
    const std::size_t colon = std::min(raw.find(':'), raw.size());
    append_relaxed_name(raw.substr(0, colon), out);
    out.push_back(':');
    append_relaxed_value(raw.substr(std::min(colon + 1, raw.size())), out);
  }
  out.append(kCrlf);
}

void BodyCanonicalizer::update(std::string_view chunk, OctetSink& sink) {
  chunk = resolve_carriage_return(chunk, sink);
  if (chunk.ends_with('\r')) {
    pending_carriage_return_ = true;
    chunk.remove_suffix(1);
  }
  if (canonicalization_ == Canonicalization::Simple) return take_lines(chunk, sink);
  while (true) {
    if (pending_space_) chunk = without_leading_space(chunk);
    if (chunk.empty()) return;
    const std::size_t clean = find_reducible_space(chunk);
    if (clean >= kDirectOctets || clean == chunk.size()) {
      take_lines(chunk.substr(0, clean), sink);
      chunk.remove_prefix(clean);
    } else {
      chunk.remove_prefix(take_reduced(chunk, sink));
    }
  }
}

/// Takes up to kSliceOctets of the chunk, which does not begin with white space that counts, with their white space
/// reduced. Returns how many they were.
std::size_t BodyCanonicalizer::take_reduced(std::string_view chunk, OctetSink& sink) {
  std::string_view slice = chunk.substr(0, kSliceOctets);
  if (slice.ends_with('\r') && chunk.substr(slice.size() - 1, kCrlf.size()) == kCrlf) {
    slice = chunk.substr(0, slice.size() + 1);
  }
  const std::string_view decided = without_trailing_space(slice);
  std::array<char, kSliceOctets + 1> reduced;
  take_lines({reduced.data(), reduce_spaces(decided, reduced.data())}, sink);
  pending_space_ = pending_space_ || decided.size() < slice.size();
  return slice.size();
}

/// Settles a CR that ended the last chunk; returns what is left of this one.
std::string_view BodyCanonicalizer::resolve_carriage_return(std::string_view chunk, OctetSink& sink) {
  if (!pending_carriage_return_ || chunk.empty()) return chunk;
  pending_carriage_return_ = false;
  if (chunk.front() != '\n') {
    put_content("\r", sink);
    return chunk;
  }
  take_lines(kCrlf, sink);
  return chunk.substr(1);
}

/// Takes octets in which only the line ends at both edges need care.
void BodyCanonicalizer::take_lines(std::string_view run, OctetSink& sink) {
  while (run.starts_with(kCrlf)) {
    pending_space_ = false;
    ++pending_line_ends_;
    run.remove_prefix(kCrlf.size());
  }
  std::uint64_t trailing = 0;
  while (run.ends_with(kCrlf)) {
    ++trailing;
    run.remove_suffix(kCrlf.size());
  }
  if (run.empty()) return;
  put_content(run, sink);
  pending_line_ends_ = trailing;
}

/// Puts octets that begin and end with something other than a line end, after what they make count.
void BodyCanonicalizer::put_content(std::string_view content, OctetSink& sink) {
  has_content_ = true;
  while (pending_line_ends_ > 0) {
    const std::uint64_t count = std::min<std::uint64_t>(pending_line_ends_, kLineEndsPerPiece);
    put(std::string_view(kLineEnds.data(), kCrlf.size() * static_cast<std::size_t>(count)), sink);
    pending_line_ends_ -= count;
  }
  if (std::exchange(pending_space_, false)) put(" ", sink);
  put(content, sink);
}

void BodyCanonicalizer::put(std::string_view octets, OctetSink& sink) {
  if (octets.size() > buffer_.size() - buffered_ || octets.size() >= kDirectOctets) flush(sink);
  if (octets.size() >= kDirectOctets) return sink.put(octets);
  std::memcpy(buffer_.data() + buffered_, octets.data(), octets.size());
  buffered_ += octets.size();
}

void BodyCanonicalizer::flush(OctetSink& sink) {
  if (buffered_ > 0) sink.put({buffer_.data(), std::exchange(buffered_, 0)});
}

void BodyCanonicalizer::finish(OctetSink& sink) {
  if (std::exchange(pending_carriage_return_, false)) put_content("\r", sink);
  // One line end closes the body, whether it had many or none.
  if (has_content_ || canonicalization_ == Canonicalization::Simple) put(kCrlf, sink);
  flush(sink);
}

}  // namespace waxwing
