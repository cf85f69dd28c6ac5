#include "relay/server/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>

#include "policy/ascii.h"
#include "policy/date_time.h"
#include "policy/delivery_notice.h"
#include "policy/domain_name.h"
#include "policy/utf8.h"

namespace waxwing {
namespace {

using Parsed = tl::expected<Command, ServerReply>;

tl::unexpected<ServerReply> refuse(int code, std::string enhanced_code, std::string text) {
  return tl::unexpected<ServerReply>(ServerReply{code, std::move(enhanced_code), {std::move(text)}});
}

/// Cuts the first word off `rest`.
std::string_view take_word(std::string_view& rest) {
  const std::size_t begin = std::min(rest.find_first_not_of(' '), rest.size());
  const std::size_t end = std::min(rest.find(' ', begin), rest.size());
  const std::string_view word = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return word;
}

/// Cuts `<…>` off `rest`; quoted local parts may hold '>' and spaces.
std::optional<std::string_view> take_path(std::string_view& rest) {
  const std::size_t begin = rest.find_first_not_of(' ');
  if (begin == std::string_view::npos || rest[begin] != '<') return std::nullopt;
  bool quoted = false;
  for (std::size_t at = begin + 1; at < rest.size(); ++at) {
    const char octet = rest[at];
    if (quoted && octet == '\\') {
      ++at;
    } else if (octet == '"') {
      quoted = !quoted;
    } else if (octet == '>' && !quoted) {
      const std::string_view path = rest.substr(begin + 1, at - begin - 1);
      rest.remove_prefix(at + 1);
      return path;
    }
  }
  return std::nullopt;
}

/// Whether it is "@a,@b" with domain names between.
bool is_source_route(std::string_view route) {
  while (true) {
    const std::size_t comma = route.find(',');
    const std::string_view hop = route.substr(0, comma);
    if (!hop.starts_with('@') || !DomainName::parse(hop.substr(1))) return false;
    if (comma == std::string_view::npos) return true;
    route.remove_prefix(comma + 1);
  }
}

/// Drops a source route "@a,@b:", which a receiver must accept and should ignore; what is not quite one stays, and
/// fails as an address. @source RFC 5321 §4.1.1.3
std::string_view without_source_route(std::string_view path) {
  const std::size_t colon = path.find(':');
  if (colon == std::string_view::npos || !is_source_route(path.substr(0, colon))) return path;
  return path.substr(colon + 1);
}

/// Methods of HTTP. Behind a request line come a header and a body that a stranger may have written: none of it may be
/// read as commands.
bool is_http_method(std::string_view verb) {
  static constexpr std::array kMethods = {"get",     "head",    "post",  "put",   "delete",
                                          "connect", "options", "trace", "patch", "pri"};
  return std::find(kMethods.begin(), kMethods.end(), verb) != kMethods.end();
}

Parsed parse_helo(std::string_view rest, std::string_view verb) {
  const std::string_view name = take_word(rest);
  if (name.empty() || name.size() > 255)
    return refuse(501, "5.5.4", "a host name must follow; example: EHLO app.example.org");
  return HeloCommand{std::string(name), verb != "helo", verb == "lhlo"};
}

Parsed parse_auth(std::string_view rest) {
  AuthCommand command;
  command.mechanism = ascii_lower(take_word(rest));
  if (command.mechanism.empty()) return refuse(501, "5.5.4", "a mechanism must follow; example: AUTH PLAIN");
  const std::string_view response = take_word(rest);
  if (!response.empty()) command.initial_response.emplace(response);
  if (!take_word(rest).empty()) return refuse(501, "5.5.4", "too many words after AUTH");
  return command;
}

std::optional<std::uint64_t> parse_octets(std::string_view digits) {
  constexpr std::size_t kMaxDigits = 20;  // RFC 1870 §4, RFC 3030 §2
  std::uint64_t octets = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), octets);
  const bool whole = !digits.empty() && digits.size() <= kMaxDigits && end == digits.data() + digits.size();
  return whole && error == std::errc() ? std::optional(octets) : std::nullopt;
}

BdatCommand parse_bdat(std::string_view rest) {
  const std::string_view digits = take_word(rest);
  const std::string_view last = take_word(rest);
  const bool well_formed = take_word(rest).empty() && (last.empty() || ascii_iequal(last, "LAST"));
  return {well_formed ? parse_octets(digits) : std::nullopt, !last.empty()};
}

/// What MAIL asks about time. No value: the keyword is another one, or its value is good.
std::optional<ServerReply> apply_timing_parameter(std::string_view keyword, std::string_view value,
                                                  TimingRequest& timing) {
  if (keyword == "holdfor") {
    timing.hold_for = parse_hold_for(value);
    if (!timing.hold_for)
      return ServerReply{501, "5.5.4", {"HOLDFOR must be a number of seconds, from 1 to 999999999"}};
  } else if (keyword == "holduntil") {
    timing.hold_until = parse_utc_date_time(value);
    if (!timing.hold_until)
      return ServerReply{501, "5.5.4", {"HOLDUNTIL must be a time in UTC; example: HOLDUNTIL=2026-11-30T08:00:00Z"}};
  } else if (keyword == "by") {
    timing.by = parse_by_value(value);
    if (!timing.by)
      return ServerReply{501, "5.5.4", {"BY must be seconds, then ;N or ;R, positive with R; example: BY=120;R"}};
  }
  return std::nullopt;
}

