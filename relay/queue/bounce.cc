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
constexpr std::size_t kMaxReturnedOctets = 24'576;

// The words of a report about one action.
struct ActionWords {
  std::string_view field;  // RFC 3464 §2.3.3
  std::string_view subject;
  std::string_view text;    // for people
  std::string_view status;  // where none is known
};
ActionWords words_of(ReportedAction action) {
  switch (action) {
    case ReportedAction::Delayed:
      return {"delayed", "Delayed mail, which is still being tried",
              "Your message could not be delivered yet to the recipients below.\r\n"
              "It will be tried again; you need not send it anew.\r\n",
              "4.0.0"};
    case ReportedAction::Relayed:
      return {"relayed", "Mail handed on to its next host",
              "Your message was handed on for the recipients below, to a host that\r\n"
              "may make no report of what comes of it.\r\n",
              "2.0.0"};
    case ReportedAction::Failed:
      break;
  }
  return {"failed", "Undelivered mail returned to sender",
          "Your message could not be delivered to the recipients below.\r\n"
          "It will not be tried again for them.\r\n",
          "5.0.0"};
}

// What a report says about one recipient.
struct RecipientParts {
  std::string text;    // for people
  std::string fields;  // per-recipient fields of RFC 3464 §2.3
};

std::string text_for_people(const ReportedRecipient& recipient, const std::string& reply) {
  const std::string address = typed_address(recipient.address);
  std::string text = fmt::format("<{}>\r\n", std::string_view(address).substr(address.find(' ') + 1));
  text += wrapped("  " + printable_line(recipient.reason, kMaxTextOctets), "  ") + "\r\n";
  if (!reply.empty()) text += wrapped("  The remote server said: " + reply, "  ") + "\r\n";
  return text + "\r\n";
}

std::string status_fields(const QueuedMessage& original, const ReportedRecipient& recipient, const std::string& reply) {
  const ActionWords words = words_of(recipient.action);
  std::string fields = "\r\n";
  if (!recipient.original_recipient.empty())
    fields += wrapped("Original-Recipient: " + original_recipient_text(recipient.original_recipient), " ") + "\r\n";
  fields += fmt::format("Final-Recipient: {}\r\nAction: {}\r\nStatus: {}\r\n", typed_address(recipient.address),
                        words.field, is_enhanced_status(recipient.status) ? recipient.status : words.status);
  const std::string mx_name = printable_line(recipient.mx_name, kMaxTextOctets);
  if (!mx_name.empty()) fields += fmt::format("Remote-MTA: dns; {}\r\n", mx_name);
  if (!reply.empty()) fields += wrapped(fmt::format("Diagnostic-Code: smtp; {}", reply), " ") + "\r\n";
  if (recipient.action == ReportedAction::Delayed)
    fields += fmt::format("Will-Retry-Until: {}\r\n", message_date(original.expires));
  return fields + fmt::format("Last-Attempt-Date: {}\r\n", message_date(recipient.last_attempt));
}

RecipientParts describe(const QueuedMessage& original, const ReportedRecipient& recipient) {
  const std::string reply = printable_line(recipient.remote_reply, kMaxTextOctets);
  return {text_for_people(recipient, reply), status_fields(original, recipient, reply)};
}

// The Message-ID of the original when it can stand in a field as it is.
std::string quotable_message_id(const std::string& message_id) {
  const bool clean = message_id.size() > 2 && message_id.size() <= 250 && message_id.front() == '<' &&
                     message_id.back() == '>' &&
                     std::ranges::all_of(message_id, [](char c) { return c > 0x20 && c < 0x7f; });
  return clean ? message_id : std::string();
}

