#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/domain_name.h"
#include "policy/time_point.h"
#include "relay/queue/queued_message.h"
#include "signer/header_field.h"

namespace waxwing {

/// What the relay knows of a submission and tells in its Received field.
struct TraceFacts {
  std::string helo_name;    ///< as the client gave it; hostile
  std::string peer;         ///< address of the client
  std::string hostname;     ///< ours
  std::string tls_summary;  ///< "TLSv1.3 TLS_AES_128_GCM_SHA256", empty without TLS
  QueueId id;
  WallTime now;
  bool authenticated = true;
  std::string_view protocol = "ESMTP";  ///< as RFC 3848 §3 names it, without the letters for TLS and login
};

/// What is added to a header that lacks it.
struct MissingFields {
  bool date = true;
  bool message_id = true;
  bool utf8_label = false;  ///< MIME fields that say that the body is text in UTF-8, where there are none
};

/// A date as header fields carry it, in UTC: "Sat, 31 Jan 2026 12:00:00 +0000".
/// @source  RFC 5322 §3.3
[[nodiscard]] std::string format_mail_date(WallTime time);

/// Composes the Received field, folded, with its CRLF. The account is not told: that is nobody else's business.
/// @source  RFC 5321 §4.4, RFC 3848 §3 (ESMTPA, ESMTPSA)
[[nodiscard]] std::string compose_received(const TraceFacts& facts);

/// Fields that a submission server adds where they are missing: Date, Message-ID, and what labels a body of 8-bit text,
/// each with its CRLF.
/// @param fields  of the header as submitted
/// @source  RFC 6409 §8.2 and §8.3, RFC 2045 §4, §5.2 (without a label, text is ASCII)
[[nodiscard]] std::string compose_missing_fields(const std::vector<HeaderField>& fields, const std::string& hostname,
                                                 QueueId id, WallTime now, MissingFields wanted = {});

/// Whether there is a field of that name.
[[nodiscard]] bool has_field(const std::vector<HeaderField>& fields, std::string_view name);

/// The Message-ID with its angle brackets, without folds and comments around it; empty when there is none that is
/// readable.
[[nodiscard]] std::string find_message_id(const std::vector<HeaderField>& fields);

/// Number of Received fields: a message with more than kMaxReceivedFields goes in a circle.
/// @source  RFC 5321 §6.3
[[nodiscard]] std::size_t count_received(const std::vector<HeaderField>& fields);
inline constexpr std::size_t kMaxReceivedFields = 50;

}  // namespace waxwing
