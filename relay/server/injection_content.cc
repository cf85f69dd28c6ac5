#include "relay/server/injection_content.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "policy/base64.h"
#include "policy/sha256.h"
#include "relay/server/header_repair.h"
#include "signer/header_field.h"

namespace waxwing {
namespace {

constexpr std::size_t kEncodedLineOctets = 76;
constexpr std::size_t kMaxPlainLineOctets = 998;
constexpr std::size_t kFoldOctets = 76;

std::string quoted(std::string_view name) {
  std::string result = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

// A list of mailboxes, one a line where there are many.
std::string mailbox_list(const std::vector<InjectedMailbox>& mailboxes) {
  std::string list;
  std::size_t line = 0;
  for (const InjectedMailbox& mailbox : mailboxes) {
    const std::string address = mailbox.address.str();
    const std::string text = mailbox.name.empty() ? address : fmt::format("{} <{}>", quoted(mailbox.name), address);
    if (!list.empty()) {
      list += line + text.size() > kFoldOctets ? ",\r\n " : ", ";
      if (line + text.size() > kFoldOctets) line = 0;
    }
    list += text;
    line += text.size() + 2;
  }
  return list;
}

// Folds ASCII text at spaces where the line became long.
std::string folded(std::string_view text, std::size_t column) {
  std::string result;
  while (!text.empty()) {
    std::size_t end = text.find(' ', 1);
    if (end == std::string_view::npos) end = text.size();
    if (column + end > kFoldOctets && text.front() == ' ' && !result.empty()) {
      result += "\r\n";
      column = 0;
    }
    result += text.substr(0, end);
    column += end;
    text.remove_prefix(end);
  }
  return result;
}

Result<void> add_field(std::string& header, const std::string& name, const std::string& value) {
  const std::string field = fmt::format("{}: {}\r\n", name, folded(value, name.size() + 2));
  const auto parsed = parse_header_block(field);
  if (!parsed || parsed->size() != 1) return fail(ErrorKind::Malformed, fmt::format("{} cannot be a field", name));
  auto ascii = field_in_ascii(parsed->front());
  if (!ascii) return fail(ErrorKind::Malformed, ascii.error().lines.front());
  header += *ascii;
  return {};
}

std::string with_crlf(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    if (text[i] == '\n' || text[i] == '\r')
      result += "\r\n";
    else
      result += text[i];
  }
  if (!result.ends_with("\r\n")) result += "\r\n";
  return result;
}

bool is_plain(std::string_view text) {
  std::size_t line = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "\r\n") {
      line = 0;
      ++i;
    } else if ((text[i] < ' ' && text[i] != '\t') || text[i] == 0x7f || ++line > kMaxPlainLineOctets) {
      return false;
    }
  }
  return true;
}

// Fields and content of one part.
std::string text_part(std::string_view type, std::string_view text) {
  const std::string lines = with_crlf(text);
  if (is_plain(lines)) {
    return fmt::format("Content-Type: {}; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\n{}", type, lines);
  }
  const std::string encoded = encode_base64(lines);
  std::string part = fmt::format("Content-Type: {}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n", type);
  for (std::size_t i = 0; i < encoded.size(); i += kEncodedLineOctets)
    part += encoded.substr(i, kEncodedLineOctets) + "\r\n";
  return part;
}

// Whoever writes the parts cannot write this into them, since it is made of them.
std::string boundary_of(const StructuredMessage& message) {
  const std::string all = fmt::format("{}:{}:{}", message.text.size(), message.text, message.html);
  std::string boundary = "=_";
  for (const char octet : sha256(all)) boundary += fmt::format("{:02x}", static_cast<unsigned char>(octet));
  return boundary;
}

}  // namespace

Result<std::string> compose_content(const StructuredMessage& message) {
  std::string header;
  if (message.from) {
    auto added = add_field(header, "From", mailbox_list({*message.from}));
    if (!added) return tl::unexpected(added.error());
  }
  const std::pair<const char*, std::vector<InjectedMailbox>> lists[] = {
      {"To", message.to}, {"Cc", message.cc}, {"Reply-To", message.reply_to}};
  for (const auto& [name, mailboxes] : lists) {
    if (mailboxes.empty()) continue;
    if (auto added = add_field(header, name, mailbox_list(mailboxes)); !added) return tl::unexpected(added.error());
  }
  if (auto added = add_field(header, "Subject", message.subject); !added) return tl::unexpected(added.error());
  for (const auto& [name, value] : message.headers)
    if (auto added = add_field(header, name, value); !added) return tl::unexpected(added.error());
  header += "MIME-Version: 1.0\r\n";
  if (message.html.empty()) return header + text_part("text/plain", message.text);
  if (message.text.empty()) return header + text_part("text/html", message.html);
  const std::string boundary = boundary_of(message);
  return fmt::format(
      "{0}Content-Type: multipart/alternative;\r\n boundary=\"{1}\"\r\n\r\n--{1}\r\n{2}--{1}\r\n{3}--{1}--\r\n", header,
      boundary, text_part("text/plain", message.text), text_part("text/html", message.html));
}

}  // namespace waxwing
