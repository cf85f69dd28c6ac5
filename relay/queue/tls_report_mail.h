#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "policy/mail_address.h"
#include "policy/time_point.h"
#include "policy/tls_report.h"
#include "policy/tls_report_record.h"
#include "relay/queue/queued_message.h"

namespace waxwing {

/// What the mail with a report about TLS is made of.
struct TlsReportMail {
  TlsReportFrame frame;
  std::string policy_domain;  ///< that the report is about, in A-labels
  std::string submitter;      ///< domain of frame.contact_info
  std::string compressed;     ///< the report, as gzip has it
  WallTime now;
  Seconds lifetime{0};  ///< in the queue
};

/// Composes the mail, unsigned. It has a null reverse-path, so that nobody is told of its failure, and it asks for TLS
/// only where that is to be had: a report must reach a domain whose TLS is out of order, and creates no results itself.
/// @source  RFC 8460 §3 and §5.3
[[nodiscard]] QueuedMessage compose_tls_report_mail(const TlsReportMail& mail, const MailAddress& recipient,
                                                    QueueId id);

/// The address of a mailto URI, without its header fields.
/// @return  no value: another scheme, no address, or one that is not printable ASCII
/// @source  RFC 6068 §2
[[nodiscard]] std::optional<MailAddress> mailto_address(const TlsReportUri& uri);

}  // namespace waxwing
