#include "signer/header_field.h"

#include <fmt/format.h>

#include <algorithm>

#include "policy/ascii.h"

namespace waxwing {
namespace {

constexpr std::string_view kCrlf = "\r\n";

bool is_wsp(char c) {
  return c == ' ' || c == '\t';
}

bool is_name_octet(char c) {
  return c > ' ' && c < '\x7f' && c != ':';
}

/// A CR or LF that is not part of a CRLF ends a line for some programs and not for others; so the header that we sign
/// would not be the header that they show.
bool has_forbidden_octet(std::string_view block) {
  if (block.find('\0') != std::string_view::npos) return true;
  for (std::size_t at = block.find('\r'); at != std::string_view::npos; at = block.find('\r', at + 1)) {
    if (block.substr(at, kCrlf.size()) != kCrlf) return true;
  }
  for (std::size_t at = block.find('\n'); at != std::string_view::npos; at = block.find('\n', at + 1)) {
    if (at == 0 || block[at - 1] != '\r') return true;
  }
  return false;
}

/// Length of the first field with its continuation lines; `block` is made of complete lines.
std::size_t field_length(std::string_view block) {
  std::size_t end = block.find(kCrlf) + kCrlf.size();
  while (end < block.size() && is_wsp(block[end])) end = block.find(kCrlf, end) + kCrlf.size();
  return end;
}

Result<HeaderField> parse_field(std::string_view raw, std::size_t number) {
  const std::size_t colon = raw.find(':');
  std::string_view name = raw.substr(0, colon);
  while (!name.empty() && is_wsp(name.back())) name.remove_suffix(1);
  if (colon == std::string_view::npos || name.empty() || !std::all_of(name.begin(), name.end(), is_name_octet)) {
    return fail(ErrorKind::Malformed, fmt::format("header field {} does not begin with a name and a colon", number));
  }
  return HeaderField{name, raw.substr(colon + 1, raw.size() - colon - 1 - kCrlf.size()), raw};
}

}  // namespace

bool HeaderField::is(std::string_view wanted) const {
  return ascii_iequal(name, wanted);
}

Result<std::vector<HeaderField>> parse_header_block(std::string_view block) {
  if (block.size() > kMaxHeaderOctets) {
    return fail(ErrorKind::Exhausted, fmt::format("the message header is larger than {} octets", kMaxHeaderOctets));
  }
  if (!block.empty() && !block.ends_with(kCrlf))
    return fail(ErrorKind::Malformed, "the message header ends in the middle of a line");
  if (has_forbidden_octet(block)) {
    return fail(ErrorKind::Malformed, "the message header has a NUL, or a CR or LF that is not part of a CRLF");
  }
  std::vector<HeaderField> fields;
  while (!block.empty()) {
    if (fields.size() == kMaxHeaderFields) {
      return fail(ErrorKind::Exhausted, fmt::format("the message header has more than {} fields", kMaxHeaderFields));
    }
    const std::size_t length = field_length(block);
    auto field = parse_field(block.substr(0, length), fields.size() + 1);
    if (!field) return tl::unexpected(field.error());
    fields.push_back(*field);
    block.remove_prefix(length);
  }
  return fields;
}

}  // namespace waxwing
