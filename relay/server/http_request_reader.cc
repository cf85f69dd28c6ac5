#include "relay/server/http_request_reader.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "policy/ascii.h"

namespace waxwing {
namespace {

// tchar of RFC 9110 §5.6.2.
bool is_token(std::string_view text) {
  static constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_ascii_alnum(c) || kOthers.find(c) != std::string_view::npos;
  });
}

bool is_visible(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

bool is_field_value(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c == '\t' || (c >= ' ' && c <= '~'); });
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool has_lone_line_feed(std::string_view text) {
  for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    if (at == 0 || text[at - 1] != '\r') return true;
  }
  return false;
}

std::optional<std::uint64_t> parse_length(std::string_view text) {
  constexpr std::size_t kMaxDigits = 18;
  if (text.empty() || text.size() > kMaxDigits || !std::ranges::all_of(text, is_ascii_digit)) return std::nullopt;
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

const std::string* HttpRequestHead::field(std::string_view name) const {
  const auto found = std::ranges::find(fields, name, &Field::name);
  return found == fields.end() ? nullptr : &found->value;
}

void HttpRequestReader::on_bytes(std::string_view octets) {
  if (state_ == State::Invalid) return;
  const bool waits = state_ == State::Headed || state_ == State::Complete;
  if (waits && input_.size() + octets.size() > kMaxWaitingHttpOctets) {
    fail(400, "more came than was asked for");
    return;
  }
  input_.append(octets);
  advance();
}

void HttpRequestReader::advance() {
  if (state_ == State::Head) read_head();
  if (state_ != State::Body) return;
  const std::size_t missing = static_cast<std::size_t>(head_.body_octets) - body_.size();
  const std::size_t taken = std::min(missing, input_.size());
  body_.append(input_.view().substr(0, taken));
  input_.consume(taken);
  if (taken == missing) state_ = State::Complete;
}

void HttpRequestReader::read_head() {
  const std::size_t end = input_.view().find("\r\n\r\n");
  // A lone line feed that ends the head for somebody else must not make us wait, and is refused before anything else, so
  // that the answer does not depend on how the head was cut.
  if (has_lone_line_feed(input_.view().substr(0, std::min(end, kMaxHttpHeadOctets)))) {
    fail(400, "lines end with CRLF");
    return;
  }
  if (end == std::string::npos && input_.size() < kMaxHttpHeadOctets) return;
  if (end == std::string::npos || end > kMaxHttpHeadOctets) {
    fail(431, "the header is too large");
    return;
  }
  const Secret text(input_.view().substr(0, end + 2));
  input_.consume(end + 4);
  head_ = {};
  std::string_view rest = text.reveal();
  bool first = true;
  while (!rest.empty()) {
    const std::size_t line_end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, line_end);
    rest.remove_prefix(line_end + 2);
    if (!(std::exchange(first, false) ? read_request_line(line) : read_field(line))) return;
  }
  if (judge_fields()) state_ = State::Headed;
}

bool HttpRequestReader::read_request_line(std::string_view line) {
  const std::size_t method_end = line.find(' ');
  const std::size_t target_end = line.rfind(' ');
  if (method_end == std::string_view::npos || target_end == method_end) return fail(400, "no request line");
  const std::string_view method = line.substr(0, method_end);
  const std::string_view target = line.substr(method_end + 1, target_end - method_end - 1);
  const std::string_view version = line.substr(target_end + 1);
  if (!is_token(method) || !is_visible(target)) return fail(400, "the request line is malformed");
  if (target.size() > kMaxHttpTargetOctets) return fail(414, "the target is too long");
  if (version != "HTTP/1.1") return fail(version.starts_with("HTTP/") ? 505 : 400, "HTTP/1.1 is spoken here");
  head_.method = method;
  head_.target = target;
  return true;
}

bool HttpRequestReader::read_field(std::string_view line) {
  if (head_.fields.size() == kMaxHttpRequestFields) return fail(431, "there are too many fields");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return fail(400, "a field is malformed");
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (!is_field_value(value)) return fail(400, "a field holds an octet outside printable ASCII");
  std::string name = ascii_lower(line.substr(0, colon));
  // What one program reads first and another last is read by nobody.
  if (head_.field(name) != nullptr || (name == "authorization" && head_.authorization))
    return fail(400, "a field stands twice");
  if (name == "authorization")
    head_.authorization.emplace(value);
  else
    head_.fields.push_back({std::move(name), std::string(value)});
  return true;
}

bool HttpRequestReader::judge_fields() {
  if (head_.field("host") == nullptr) return fail(400, "Host is missing");
  if (head_.field("transfer-encoding") != nullptr) return fail(501, "a body needs Content-Length here");
  if (const std::string* length = head_.field("content-length")) {
    const auto octets = parse_length(*length);
    if (!octets) return fail(400, "Content-Length is malformed");
    head_.body_octets = *octets;
  }
  if (const std::string* connection = head_.field("connection")) {
    if (ascii_iequal(*connection, "close"))
      head_.keep_alive = false;
    else if (!ascii_iequal(*connection, "keep-alive"))
      return fail(400, "Connection is close or keep-alive here");
  }
  if (const std::string* expect = head_.field("expect")) {
    if (!ascii_iequal(*expect, "100-continue")) return fail(417, "only 100-continue can be expected");
    head_.awaits_continue = head_.body_octets > 0;
  }
  return true;
}

void HttpRequestReader::read_body(std::uint64_t limit) {
  if (state_ != State::Headed) return;
  if (head_.body_octets > limit) {
    fail(413, "the body is too large");
    return;
  }
  state_ = State::Body;
  advance();
}

std::string HttpRequestReader::take_body() {
  return std::exchange(body_, {});
}

void HttpRequestReader::next() {
  if (state_ != State::Complete) return;
  body_.clear();
  state_ = State::Head;
  advance();
}

bool HttpRequestReader::fail(int status, std::string_view why) {
  state_ = State::Invalid;
  failure_status_ = status;
  failure_ = why;
  input_.clear();
  return false;
}

}  // namespace waxwing