std::optional<ServerReply> apply_mail_parameter(std::string_view keyword, const std::optional<std::string_view>& given,
                                                MailCommand& command) {
  const std::string_view value = given.value_or("");
  if (keyword == "size") {
    command.size_octets = parse_octets(value);
    if (!command.size_octets) return ServerReply{501, "5.5.4", {"SIZE must be a number of octets"}};
    return std::nullopt;
  }
  if (keyword == "smtputf8") {
    if (given) return ServerReply{501, "5.5.4", {"SMTPUTF8 takes no value"}};
    command.smtputf8 = true;
    return std::nullopt;
  }
  if (keyword == "requiretls") {
    if (given) return ServerReply{501, "5.5.4", {"REQUIRETLS takes no value"}};
    command.require_tls = true;
    return std::nullopt;
  }
  if (keyword == "body") {
    const bool is_8bit = ascii_iequal(value, "8BITMIME");
    if (!is_8bit && !ascii_iequal(value, "7BIT")) return ServerReply{501, "5.5.4", {"BODY must be 7BIT or 8BITMIME"}};
    command.body_8bit = is_8bit;
    return std::nullopt;
  }
  if (keyword == "ret") {
    const bool full = ascii_iequal(value, "FULL");
    if (!full && !ascii_iequal(value, "HDRS")) return ServerReply{501, "5.5.4", {"RET must be FULL or HDRS"}};
    command.notice.content = full ? ReturnedContent::Full : ReturnedContent::Headers;
    return std::nullopt;
  }
  if (keyword == "envid") {
    if (!is_envelope_id(value))
      return ServerReply{501, "5.5.4", {"ENVID must be xtext of printable ASCII, at most 100 characters"}};
    command.notice.envelope_id = value;
    return std::nullopt;
  }
  if (keyword == "holdfor" || keyword == "holduntil" || keyword == "by")
    return apply_timing_parameter(keyword, value, command.timing);
  // RFC 4954 §5: accepted from every authenticated client; who submitted is known from AUTH alone.
  if (keyword == "auth") {
    if (value.empty() || (value != "<>" && !decode_xtext(value)))
      return ServerReply{501, "5.5.4", {"AUTH= must be <> or xtext"}};
    return std::nullopt;
  }
  return ServerReply{555, "5.5.4", {"an ESMTP parameter of MAIL is not one that this server offers"}};
}

std::optional<ServerReply> apply_rcpt_parameter(std::string_view keyword, const std::optional<std::string_view>& given,
                                                RcptCommand& command) {
  const std::string_view value = given.value_or("");
  if (keyword == "notify") {
    command.notice.notify = NotifyWish::parse(value);
    if (!command.notice.notify)
      return ServerReply{501, "5.5.4", {"NOTIFY must be NEVER, or a list of SUCCESS, FAILURE and DELAY"}};
    return std::nullopt;
  }
  if (keyword == "orcpt") {
    auto original = parse_original_recipient(value);
    if (!original) return ServerReply{501, "5.5.4", {"ORCPT must be like rfc822;address in xtext"}};
    command.notice.original_recipient = std::move(*original);
    return std::nullopt;
  }
  return ServerReply{555, "5.5.4", {"an ESMTP parameter of RCPT is not one that this server offers"}};
}

/// Reads all that stands behind an address.
/// @param apply  gets keyword and value, and gives the reply that refuses them
std::optional<ServerReply> read_parameters(
    std::string_view rest,
    const std::function<std::optional<ServerReply>(std::string_view, const std::optional<std::string_view>&)>& apply) {
  if (!rest.empty() && rest.front() != ' ') return ServerReply{501, "5.5.4", {"a space must follow the address"}};
  std::vector<std::string> seen;
  for (std::string_view word = take_word(rest); !word.empty(); word = take_word(rest)) {
    const std::size_t equals = word.find('=');
    std::string keyword = ascii_lower(word.substr(0, equals));
    if (std::find(seen.begin(), seen.end(), keyword) != seen.end())
      return ServerReply{501, "5.5.4", {"an ESMTP parameter stands twice"}};
    std::optional<std::string_view> value;
    if (equals != std::string_view::npos) value = word.substr(equals + 1);
    if (auto wrong = apply(keyword, value)) return wrong;
    seen.push_back(std::move(keyword));
  }
  return std::nullopt;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char octet) { return octet >= 0; });
}

