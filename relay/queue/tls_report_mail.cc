#include "relay/queue/tls_report_mail.h"

#include <fmt/format.h>

#include <algorithm>

#include "policy/base64.h"
#include "relay/queue/bounce_text.h"

namespace waxwing {
namespace {

constexpr std::size_t kBase64LineOctets = 76;  // RFC 2045 §6.8
constexpr std::string_view kMailto = "mailto:";

// Nothing in the parts can look like it: one is our own text, the other is base64.
constexpr std::string_view kBoundary = "=_waxwing_tls_report";

std::string base64_lines(std::string_view octets) {
  const std::string encoded = encode_base64(octets);
  std::string lines;
  for (std::size_t start = 0; start < encoded.size(); start += kBase64LineOctets) {
    lines += encoded.substr(start, kBase64LineOctets) + "\r\n";
  }
  return lines;
}

std::string header_of(const TlsReportMail& mail, const MailAddress& recipient, const std::string& message_id) {
  return fmt::format(
      "Date: {}\r\n"
      "From: {}\r\n"
      "To: {}\r\n"
      "Subject: Report Domain: {}\r\n Submitter: {}\r\n Report-ID: {}\r\n"
      "Message-ID: {}\r\n"
      "TLS-Report-Domain: {}\r\n"
      "TLS-Report-Submitter: {}\r\n"
      "Auto-Submitted: auto-generated\r\n"
      "MIME-Version: 1.0\r\n"
      "Content-Type: multipart/report; report-type=\"tlsrpt\";\r\n boundary=\"{}\"\r\n",
      message_date(mail.now), mail.frame.contact_info, recipient.str(), mail.policy_domain, mail.submitter, message_id,
      message_id, mail.policy_domain, mail.submitter, kBoundary);
}

std::string body_of(const TlsReportMail& mail) {
  const std::string file = tls_report_file_name(mail.frame, mail.submitter, mail.policy_domain);
  return fmt::format(
      "--{0}\r\n"
      "Content-Type: text/plain; charset=us-ascii\r\n\r\n"
      "This is an aggregate report about TLS sessions with the hosts of {1}\r\n"
      "from {2}, as RFC 8460 describes it.\r\n"
      "--{0}\r\n"
      "Content-Type: application/tlsrpt+gzip\r\n"
      "Content-Transfer-Encoding: base64\r\n"
      "Content-Disposition: attachment;\r\n filename=\"{3}\"\r\n\r\n"
      "{4}"
      "--{0}--\r\n",
      kBoundary, mail.policy_domain, mail.submitter, file, base64_lines(mail.compressed));
}

std::optional<std::string> percent_decoded(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (i + 2 >= text.size() || digit(text[i + 1]) < 0 || digit(text[i + 2]) < 0) return std::nullopt;
    decoded += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
    i += 2;
  }
  return decoded;
}

}  // namespace

QueuedMessage compose_tls_report_mail(const TlsReportMail& mail, const MailAddress& recipient, QueueId id) {
  QueuedMessage message;
  message.id = id;
  message.accepted = mail.now;
  message.expires = mail.now + mail.lifetime;
  message.message_id = fmt::format("<{}@{}>", id.str(), mail.submitter);
  message.tls_request = TlsRequest::Optional;
  message.header = header_of(mail, recipient, message.message_id);
  message.body = body_of(mail);
  message.body_octets = message.body.size();
  QueuedRecipient queued{0, recipient};
  queued.next_attempt = mail.now;
  message.recipients.push_back(std::move(queued));
  return message;
}

std::optional<MailAddress> mailto_address(const TlsReportUri& uri) {
  if (uri.scheme != TlsReportUri::Scheme::Mailto || uri.text.size() <= kMailto.size()) return std::nullopt;
  const std::string_view rest = std::string_view(uri.text).substr(kMailto.size());
  const auto decoded = percent_decoded(rest.substr(0, rest.find('?')));
  if (!decoded) return std::nullopt;
  const bool ascii = std::ranges::all_of(*decoded, [](char c) { return c > 0x20 && c < 0x7f; });
  const auto address = MailAddress::parse(*decoded);
  return ascii && address ? std::optional(*address) : std::nullopt;
}

}  // namespace waxwing
