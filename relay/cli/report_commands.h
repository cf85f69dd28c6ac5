#pragma once

#include <string>

#include "policy/result.h"
#include "relay/cli/ask_relay.h"
#include "relay/cli/output.h"

namespace waxwing {

/// Lists days and domains for which TLS sessions were counted.
[[nodiscard]] Result<void> list_tls_reports(const AskRelay& ask, Output& output);

/// Prints the report about one domain as RFC 8460 has it, in both formats.
/// @param day       "2026-01-31"; empty: the last one with sessions
/// @param organization  as tls_report.organization
/// @param contact       as tls_report.contact
/// @errors  NotFound: no session was counted
[[nodiscard]] Result<void> show_tls_report(const AskRelay& ask, const std::string& domain, const std::string& day,
                                           const std::string& organization, const std::string& contact, Output& output);

/// Asks the running relay to send the report about one domain now.
/// @param day  as show_tls_report()
[[nodiscard]] Result<void> send_tls_report(const AskRelay& ask, const std::string& domain, const std::string& day,
                                           Output& output);

}  // namespace waxwing
