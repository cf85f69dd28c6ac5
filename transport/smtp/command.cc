#include "transport/smtp/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace waxwing {
namespace {

std::string path(const MailAddress& address) {
  std::string text = address.str();
  // MailAddress::parse lets no control character through; one here would be a command injected by ourselves.
  assert(std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }));
  return text;
}

}  // namespace

std::string mail_command(const std::optional<MailAddress>& reverse_path, const MailParameters& parameters,
                         const SmtpExtensions& extensions) {
  std::string command = fmt::format("MAIL FROM:<{}>", reverse_path ? path(*reverse_path) : std::string());
  if (extensions.size) command += fmt::format(" SIZE={}", parameters.size_octets);
  if (extensions.eight_bit_mime && parameters.needs_8bit) command += " BODY=8BITMIME";
  if (extensions.smtputf8 && parameters.needs_smtputf8) command += " SMTPUTF8";
  if (extensions.requiretls && parameters.require_tls) command += " REQUIRETLS";
  const std::string_view content = returned_content_word(parameters.notice.content);
  if (extensions.dsn && !content.empty()) command += fmt::format(" RET={}", content);
  if (extensions.dsn && !parameters.notice.envelope_id.empty())
    command += fmt::format(" ENVID={}", parameters.notice.envelope_id);
  if (extensions.deliverby && parameters.by) command += " BY=" + parameters.by->str();
  return command + "\r\n";
}

std::string rcpt_command(const MailAddress& recipient, const RecipientNotice& notice,
                         const SmtpExtensions& extensions) {
  std::string command = fmt::format("RCPT TO:<{}>", path(recipient));
  if (extensions.dsn && notice.notify) command += fmt::format(" NOTIFY={}", notice.notify->str());
  if (extensions.dsn && !notice.original_recipient.empty())
    command += fmt::format(" ORCPT={}", notice.original_recipient);
  return command + "\r\n";
}

}  // namespace waxwing
