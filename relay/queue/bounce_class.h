#pragma once

#include <cstdint>
#include <string_view>

#include "policy/delivery_stage.h"

namespace waxwing {

/// What stands behind a refusal or a delay, in terms of who can do something about it.
enum class BounceClass : std::uint8_t {
  Unclassified,    ///< nothing tells
  BadMailbox,      ///< the mailbox does not exist or is closed: nothing will ever reach it
  BadDomain,       ///< the domain does not exist or takes no mail
  Quota,           ///< the mailbox is full
  Size,            ///< the message is too large for the host or the mailbox
  Content,         ///< the host cannot take this content: form, character set, malware
  Spam,            ///< the host takes the content for unsolicited mail
  Reputation,      ///< our address or domain is on a list, or thought of badly
  Authentication,  ///< SPF, DKIM, DMARC or the name of our address did not satisfy the host
  Policy,          ///< the host does not want this mail, for a reason of its own
  Rate,            ///< too much at once
  Greylisting,     ///< the host wants to see the message again later
  Tls,             ///< what TLS proved, or did not
  Protocol,        ///< one side does not understand the other
  Infrastructure,  ///< network, DNS, or a host that is out of order or wrongly set up
};

/// "unclassified", "bad-mailbox", "bad-domain", "quota", "size", "content", "spam", "reputation", "authentication",
/// "policy", "rate", "greylisting", "tls", "protocol", "infrastructure".
[[nodiscard]] std::string_view bounce_class_name(BounceClass bounce_class);

/// What is known about a delivery that failed, now or for good.
struct BounceEvidence {
  std::string_view status;  ///< enhanced status code, "5.1.1"; that of the reply, or ours where there is none
  std::string_view reply;   ///< "550 5.1.1 no such user", on one line; empty: no host said it
  DeliveryStage stage = DeliveryStage::None;
};

/// Classifies a failure: words that leave no doubt first (a block list beside 5.1.1 is no missing mailbox), then status
/// codes that mean one thing, then other words, then the subject of the status code, then the reply code. BadMailbox and
/// Quota are said of recipients alone: before RCPT a host speaks of us or of the sender.
/// @return  the class; whether the failure is final is another matter
/// @limits  one pass over the reply for each known phrase, about 100
/// @source  RFC 3463 §3, RFC 5248 §2, RFC 7372 §3, RFC 7505 §4, RFC 5321 §4.2.3
[[nodiscard]] BounceClass classify_bounce(const BounceEvidence& evidence);

}  // namespace waxwing