Parsed parse_mail(std::string_view rest) {
  const std::optional<std::string_view> path = take_path(rest);
  if (!path)
    return refuse(501, "5.1.7", "the reverse-path must stand in angle brackets; example: MAIL FROM:<a@example.org>");
  MailCommand command;
  command.ascii = is_ascii(*path);
  if (!path->empty()) {
    auto address = MailAddress::parse(without_source_route(*path));
    if (!address) return refuse(553, "5.1.7", "the sender address is not valid");
    command.reverse_path = std::move(*address);
  }
  auto wrong =
      read_parameters(rest, [&command](std::string_view keyword, const std::optional<std::string_view>& value) {
        return apply_mail_parameter(keyword, value, command);
      });
  if (wrong) return tl::unexpected<ServerReply>(std::move(*wrong));
  return command;
}

Parsed parse_rcpt(std::string_view rest) {
  const std::optional<std::string_view> path = take_path(rest);
  if (!path)
    return refuse(501, "5.1.3", "the recipient must stand in angle brackets; example: RCPT TO:<b@example.net>");
  RcptCommand command;
  command.ascii = is_ascii(*path) && is_ascii(rest);
  // RFC 5321 §4.1.1.3: the one mailbox that needs no domain.
  if (!ascii_iequal(*path, "postmaster")) {
    auto address = MailAddress::parse(without_source_route(*path));
    if (!address) return refuse(553, "5.1.3", "the recipient address is not valid");
    command.recipient = std::move(*address);
  }
  auto wrong =
      read_parameters(rest, [&command](std::string_view keyword, const std::optional<std::string_view>& value) {
        return apply_rcpt_parameter(keyword, value, command);
      });
  if (wrong) return tl::unexpected<ServerReply>(std::move(*wrong));
  return command;
}

/// VRFY and EXPN need a string to ask about. @source RFC 5321 §4.1.1.6 and §4.1.1.7
Parsed parse_vrfy(std::string_view rest) {
  const std::string_view word = take_word(rest);
  if (word.empty() || word == "\"\"") return refuse(501, "5.5.4", "a mailbox or list must follow");
  return VrfyCommand{};
}

/// Whether a command with an address may hold these octets: UTF-8 without control characters.
/// @source  RFC 6531 §3.3
bool is_utf8_text(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    if ((line[i] >= 0 && line[i] < ' ') || line[i] == '\x7f') return false;
    const bool c1 = line[i] == '\xc2' && i + 1 < line.size() && static_cast<unsigned char>(line[i + 1]) < 0xa0;
    if (c1) return false;
  }
  return is_valid_utf8(line);
}

bool is_printable(std::string_view line) {
  return std::all_of(line.begin(), line.end(), [](char octet) { return octet >= ' ' && octet <= '~'; });
}

}  // namespace

std::string reply_text(std::string_view text) {
  constexpr std::size_t kMaxReplyTextOctets = 480;  // a reply line has at most 512 octets
  std::string result(text.substr(0, kMaxReplyTextOctets));
  std::replace_if(
      result.begin(), result.end(), [](char octet) { return octet < ' ' || octet > '~'; }, '?');
  return result;
}

std::string ServerReply::str() const {
  std::string result;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const char separator = i + 1 == lines.size() ? ' ' : '-';
    const std::string_view gap = enhanced_code.empty() ? "" : " ";
    result += fmt::format("{}{}{}{}{}\r\n", code, separator, enhanced_code, gap, lines[i]);
  }
  return result;
}

tl::expected<Command, ServerReply> parse_command(std::string_view line) {
  std::string_view rest = line;
  const std::size_t verb_end = std::min(rest.find_first_of(" :"), rest.size());
  const std::string verb = ascii_lower(rest.substr(0, verb_end));
  rest.remove_prefix(verb_end);
  const bool bare = rest.find_first_not_of(' ') == std::string_view::npos;
  const bool has_path = verb == "mail" || verb == "rcpt";
  if (!is_printable(line) && !(has_path && is_utf8_text(line)))
    return refuse(500, "5.5.2", "a command holds an octet outside printable ASCII");

  if (verb == "ehlo" || verb == "helo" || verb == "lhlo") return parse_helo(rest, verb);
  if (verb == "xclient") return XclientCommand{parse_xclient(rest)};
  if (verb == "auth") return parse_auth(rest);
  if (verb == "bdat") return parse_bdat(rest);
  if (has_path) {
    const std::string_view preposition = verb == "mail" ? " FROM:" : " TO:";
    if (!ascii_istarts_with(rest, preposition))
      return refuse(501, "5.5.4", fmt::format("this command goes like {}{}<address>", verb, preposition));
    rest.remove_prefix(preposition.size());
    return verb == "mail" ? parse_mail(rest) : parse_rcpt(rest);
  }
  if (verb == "noop") return NoopCommand{};
  if (verb == "vrfy" || verb == "expn") return parse_vrfy(rest);
  if (verb == "help") return HelpCommand{};
  if (is_http_method(verb)) return HttpRequest{};
  const bool plain = verb == "starttls" || verb == "data" || verb == "rset" || verb == "quit";
  if (!plain) return refuse(500, "5.5.2", "command not known");
  if (!bare) return refuse(501, "5.5.4", "this command takes no parameter");
  if (verb == "starttls") return StartTlsCommand{};
  if (verb == "data") return DataCommand{};
  if (verb == "rset") return RsetCommand{};
  return QuitCommand{};
}

}  // namespace waxwing
