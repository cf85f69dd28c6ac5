#include "policy/tls_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "policy/utf8.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxUtf8Octets = 4;

// Length of the character at the front; 0: it is not UTF-8.
std::size_t character_octets(std::string_view text) {
  for (std::size_t size = 1; size <= std::min(kMaxUtf8Octets, text.size()); ++size) {
    if (is_valid_utf8(text.substr(0, size))) return size;
  }
  return 0;
}

char32_t code_point(std::string_view character) {
  const auto first = static_cast<std::uint8_t>(character[0]);
  constexpr std::uint8_t kMasks[] = {0x7f, 0x1f, 0x0f, 0x07};
  char32_t value = first & kMasks[character.size() - 1];
  for (const char octet : character.substr(1)) value = (value << 6) | (static_cast<std::uint8_t>(octet) & 0x3fU);
  return value;
}

std::string escaped(char32_t value) {
  if (value < 0x1'0000) return fmt::format("\\u{:04x}", static_cast<std::uint32_t>(value));
  const auto offset = static_cast<std::uint32_t>(value) - 0x1'0000;
  return fmt::format("\\u{:04x}\\u{:04x}", 0xd800 + (offset >> 10), 0xdc00 + (offset & 0x3ff));
}

std::string json_string(std::string_view text) {
  std::string result = "\"";
  while (!text.empty()) {
    const std::size_t size = character_octets(text);
    const char32_t value = size == 0 ? U'\ufffd' : code_point(text.substr(0, size));
    if (value == U'"' || value == U'\\') {
      result += {'\\', static_cast<char>(value)};
    } else if (value >= 0x20 && value < 0x7f) {
      result += static_cast<char>(value);
    } else {
      result += escaped(value);
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return result + '"';
}

std::string json_strings(const std::vector<std::string>& texts) {
  std::string result = "[";
  for (const std::string& text : texts) result += (result.size() > 1 ? "," : "") + json_string(text);
  return result + ']';
}

// RFC 3339 §5.6.
std::string date_time(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{std::chrono::floor<Seconds>(time - day)};
  return fmt::format("\"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z\"", int{date.year()}, unsigned{date.month()},
                     unsigned{date.day()}, clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::string policy_json(const TlsReportPolicy& policy) {
  std::string json = fmt::format(R"({{"policy-type":"{}")", tls_report_policy_type_name(policy.type));
  if (!policy.strings.empty()) json += ",\"policy-string\":" + json_strings(policy.strings);
  json += ",\"policy-domain\":" + json_string(policy.domain);
  if (!policy.mx_patterns.empty()) json += ",\"mx-host\":" + json_strings(policy.mx_patterns);
  return json + '}';
}

std::string failure_json(const TlsFailure& failure, std::uint64_t sessions) {
  std::string json = fmt::format(R"({{"result-type":"{}")", tls_result_type_name(failure.type));
  const auto add = [&json](std::string_view name, const std::string& value) {
    if (!value.empty()) json += fmt::format(",\"{}\":{}", name, json_string(value));
  };
  add("sending-mta-ip", failure.sending_ip);
  add("receiving-mx-hostname", failure.receiving_mx);
  add("receiving-ip", failure.receiving_ip);
  json += fmt::format(",\"failed-session-count\":{}", sessions);
  add("failure-reason-code", failure.reason_code);
  return json + '}';
}

std::string results_json(const TlsReportPolicy& policy, const TlsReportTally::Sum& sum) {
  std::string json =
      fmt::format(R"({{"policy":{},"summary":{{"total-successful-session-count":{},"total-failure-session-count":{}}})",
                  policy_json(policy), sum.successes, sum.failures);
  if (!sum.details.empty()) {
    std::string details;
    for (const auto& [failure, sessions] : sum.details) {
      details += (details.empty() ? "" : ",") + failure_json(failure, sessions);
    }
    json += ",\"failure-details\":[" + details + ']';
  }
  return json + '}';
}

}  // namespace

std::string_view tls_result_type_name(TlsResultType type) {
  switch (type) {
    case TlsResultType::StarttlsNotSupported:
      return "starttls-not-supported";
    case TlsResultType::CertificateHostMismatch:
      return "certificate-host-mismatch";
    case TlsResultType::CertificateExpired:
      return "certificate-expired";
    case TlsResultType::CertificateNotTrusted:
      return "certificate-not-trusted";
    case TlsResultType::ValidationFailure:
      return "validation-failure";
    case TlsResultType::TlsaInvalid:
      return "tlsa-invalid";
    case TlsResultType::DnssecInvalid:
      return "dnssec-invalid";
    case TlsResultType::DaneRequired:
      return "dane-required";
    case TlsResultType::StsPolicyFetchError:
      return "sts-policy-fetch-error";
    case TlsResultType::StsPolicyInvalid:
      return "sts-policy-invalid";
    case TlsResultType::StsWebpkiInvalid:
      return "sts-webpki-invalid";
  }
  return "validation-failure";
}

std::string_view tls_report_policy_type_name(TlsReportPolicy::Type type) {
  switch (type) {
    case TlsReportPolicy::Type::Tlsa:
      return "tlsa";
    case TlsReportPolicy::Type::Sts:
      return "sts";
    case TlsReportPolicy::Type::NoPolicyFound:
      return "no-policy-found";
  }
  return "no-policy-found";
}

void TlsReportTally::add(const TlsSessionResult& result, std::uint64_t sessions) {
  if (sums_.size() >= kMaxTlsReportPolicies && !sums_.contains(result.policy)) return;
  Sum& sum = sums_[result.policy];
  if (!result.failure) {
    sum.successes += sessions;
    return;
  }
  sum.failures += sessions;
  if (sum.details.size() < kMaxTlsFailures || sum.details.contains(*result.failure)) {
    sum.details[*result.failure] += sessions;
  }
}

std::string compose_tls_report(const TlsReportFrame& frame, const TlsReportTally& tally) {
  std::string policies;
  for (const auto& [policy, sum] : tally.sums()) policies += (policies.empty() ? "" : ",") + results_json(policy, sum);
  return fmt::format(
      R"({{"organization-name":{},"date-range":{{"start-datetime":{},"end-datetime":{}}},"contact-info":{},)"
      R"("report-id":{},"policies":[{}]}})",
      json_string(frame.organization_name), date_time(frame.start), date_time(frame.end),
      json_string(frame.contact_info), json_string(frame.report_id), policies);
}

std::string tls_report_file_name(const TlsReportFrame& frame, std::string_view sender, std::string_view policy_domain) {
  const auto seconds = [](WallTime time) { return std::chrono::floor<Seconds>(time.time_since_epoch()).count(); };
  return fmt::format("{}!{}!{}!{}!{}.json.gz", sender, policy_domain, seconds(frame.start), seconds(frame.end),
                     frame.report_id);
}

}  // namespace waxwing
