#include "relay/cli/sendmail_message.h"

#include <fmt/format.h>

#include <algorithm>

#include "policy/ascii.h"
#include "policy/mail_address.h"
#include "relay/observe/escape.h"

namespace waxwing {
namespace {

bool is_8bit(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char octet) { return octet < 0; });
}

// A line feed ends a line, with or without a carriage return; a lone "." ends the input where that is asked for.
std::string with_crlf(std::string_view input, bool dot_ends) {
  std::string content;
  content.reserve(input.size() + input.size() / 16);
  while (!input.empty()) {
    const std::size_t end = input.find('\n');
    std::string_view line = input.substr(0, end);
    input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (dot_ends && line == ".") break;
    content += line;
    content += "\r\n";
  }
  return content;
}

// Octets of the first field with its continuation lines; 0: the header is over.
std::size_t field_octets(std::string_view text) {
  const std::size_t line = text.find("\r\n");
  const std::size_t colon = text.find(':');
  if (line == std::string_view::npos || line == 0 || colon == std::string_view::npos || colon > line || colon == 0)
    return 0;
  for (const char octet : text.substr(0, colon))
    if (octet <= ' ' || octet == 0x7f) return 0;
  std::size_t end = line + 2;
  while (end < text.size() && (text[end] == ' ' || text[end] == '\t')) {
    const std::size_t next = text.find("\r\n", end);
    end = next == std::string_view::npos ? text.size() : next + 2;
  }
  return end;
}

Result<std::string> complete_address(std::string_view text, std::string_view mail_name) {
  std::string address(text);
  if (address.find('@') == std::string::npos) address += fmt::format("@{}", mail_name);
  if (!MailAddress::parse(address))
    return fail(ErrorKind::Malformed, fmt::format("\"{}\" is not a mail address", printable(text)));
  return address;
}

// The address of one mailbox: what stands in angle brackets, else all but comments.
std::string bare_mailbox(std::string_view text) {
  std::string bare;
  std::string in_brackets;
  bool quoted = false;
  bool bracketed = false;
  bool has_brackets = false;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    std::string& target = bracketed ? in_brackets : bare;
    if (c == '\\' && i + 1 < text.size()) {
      if (depth == 0) target += {c, text[i + 1]};
      ++i;
    } else if (c == '"' && depth == 0) {
      quoted = !quoted;
      target += c;
    } else if (quoted) {
      target += c;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && depth > 0) {
      --depth;
    } else if (depth > 0) {
      continue;
    } else if (c == '\r' || c == '\n' || c == ' ' || c == '\t') {
      target += ' ';  // around an address it goes, inside it makes none of it
    } else if (c == '<' && !bracketed) {
      bracketed = has_brackets = true;
    } else if (c == '>' && bracketed) {
      bracketed = false;
    } else {
      target += c;
    }
  }
  std::string& mailbox = has_brackets ? in_brackets : bare;
  mailbox.erase(0, mailbox.find_first_not_of(' '));
  mailbox.erase(mailbox.find_last_not_of(' ') + 1);
  return mailbox;
}

void add_once(std::vector<std::string>& list, std::string address) {
  if (std::find(list.begin(), list.end(), address) == list.end()) list.push_back(std::move(address));
}

bool names_recipients(std::string_view name, bool resent) {
  const std::string_view plain = resent && ascii_istarts_with(name, "Resent-") ? name.substr(7) : name;
  if (resent && plain.size() == name.size()) return false;
  return ascii_iequal(plain, "To") || ascii_iequal(plain, "Cc") || ascii_iequal(plain, "Bcc");
}

std::string quoted_name(const std::string& name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) { return is_ascii_alnum(c) || c == ' '; });
  if (plain || is_8bit(name)) return name;
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c >= ' ' && c != 0x7f) quoted += c;
  }
  return quoted + '"';
}

}  // namespace