std::string report_header(const QueuedMessage& original, const BounceOptions& options, QueueId id,
                          std::string_view subject, const std::string& boundary) {
  std::string header = fmt::format(
      "Date: {}\r\n"
      "From: Mail Delivery System <postmaster@{}>\r\n"
      "To: <{}>\r\n"
      "Subject: {}\r\n"
      "Message-ID: <{}@{}>\r\n",
      message_date(options.now), options.hostname, original.reverse_path->str(), subject, id.str(), options.hostname);
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

// What is given back of the original, as a MIME part.
struct Returned {
  std::string fields;
  std::string text;
  std::string_view sentence;
};
Returned returned_part(const QueuedMessage& original, ReportedAction action) {
  if (action == ReportedAction::Failed && is_returned_whole(original)) {
    std::string text = original.header + "\r\n" + original.body;
    if (!text.ends_with("\r\n")) text += "\r\n";
    return {"Content-Type: message/rfc822\r\n", std::move(text), "Your message is attached.\r\n"};
  }
  ReturnedHeader header = returned_header(original.header, kMaxReturnedOctets);
  return {fmt::format("Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: {}\r\n",
                      header.quoted_printable ? "quoted-printable" : "7bit"),
          std::move(header.text), "The header of your message is attached.\r\n"};
}

// Fields about the message as a whole. @source RFC 3464 §2.2
std::string message_fields(const QueuedMessage& original, const BounceOptions& options) {
  std::string fields;
  if (const auto envelope_id = decode_xtext(original.notice.envelope_id); envelope_id && !envelope_id->empty())
    fields = wrapped("Original-Envelope-Id: " + *envelope_id, " ") + "\r\n";
  fields +=
      fmt::format("Reporting-MTA: dns; {}\r\nArrival-Date: {}\r\n", options.hostname, message_date(original.accepted));
  if (original.deliver_by)  // RFC 2852 §5
    fields += fmt::format("Deliver-By-Date: {}\r\n", message_date(original.deliver_by->time));
  if (!original.release_request.empty())  // RFC 4865 §5.1.2
    fields += fmt::format("Future-Release-Request: {}\r\n", original.release_request);
  return fields;
}

std::string report_body(const QueuedMessage& original, const BounceOptions& options, ReportedAction action,
                        const RecipientParts& recipients, const Returned& returned, const std::string& boundary) {
  const std::string text = fmt::format("This is the mail system at host {}.\r\n\r\n{}\r\n{}{}", options.hostname,
                                       words_of(action).text, recipients.text, returned.sentence);
  return part(boundary, "Content-Type: text/plain; charset=us-ascii\r\n", text) +
         part(boundary, "Content-Type: message/delivery-status\r\n",
              message_fields(original, options) + recipients.fields) +
         part(boundary, returned.fields, returned.text) + fmt::format("--{}--\r\n", boundary);
}

// A boundary that occurs nowhere in the report; the seed keeps the author of the original from knowing it beforehand.
std::string boundary_for(std::uint64_t seed, QueueId id, const RecipientParts& recipients, const Returned& returned) {
  std::string boundary;
  do {
    boundary = fmt::format("=_{:016X}.{}", seed++, id.str());
  } while (recipients.text.find(boundary) != std::string::npos ||
           recipients.fields.find(boundary) != std::string::npos || returned.text.find(boundary) != std::string::npos);
  return boundary;
}

QueuedMessage compose(const QueuedMessage& original, const BounceOptions& options, ReportedAction action,
                      const RecipientParts& recipients, const Returned& returned, QueueId id) {
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
  report.header = report_header(original, options, id, words_of(action).subject, boundary);
  report.body = report_body(original, options, action, recipients, returned, boundary);
  report.body_octets = report.body.size();
  QueuedRecipient sender{0, *original.reverse_path};
  sender.next_attempt = options.now;
  report.recipients.push_back(std::move(sender));
  return report;
}

// Reports about one action: as few as the limit of octets allows.
void compose_reports(const QueuedMessage& original, const std::vector<ReportedRecipient>& reported,
                     ReportedAction action, const BounceOptions& options, QueueIdSource& ids,
                     std::vector<QueuedMessage>& reports) {
  const Returned returned = returned_part(original, action);
  RecipientParts recipients;
  const auto finish_report = [&] {
    if (recipients.text.empty()) return;
    reports.push_back(compose(original, options, action, recipients, returned, ids.next(options.now)));
    recipients = RecipientParts{};
  };
  for (const ReportedRecipient& recipient : reported) {
    if (recipient.action != action) continue;
    RecipientParts described = describe(original, recipient);
    const std::size_t octets = recipients.text.size() + recipients.fields.size();
    if (octets + described.text.size() + described.fields.size() > kMaxRecipientsOctets) finish_report();
    recipients.text += described.text;
    recipients.fields += described.fields;
  }
  finish_report();
}

}  // namespace

bool is_wanted(ReportedAction action, const RecipientNotice& notice) {
  if (!notice.notify) return action == ReportedAction::Failed;
  switch (action) {
    case ReportedAction::Delayed:
      return notice.notify->delay;
    case ReportedAction::Relayed:
      return notice.notify->success;
    case ReportedAction::Failed:
      break;
  }
  return notice.notify->failure;
}

bool is_wanted_of_time(ReportedAction action, const RecipientNotice& notice) {
  if (!notice.notify) return true;
  return notice.notify->delay || (action == ReportedAction::Relayed && *notice.notify != NotifyWish());
}

bool is_returned_whole(const QueuedMessage& message) {
  return message.notice.content == ReturnedContent::Full && !message.spooled && !message.needs_8bit &&
         message.header.size() + 2 + message.body.size() <= kMaxReturnedOctets && is_7bit_text(message.header) &&
         is_7bit_text(message.body);
}

std::vector<QueuedMessage> compose_bounces(const QueuedMessage& original,
                                           const std::vector<ReportedRecipient>& reported, const BounceOptions& options,
                                           QueueIdSource& ids) {
  std::vector<QueuedMessage> reports;
  if (!original.reverse_path) return reports;
  for (const ReportedAction action : {ReportedAction::Failed, ReportedAction::Delayed, ReportedAction::Relayed})
    compose_reports(original, reported, action, options, ids, reports);
  return reports;
}

}  // namespace waxwing
