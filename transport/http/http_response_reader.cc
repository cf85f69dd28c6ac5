#include "transport/http/http_response_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <utility>

#include "policy/ascii.h"
#include "transport/http/http_field.h"

namespace waxwing {
namespace {

/// A number without sign, space or prefix.
std::optional<std::size_t> parse_number(std::string_view text, int base) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_text_octet(char c) {
  return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

}  // namespace

HttpResponseReader::HttpResponseReader(std::size_t max_body_octets) : max_body_octets_(max_body_octets) {}

HttpResponseReader::State HttpResponseReader::feed(std::string_view octets) {
  while (!octets.empty() && phase_ != Phase::Done) {
    if (phase_ == Phase::SizedBody || phase_ == Phase::OpenBody || phase_ == Phase::ChunkData) {
      read_body(octets);
    } else if (take_line(octets)) {
      const std::string line = std::exchange(line_, {});
      read_line(line);
    }
  }
  return state();
}

HttpResponseReader::State HttpResponseReader::end_of_stream() {
  if (phase_ == Phase::OpenBody) {
    finish();
  } else if (phase_ != Phase::Done) {
    refuse(ErrorKind::Unavailable, "the HTTP response was cut off");
  }
  return state();
}

Result<HttpResponse> HttpResponseReader::take_result() {
  assert(phase_ == Phase::Done);
  if (error_) return tl::unexpected(std::move(*error_));
  return std::move(response_);
}

/// Moves octets into `line_`; true when the line is complete, without its CRLF.
bool HttpResponseReader::take_line(std::string_view& octets) {
  const std::size_t newline = octets.find('\n');
  const std::string_view piece = octets.substr(0, newline == std::string_view::npos ? newline : newline + 1);
  octets.remove_prefix(piece.size());
  line_octets_ += piece.size();
  if (line_.size() + piece.size() > kMaxHttpLineOctets || line_octets_ > kMaxHttpLineOctetsInTotal) {
    refuse(ErrorKind::Malformed, "the lines of the HTTP response are too long or too many");
    return false;
  }
  line_ += piece;
  if (newline == std::string_view::npos) return false;
  if (!line_.ends_with("\r\n") || line_.find('\r') != line_.size() - 2 || line_.find('\0') != std::string::npos) {
    refuse(ErrorKind::Malformed, "a line of the HTTP response does not end in CRLF, or has a bare CR or NUL in it");
    return false;
  }
  line_.resize(line_.size() - 2);
  return true;
}

void HttpResponseReader::read_line(std::string_view line) {
  switch (phase_) {
    case Phase::StatusLine:
      return read_status_line(line);
    case Phase::HeaderField:
    case Phase::Trailer:
      return read_header_line(line);
    case Phase::ChunkSize:
      return read_chunk_size(line);
    case Phase::ChunkEnd:
      if (!line.empty()) return refuse(ErrorKind::Malformed, "an HTTP chunk is longer than its size says");
      phase_ = Phase::ChunkSize;
      return;
    case Phase::SizedBody:
    case Phase::OpenBody:
    case Phase::ChunkData:
    case Phase::Done:
      break;
  }
  assert(false);  // these phases have no lines
}

/// "HTTP/1.1 200 OK". Departs from RFC 9112 §4 because servers exist that leave out the space before an empty reason.
void HttpResponseReader::read_status_line(std::string_view line) {
  constexpr std::size_t kVersionSize = std::string_view("HTTP/1.1").size();
  const std::string_view version = line.substr(0, kVersionSize);
  const bool readable = (version == "HTTP/1.1" || version == "HTTP/1.0") && line.size() >= kVersionSize + 4 &&
                        line[kVersionSize] == ' ' &&
                        (line.size() == kVersionSize + 4 || line[kVersionSize + 4] == ' ') &&
                        std::ranges::all_of(line, is_text_octet);
  const auto status = readable ? parse_number(line.substr(kVersionSize + 1, 3), 10) : std::nullopt;
  if (!status || *status < 100 || *status > 599) {
    return refuse(ErrorKind::Malformed, "the HTTP response does not begin with an HTTP/1.1 status line");
  }
  old_version_ = version == "HTTP/1.0";
  response_.status = static_cast<int>(*status);
  phase_ = Phase::HeaderField;
}

void HttpResponseReader::read_header_line(std::string_view line) {
  if (line.empty()) return phase_ == Phase::Trailer ? finish() : begin_body();
  const auto field = parse_http_field(line);
  if (!field || ++fields_ > kMaxHttpFields) {
    return refuse(ErrorKind::Malformed, field ? "the HTTP response has too many header fields"
                                              : "a header field of the HTTP response cannot be read");
  }
  // Fields that matter are ignored after the body (RFC 9110 §6.5.1), and before an interim response.
  if (phase_ == Phase::HeaderField && response_.status >= 200) read_field(field->name, field->value);
}

void HttpResponseReader::read_field(std::string_view name, std::string_view value) {
  if (ascii_iequal(name, "Content-Length")) return read_content_length(value);
  if (ascii_iequal(name, "Content-Type")) return read_content_type(value);
  if (ascii_iequal(name, "Transfer-Encoding")) {
    if (chunked_ || old_version_ || !ascii_iequal(value, "chunked")) {
      return refuse(ErrorKind::Malformed, "the HTTP response has a transfer coding other than chunked");
    }
    chunked_ = true;
  } else if (ascii_iequal(name, "Content-Encoding") && !ascii_iequal(value, "identity")) {
    refuse(ErrorKind::Malformed, "the HTTP response has a content coding, which was not asked for");
  }
}

/// Also a list of equal numbers, as gateways make of repeated fields. @source RFC 9112 §6.3
void HttpResponseReader::read_content_length(std::string_view value) {
  while (true) {
    const std::size_t comma = value.find(',');
    const auto length = parse_number(trim_http_space(value.substr(0, comma)), 10);
    if (!length || (content_length_ && *content_length_ != *length)) {
      return refuse(ErrorKind::Malformed,
                    "the Content-Length of the HTTP response is no number, or two different ones");
    }
    content_length_ = length;
    if (comma == std::string_view::npos) return;
    value.remove_prefix(comma + 1);
  }
}

void HttpResponseReader::read_content_type(std::string_view value) {
  const std::string_view media_type = trim_http_space(value.substr(0, value.find(';')));
  const std::size_t slash = media_type.find('/');
  const bool readable = slash != std::string_view::npos && is_http_token(media_type.substr(0, slash)) &&
                        is_http_token(media_type.substr(slash + 1));
  if (!readable || !response_.media_type.empty()) {
    return refuse(ErrorKind::Malformed, "the Content-Type of the HTTP response cannot be read, or is given twice");
  }
  response_.media_type = ascii_lower(media_type);
}

/// Decides how the body is framed. @source RFC 9112 §6.3
void HttpResponseReader::begin_body() {
  if (response_.status < 200) {
    // 101 would mean another protocol, which was not asked for.
    if (response_.status == 101 || ++interim_responses_ > kMaxHttpInterimResponses) {
      return refuse(ErrorKind::Malformed, "the HTTP response is never final");
    }
    phase_ = Phase::StatusLine;
  } else if (chunked_ && content_length_) {
    refuse(ErrorKind::Malformed, "the HTTP response has both Content-Length and Transfer-Encoding");
  } else if (response_.status == 204 || response_.status == 304) {
    finish();
  } else if (chunked_) {
    phase_ = Phase::ChunkSize;
  } else if (!content_length_) {
    phase_ = Phase::OpenBody;
  } else if (*content_length_ > max_body_octets_) {
    refuse(ErrorKind::Exhausted, fmt::format("the HTTP response is larger than {} octets", max_body_octets_));
  } else {
    remaining_ = *content_length_;
    phase_ = Phase::SizedBody;
    if (remaining_ == 0) finish();
  }
}

/// "1a" or "1a;name=value"; extensions mean nothing to us. @source RFC 9112 §7.1
void HttpResponseReader::read_chunk_size(std::string_view line) {
  const std::size_t semicolon = line.find(';');
  const std::string_view digits = trim_http_space(line.substr(0, semicolon));
  const auto size =
      line.empty() || line.front() == ' ' || line.front() == '\t' ? std::nullopt : parse_number(digits, 16);
  const bool has_extension = semicolon != std::string_view::npos;
  if (!size || (!has_extension && digits.size() != line.size()) || !std::ranges::all_of(line, is_text_octet)) {
    return refuse(ErrorKind::Malformed, "a chunk size of the HTTP response cannot be read");
  }
  remaining_ = *size;
  phase_ = remaining_ == 0 ? Phase::Trailer : Phase::ChunkData;
}

void HttpResponseReader::read_body(std::string_view& octets) {
  const std::size_t count = phase_ == Phase::OpenBody ? octets.size() : std::min(octets.size(), remaining_);
  const std::string_view piece = octets.substr(0, count);
  octets.remove_prefix(count);
  append_body(piece);
  if (phase_ == Phase::Done || phase_ == Phase::OpenBody) return;
  remaining_ -= count;
  if (remaining_ > 0) return;
  if (phase_ == Phase::SizedBody) return finish();
  phase_ = Phase::ChunkEnd;
}

void HttpResponseReader::append_body(std::string_view octets) {
  if (octets.size() > max_body_octets_ - response_.body.size()) {
    return refuse(ErrorKind::Exhausted, fmt::format("the HTTP response is larger than {} octets", max_body_octets_));
  }
  response_.body += octets;
}

void HttpResponseReader::refuse(ErrorKind kind, std::string detail) {
  error_ = Error{kind, std::move(detail)};
  finish();
}

void HttpResponseReader::finish() {
  phase_ = Phase::Done;
  line_.clear();
}

}  // namespace waxwing
