#include "relay/queue/bounce.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "relay/queue/bounce_text.h"

namespace waxwing {
namespace {

// Together with the fixed texts these stay below kMaxInlineBodyOctets.
constexpr std::size_t kMaxTextOctets = 600;  // of one reason or remote reply
constexpr std::size_t kMaxRecipientsOctets = 36'864;
constexpr std::size_t kMaxReturnedHeaderOctets = 24'576;

// What a report says about one recipient.
struct RecipientParts {
  std::string text;    // for people
  std::string fields;  // per-recipient fields of RFC 3464 §2.3
};

std::string text_for_people(const FailedRecipient& recipient, const std::string& reply) {
  const std::string address = typed_address(recipient.address);
  std::string text = fmt::format("<{}>\r\n", std::string_view(address).substr(address.find(' ') + 1));
  text += wrapped("  " + printable_line(recipient.reason, kMaxTextOctets), "  ") + "\r\n";
  if (!reply.empty()) text += wrapped("  The remote server said: " + reply, "  ") + "\r\n";
  return text + "\r\n";
}

std::string status_fields(const FailedRecipient& recipient, const std::string& reply) {
  std::string fields =
      fmt::format("\r\nFinal-Recipient: {}\r\nAction: failed\r\nStatus: {}\r\n", typed_address(recipient.address),
                  is_enhanced_status(recipient.status) ? recipient.status : "5.0.0");
  const std::string mx_name = printable_line(recipient.mx_name, kMaxTextOctets);
  if (!mx_name.empty()) fields += fmt::format("Remote-MTA: dns; {}\r\n", mx_name);
  if (!reply.empty()) fields += wrapped(fmt::format("Diagnostic-Code: smtp; {}", reply), " ") + "\r\n";
  return fields + fmt::format("Last-Attempt-Date: {}\r\n", message_date(recipient.last_attempt));
}

RecipientParts describe(const FailedRecipient& recipient) {
  const std::string reply = printable_line(recipient.remote_reply, kMaxTextOctets);
  return {text_for_people(recipient, reply), status_fields(recipient, reply)};
}

// The Message-ID of the original when it can stand in a field as it is.
std::string quotable_message_id(const std::string& message_id) {
  const bool clean = message_id.size() > 2 && message_id.size() <= 250 && message_id.front() == '<' &&
                     message_id.back() == '>' &&
                     std::ranges::all_of(message_id, [](char c) { return c > 0x20 && c < 0x7f; });
  return clean ? message_id : std::string();
}

std::string report_header(const QueuedMessage& original, const BounceOptions& options, QueueId id,
                          const std::string& boundary) {
  std::string header = fmt::format(
      "Date: {}\r\n"
      "From: Mail Delivery System <postmaster@{}>\r\n"
      "To: <{}>\r\n"
      "Subject: Undelivered mail returned to sender\r\n"
      "Message-ID: <{}@{}>\r\n",
      message_date(options.now), options.hostname, original.reverse_path->str(), id.str(), options.hostname);
  const std::string message_id = quotable_message_id(original.message_id);
  if (!message_id.empty()) header += fmt::format("In-Reply-To: {0}\r\nReferences: {0}\r\n", message_id);
  return header + fmt::format(
                      "Auto-Submitted: auto-replied\r\n"
                      "MIME-Version: 1.0\r\n"
                      "Content-Type: multipart/report; report-type=delivery-status;\r\n"
                      " boundary=\"{}\"\r\n",
                      boundary);
}

std::string part(const std::string& boundary, std::string_view fields, std::string_view content) {
  return fmt::format("--{}\r\n{}\r\n{}\r\n", boundary, fields, content);
}

std::string report_body(const QueuedMessage& original, const BounceOptions& options, const RecipientParts& recipients,
                        const ReturnedHeader& returned, const std::string& boundary) {
  const std::string text = fmt::format(
      "This is the mail system at host {}.\r\n\r\n"
      "Your message could not be delivered to the recipients below.\r\n"
      "It will not be tried again for them.\r\n\r\n{}"
      "The header of your message is attached.\r\n",
      options.hostname, recipients.text);
  const std::string status = fmt::format("Reporting-MTA: dns; {}\r\nArrival-Date: {}\r\n{}", options.hostname,
                                         message_date(original.accepted), recipients.fields);
  const std::string header_fields =
      fmt::format("Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: {}\r\n",
                  returned.quoted_printable ? "quoted-printable" : "7bit");
  return part(boundary, "Content-Type: text/plain; charset=us-ascii\r\n", text) +
         part(boundary, "Content-Type: message/delivery-status\r\n", status) +
         part(boundary, header_fields, returned.text) + fmt::format("--{}--\r\n", boundary);
}

// A boundary that occurs nowhere in the report; the seed keeps the author of the original from knowing it beforehand.
std::string boundary_for(std::uint64_t seed, QueueId id, const RecipientParts& recipients,
                         const ReturnedHeader& returned) {
  std::string boundary;
  do {
    boundary = fmt::format("=_{:016X}.{}", seed++, id.str());
  } while (recipients.text.find(boundary) != std::string::npos ||
           recipients.fields.find(boundary) != std::string::npos || returned.text.find(boundary) != std::string::npos);
  return boundary;
}

QueuedMessage compose(const QueuedMessage& original, const BounceOptions& options, const RecipientParts& recipients,
                      const ReturnedHeader& returned, QueueId id) {
  const std::string boundary = boundary_for(options.seed, id, recipients, returned);
  const bool ascii = std::ranges::all_of(original.reverse_path->local_part, [](char c) { return c >= 0; });
  QueuedMessage report;
  report.id = id;
  report.accepted = options.now;
  report.expires = options.now + options.lifetime;
  report.tenant = original.tenant;
  report.message_id = fmt::format("<{}@{}>", id.str(), options.hostname);
  report.needs_smtputf8 = !ascii;
  // RFC 8689 §5: a report is protected as the message that it is about.
  if (original.tls_request == TlsRequest::Required) report.tls_request = TlsRequest::Required;
  report.header = report_header(original, options, id, boundary);
  report.body = report_body(original, options, recipients, returned, boundary);
  report.body_octets = report.body.size();
  QueuedRecipient sender{0, *original.reverse_path};
  sender.next_attempt = options.now;
  report.recipients.push_back(std::move(sender));
  return report;
}

}  // namespace

std::vector<QueuedMessage> compose_bounces(const QueuedMessage& original, const std::vector<FailedRecipient>& failed,
                                           const BounceOptions& options, QueueIdSource& ids) {
  std::vector<QueuedMessage> reports;
  if (!original.reverse_path || failed.empty()) return reports;
  const ReturnedHeader returned = returned_header(original.header, kMaxReturnedHeaderOctets);
  RecipientParts recipients;
  const auto finish_report = [&] {
    reports.push_back(compose(original, options, recipients, returned, ids.next(options.now)));
    recipients = RecipientParts{};
  };
  for (const FailedRecipient& recipient : failed) {
    RecipientParts described = describe(recipient);
    const std::size_t octets = recipients.text.size() + recipients.fields.size();
    if (octets > 0 && octets + described.text.size() + described.fields.size() > kMaxRecipientsOctets) finish_report();
    recipients.text += described.text;
    recipients.fields += described.fields;
  }
  finish_report();
  return reports;
}

}  // namespace waxwing
