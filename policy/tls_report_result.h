#pragma once

#include <optional>

#include "policy/certificate_verdict.h"
#include "policy/tls_report.h"
#include "policy/tls_requirement.h"

namespace waxwing {

/// The policy by which sessions with a host are judged: the TLSA records of the host where they are secure, else the
/// MTA-STS policy of the domain unless its mode is none, else none.
/// @source  RFC 8460 §1.1 and §4.5
[[nodiscard]] TlsReportPolicy tls_report_policy(const HostFacts& host, const StsFacts& sts);

/// What a report says about a host before any session with it: why it is not used, or that its TLSA records are of no
/// use.
/// @return  no value: nothing; what may be over the next time, such as a lookup without an answer, is not reported
/// @source  RFC 8460 §4.3.2 and §4.3.4
[[nodiscard]] std::optional<TlsFailure> tls_failure_of_host(const HostFacts& host, const StsFacts& sts,
                                                            const TlsRequirement& requirement);

/// What a report says about a certificate that was not accepted.
/// @source  RFC 8460 §4.3.1
[[nodiscard]] TlsResultType tls_result_of_certificate(CertificateResult result);

}  // namespace waxwing
