#include "signer/authentication_results.h"

#include <fmt/format.h>

#include <algorithm>

#include "policy/ascii.h"
#include "policy/utf8.h"
#include "signer/results_scanner.h"

namespace waxwing {
namespace {

using Method = AuthenticationResults::Method;
using Property = AuthenticationResults::Property;

bool is_value_octet(char c) {
  // Tokens of RFC 2045 §5.1, and what addresses and domains hold beside them.
  constexpr std::string_view kSpecials = "()<>,;:\\\"[]?=";
  return static_cast<unsigned char>(c) > ' ' && c != '\x7f' && kSpecials.find(c) == std::string_view::npos;
}

/// Octets that may stand in a field; folds of the original become spaces, and what is not UTF-8 goes.
std::string printable(std::string_view text) {
  std::string result;
  const bool utf8 = is_valid_utf8(text);
  for (const char c : text) {
    if (c == '\t' || c == '\n') result += ' ';
    const auto octet = static_cast<unsigned char>(c);
    if (octet >= ' ' && octet != 0x7f && (octet < 0x80 || utf8)) result += c;
  }
  return result;
}

std::string quoted_where_needed(std::string_view text) {
  std::string value = printable(text);
  if (!value.empty() && std::ranges::all_of(value, is_value_octet)) return value;
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

std::string commented(std::string_view text) {
  std::string comment = "(";
  for (const char c : printable(text)) {
    if (c == '(' || c == ')' || c == '\\') comment += '\\';
    comment += c;
  }
  return comment + ")";
}

/// Writes text that may be folded at its spaces.
void add_words(std::string_view text, FoldedLine& line) {
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    if (space > 0) line.add_word(text.substr(0, space));
    text.remove_prefix(std::min(space + 1, text.size()));
  }
}

std::string method_text(const Method& method) {
  std::string text = fmt::format("{}={}", method.method, method.result);
  if (!method.comment.empty()) text += ' ' + commented(method.comment);
  if (!method.reason.empty()) text += " reason=" + quoted_where_needed(method.reason);
  for (const Property& property : method.properties) {
    text += fmt::format(" {}.{}={}", property.ptype, property.property, quoted_where_needed(property.value));
  }
  return text;
}

/// "ptype.property" into its two names; false: there is no dot inside, or the slash of a version.
bool split_property(std::string_view name, Property& property) {
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == name.size()) return false;
  if (name.find('/') != std::string_view::npos) return false;
  property.ptype = ascii_lower(name.substr(0, dot));
  property.property = ascii_lower(name.substr(dot + 1));
  return true;
}

/// reason= and properties up to the end of the element.
Result<void> read_properties(ResultsScanner& scanner, Method& method) {
  while (!scanner.at_element_end()) {
    const std::string name = scanner.take_name();
    if (!scanner.take_equals()) {
      if (name.empty()) scanner.skip_octet();
      continue;  // a stray word between properties says nothing
    }
    auto value = scanner.take_value();
    if (!value) return tl::unexpected(value.error());
    Property property;
    if (ascii_iequal(name, "reason")) {
      method.reason = std::move(*value);
    } else if (split_property(name, property)) {
      if (method.properties.size() == kMaxReportedProperties)
        return fail(ErrorKind::Exhausted, "a method has too many properties");
      property.value = std::move(*value);
      method.properties.push_back(std::move(property));
    }
  }
  return {};
}

/// One element behind its ";"; false: it is empty or says "none".
Result<bool> read_method(ResultsScanner& scanner, Method& method) {
  scanner.drop_comment();
  std::string name = scanner.take_name();
  if (name.empty() && scanner.at_element_end()) return false;
  if (!scanner.take_equals()) {
    if (ascii_iequal(name, "none") && scanner.at_element_end()) return false;
    return fail(ErrorKind::Malformed, "a method has no result");
  }
  method.method = ascii_lower(name.substr(0, name.find('/')));  // the version of a method changes nothing so far
  method.result = ascii_lower(scanner.take_name());
  if (method.method.empty() || method.result.empty()) return fail(ErrorKind::Malformed, "a method has no result");
  // A result is a keyword; with one of these it would be read as one word with what is written behind it.
  if (method.result.find_first_of("./") != std::string::npos) return fail(ErrorKind::Malformed, "a result is no word");
  scanner.keep_comment(method.comment);
  if (auto properties = read_properties(scanner, method); !properties) return tl::unexpected(properties.error());
  return true;
}

Result<std::string> read_id(ResultsScanner& scanner) {
  auto id = scanner.take_value();
  if (!id) return tl::unexpected(id.error());
  if (printable(*id).empty()) return fail(ErrorKind::Malformed, "there is no authserv-id");
  return id;
}

}  // namespace

Result<AuthenticationResults> AuthenticationResults::parse(std::string_view value) {
  AuthenticationResults results;
  ResultsScanner scanner(value);
  auto id = read_id(scanner);
  if (!id) return tl::unexpected(id.error());
  results.authserv_id = std::move(*id);
  const std::string version = scanner.take_name();
  if (!version.empty() && version != "1") return fail(ErrorKind::Malformed, "the version is not 1");
  if (!scanner.at_element_end()) return fail(ErrorKind::Malformed, "there is no \";\" behind the authserv-id");
  while (scanner.take_semicolon()) {
    Method method;
    auto read = read_method(scanner, method);
    if (!read) return tl::unexpected(read.error());
    if (!*read) continue;
    if (results.methods.size() == kMaxReportedMethods) return fail(ErrorKind::Exhausted, "there are too many methods");
    results.methods.push_back(std::move(method));
  }
  if (auto sound = scanner.check(); !sound) return tl::unexpected(sound.error());
  return results;
}

void AuthenticationResults::write(FoldedLine& line) const {
  line.add_word(quoted_where_needed(authserv_id) + ";");
  if (methods.empty()) line.add_word("none");
  for (std::size_t i = 0; i < methods.size(); ++i) {
    add_words(method_text(methods[i]) + (i + 1 < methods.size() ? ";" : ""), line);
  }
}

std::string AuthenticationResults::field() const {
  FoldedLine line("Authentication-Results:");
  write(line);
  return line.text() + "\r\n";
}

std::string read_authserv_id(std::string_view value) {
  ResultsScanner scanner(value);
  auto id = scanner.take_value();
  return id ? std::move(*id) : std::string();
}

AuthenticationResults merge_results(std::span<const HeaderField> header, std::string_view authserv_id) {
  AuthenticationResults merged;
  merged.authserv_id = authserv_id;
  for (const HeaderField& field : header) {
    if (!field.is("Authentication-Results")) continue;
    auto results = AuthenticationResults::parse(field.value);
    if (!results || !ascii_iequal(results->authserv_id, authserv_id)) continue;
    for (Method& method : results->methods) {
      if (merged.methods.size() < kMaxReportedMethods) merged.methods.push_back(std::move(method));
    }
  }
  return merged;
}

}  // namespace waxwing
