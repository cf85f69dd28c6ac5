#pragma once

#include <string>
#include <vector>

#include "tests/conformance/case_runner.h"

namespace waxwing::conformance {

// Forms of cases about SMTP, for run_smtp().

/// Command lines `{line, ok}`, replies `{reply, ok}`, and addresses `{kind, input}`.
[[nodiscard]] std::vector<CaseForm> smtp_syntax_forms();

/// Content after DATA as received `{wire, message, error}` and as sent `{input, wire or error}`, and sequences that
/// might be taken for its end `{sequence, hex}`.
[[nodiscard]] std::vector<CaseForm> smtp_content_forms();

/// What comes in clear around STARTTLS: `{pre_tls}` from a client, `{server_pre_tls}`, `{server_ehlo}`,
/// `{server_starttls}` and `{server_greeting}` from a server.
[[nodiscard]] std::vector<CaseForm> smtp_session_forms();

/// Gives octets that once upset another program to everything of ours that reads such a wire. It has nothing to check
/// but that it comes back.
void swallow_seed(const std::string& octets);

}  // namespace waxwing::conformance
