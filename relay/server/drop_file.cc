#include "relay/server/drop_file.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <optional>

#include "relay/server/command.h"

namespace waxwing {
namespace {

constexpr std::size_t kNameOctets = 32;
constexpr std::string_view kSuffix = ".msg";

// Cuts a line off, without its CRLF.
std::optional<std::string_view> take_line(std::string_view& rest) {
  const std::size_t end = rest.substr(0, kMaxCommandOctets).find("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 2);
  return line;
}

Result<void> take_mail(const MailCommand& command, Envelope& envelope) {
  if (!command.ascii && !command.smtputf8) return fail(ErrorKind::Malformed, "its sender needs SMTPUTF8");
  envelope.reverse_path = command.reverse_path;
  envelope.body_8bit = command.body_8bit;
  envelope.smtputf8 = command.smtputf8;
  envelope.notice = command.notice;
  return {};
}

Result<void> take_rcpt(const RcptCommand& command, Envelope& envelope) {
  if (!command.recipient) return fail(ErrorKind::Malformed, "a recipient has no domain");
  if (!command.ascii && !envelope.smtputf8) return fail(ErrorKind::Malformed, "a recipient needs SMTPUTF8");
  if (envelope.recipients.size() == kMaxDropRecipients)
    return fail(ErrorKind::Malformed, fmt::format("it has more than {} recipients", kMaxDropRecipients));
  envelope.recipients.push_back({*command.recipient, command.notice});
  return {};
}

}  // namespace

Result<std::string> make_drop_name() {
  std::array<unsigned char, kNameOctets / 2> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
    return fail(ErrorKind::Unavailable, "the system gives no random numbers");
  std::string name;
  for (const unsigned char octet : random) name += fmt::format("{:02x}", octet);
  return name + std::string(kSuffix);
}

bool is_drop_name(std::string_view name) {
  return name.size() == kNameOctets + kSuffix.size() && name.ends_with(kSuffix) &&
         std::ranges::all_of(name.substr(0, kNameOctets),
                             [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string drop_file_mark(std::string_view name) {
  return fmt::format("waxwing-drop {}\r\n", name);
}

Result<DropEnvelope> parse_drop_envelope(std::string_view name, std::string_view text) {
  const std::string mark = drop_file_mark(name);
  if (!text.starts_with(mark)) return fail(ErrorKind::Malformed, "it does not begin as such a file does");
  std::string_view rest = text.substr(mark.size());
  DropEnvelope result;
  bool has_sender = false;
  while (true) {
    const auto line = take_line(rest);
    if (!line) return fail(ErrorKind::Malformed, "its envelope does not end");
    const auto command = parse_command(*line);
    if (!command) return fail(ErrorKind::Malformed, command.error().lines.front());
    Result<void> taken;
    if (const auto* mail = std::get_if<MailCommand>(&*command); mail != nullptr && !has_sender) {
      taken = take_mail(*mail, result.envelope);
      has_sender = true;
    } else if (const auto* rcpt = std::get_if<RcptCommand>(&*command); rcpt != nullptr && has_sender) {
      taken = take_rcpt(*rcpt, result.envelope);
    } else if (std::holds_alternative<DataCommand>(*command) && !result.envelope.recipients.empty()) {
      break;
    } else {
      return fail(ErrorKind::Malformed, "its envelope is out of order");
    }
    if (!taken) return tl::unexpected(std::move(taken.error()));
    if (text.size() - rest.size() > kMaxDropEnvelopeOctets)
      return fail(ErrorKind::Malformed, "its envelope is too long");
  }
  result.octets = text.size() - rest.size();
  return result;
}

}  // namespace waxwing
