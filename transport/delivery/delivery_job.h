#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policy/delivery_notice.h"
#include "policy/delivery_stage.h"
#include "policy/delivery_timing.h"
#include "policy/domain_name.h"
#include "policy/mail_address.h"
#include "policy/time_point.h"
#include "policy/tls_demands.h"
#include "policy/tls_report.h"
#include "policy/tls_requirement.h"
#include "transport/delivery/content_source.h"
#include "transport/delivery/delivery_route.h"
#include "transport/delivery/local_end_chooser.h"

namespace waxwing {

/// One message for one recipient domain.
struct DeliveryJob {
  std::string id;                             ///< queue id, for logs
  DomainName domain;                          ///< of all recipients
  std::optional<MailAddress> reverse_path{};  ///< no value: null reverse-path
  std::vector<MailAddress> recipients{};      ///< all within `domain`
  bool needs_8bit = false;
  bool needs_smtputf8 = false;
  TlsDemands demands{};
  std::unique_ptr<ContentSource> content{};
  MessageNotice notice{};
  std::vector<RecipientNotice> notices{};  ///< in the order of recipients; empty: none for any
  std::optional<DeliverBy> deliver_by{};
  std::shared_ptr<const DeliveryRoute> route{};  ///< nullptr: by the MX of `domain`
  std::shared_ptr<LocalEndChooser> local_end{};  ///< nullptr: the agent's own end
};

/// What one attempt came to for one recipient.
struct RecipientOutcome {
  enum class Kind { Delivered, Deferred, Bounced };
  Kind kind = Kind::Deferred;
  std::string status;                         ///< enhanced status code, "2.0.0", "4.7.5", "5.1.1"
  std::string reason;                         ///< one sentence that names host and cause
  std::string remote_reply;                   ///< reply of the remote server on one line, if there was one
  bool notices_passed_on = false;             ///< delivered to a host that reports on it as the sender asked (RFC 3461)
  DeliveryStage stage = DeliveryStage::None;  ///< how far it had come where it failed
  bool deliver_by_passed_on = false;  ///< delivered to a host that knows by when it is to be delivered (RFC 2852)
  /// Deferred because of our own end, not of the host: when the next attempt may be made, perhaps at once.
  std::optional<WallTime> retry_at{};
};

/// The record of an attempt: the same object is logged, stored and shown.
struct DeliveryReport {
  std::vector<RecipientOutcome> recipients;   ///< in the order of DeliveryJob::recipients
  std::string mx_name;                        ///< host that gave the outcome; empty: none was reached
  std::string peer;                           ///< its endpoint
  std::string local_address;                  ///< our address on that connection
  std::string source;                         ///< LocalEnd::source of it
  TlsLevel proven = TlsLevel::Plaintext;      ///< what the connection had proven; Plaintext: no TLS came about
  std::string tls_method;                     ///< "dane", "pkix", "opportunistic"; empty: none
  std::string tls_summary;                    ///< "TLSv1.3 TLS_AES_128_GCM_SHA256", empty: none
  std::string requirement_reason;             ///< sentence of the requirement that applied
  std::vector<TlsSessionResult> tls_results;  ///< sessions of this attempt that no other has counted, for TLS reports
  std::string route{};                        ///< name of the route by which it went; empty: by MX
};

}  // namespace waxwing