Result<std::vector<std::string>> listed_addresses(std::string_view value, std::string_view mail_name) {
  std::vector<std::string> addresses;
  std::string_view rest = value;
  std::size_t begin = 0;
  bool quoted = false;
  bool bracketed = false;
  int depth = 0;
  const auto take = [&](std::size_t end) -> Result<void> {
    const std::string mailbox = bare_mailbox(rest.substr(begin, end - begin));
    begin = end + 1;
    if (mailbox.empty()) return {};
    auto address = complete_address(mailbox, mail_name);
    if (!address) return tl::unexpected(std::move(address.error()));
    add_once(addresses, std::move(*address));
    return {};
  };
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const char c = rest[i];
    if (c == '\\') {
      ++i;
    } else if (c == '"' && depth == 0) {
      quoted = !quoted;
    } else if (quoted) {
      continue;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && depth > 0) {
      --depth;
    } else if (depth > 0) {
      continue;
    } else if (c == '<' || c == '>') {
      bracketed = c == '<';
    } else if (bracketed) {
      continue;
    } else if (c == ':') {
      begin = i + 1;  // the name of a group
    } else if (c == ',' || c == ';') {
      if (auto taken = take(i); !taken) return tl::unexpected(std::move(taken.error()));
    }
  }
  if (auto taken = take(rest.size()); !taken) return tl::unexpected(std::move(taken.error()));
  return addresses;
}

Result<LocalMessage> compose_local_message(std::string_view input, const SendmailArguments& arguments,
                                           const Caller& caller) {
  LocalMessage message;
  const std::string text = with_crlf(input, arguments.dot_ends);
  std::string_view rest = text;
  if (rest.starts_with("From ")) rest.remove_prefix(std::min(rest.find("\r\n"), rest.size() - 2) + 2);
  auto sender = complete_address(arguments.sender.value_or(caller.user), caller.mail_name);
  const bool null_sender = arguments.sender && arguments.sender->empty();
  if (!sender && !null_sender) return tl::unexpected(std::move(sender.error()));
  if (!null_sender) message.sender = *sender;
  for (const std::string& word : arguments.recipients) {
    auto listed = listed_addresses(word, caller.mail_name);
    if (!listed) return tl::unexpected(std::move(listed.error()));
    for (std::string& address : *listed) add_once(message.recipients, std::move(address));
  }

  std::vector<std::string_view> fields;
  while (const std::size_t octets = field_octets(rest)) {
    fields.push_back(rest.substr(0, octets));
    rest.remove_prefix(octets);
  }
  const auto name_of = [](std::string_view field) { return field.substr(0, field.find(':')); };
  const auto has = [&](std::string_view name) {
    return std::ranges::any_of(fields, [&](std::string_view field) { return ascii_iequal(name_of(field), name); });
  };
  const bool resent = has("Resent-To") || has("Resent-Cc") || has("Resent-Bcc");
  std::string header;
  for (const std::string_view field : fields) {
    if (arguments.recipients_from_header && names_recipients(name_of(field), resent)) {
      auto listed = listed_addresses(field.substr(field.find(':') + 1), caller.mail_name);
      if (!listed) return tl::unexpected(std::move(listed.error()));
      for (std::string& address : *listed) add_once(message.recipients, std::move(address));
    }
    if (!ascii_iequal(name_of(field), "Bcc") && !ascii_iequal(name_of(field), "Resent-Bcc")) header += field;
  }
  if (message.recipients.empty()) return fail(ErrorKind::Malformed, "no recipient is named");
  if (!has("From")) {
    const std::string& name = arguments.full_name.empty() ? caller.full_name : arguments.full_name;
    const std::string address = null_sender ? fmt::format("{}@{}", caller.user, caller.mail_name) : message.sender;
    header += name.empty() ? fmt::format("From: {}\r\n", address)
                           : fmt::format("From: {} <{}>\r\n", quoted_name(name), address);
  }
  // Text without any header is all body. A header with a line that is no field goes as it is: the relay refuses it, as from
  // everybody else.
  const bool all_body = fields.empty() && !rest.starts_with("\r\n");
  message.content = header + (all_body || rest.empty() ? "\r\n" : "") + std::string(rest);
  message.body_8bit = arguments.body_8bit || is_8bit(message.content);
  message.smtputf8 = is_8bit(message.sender) || std::ranges::any_of(message.recipients, is_8bit);
  return message;
}

}  // namespace waxwing
