#pragma once

#include <optional>
#include <string>

#include "policy/dmarc_verdict.h"
#include "policy/domain_name.h"
#include "policy/ip_address.h"
#include "policy/lookup.h"
#include "policy/mail_address.h"
#include "policy/spf.h"
#include "policy/time_point.h"
#include "signer/authentication_results.h"
#include "signer/message_verifier.h"

namespace waxwing {

/// What a receiver of a message learns from the connection.
struct ReceivedEnvelope {
  std::optional<IpAddress> client;          ///< no value: SPF cannot be judged
  std::string helo;                         ///< as the client said it; hostile
  std::optional<MailAddress> reverse_path;  ///< no value: null
};

/// What a receiver finds out about a message.
struct ReceivedVerdict {
  SignatureVerdicts signatures;
  std::optional<SpfInput> spf_input;  ///< no value, and none of `spf`: not judged
  std::optional<SpfVerdict> spf;
  std::optional<DomainName> author_domain;  ///< no value: DMARC has no one domain to check
  std::string author_fault;                 ///< why not
  std::optional<DmarcVerdict> dmarc;
};

/// Judges a message as a receiver does: DKIM, ARC, SPF where the client is known, DMARC.
/// @param message  after finish()
/// @return         no value: answers.missing() lists what to ask before calling again
/// @source  RFC 6376 §6.1, RFC 8617 §5.2, RFC 7208 §4, RFC 9989 §5
[[nodiscard]] std::optional<ReceivedVerdict> judge_received(const MessageVerifier& message,
                                                            const ReceivedEnvelope& envelope, Answers& answers,
                                                            WallTime now);

/// What Authentication-Results says of it.
/// @param authserv_id  of whoever judged
[[nodiscard]] AuthenticationResults report_received(const ReceivedVerdict& verdict, std::string authserv_id,
                                                    const std::optional<IpAddress>& client);

/// Whether a receiver that goes by DMARC takes the message; where no policy applies, whether nothing that was tried has
/// failed. Of several signatures one that passes is enough (RFC 6376 §6.1).
[[nodiscard]] bool would_be_accepted(const ReceivedVerdict& verdict);

}  // namespace waxwing
