#include "signer/verification_report.h"

#include <fmt/format.h>

namespace waxwing {
namespace {

using Method = AuthenticationResults::Method;

/// RFC 6008 §3: so much of b= tells the signatures of a message apart.
constexpr std::size_t kSignatureOctetsShown = 8;

std::string comment_of(const DkimVerdict& verdict) {
  std::string comment = verdict.detail;
  if (verdict.key_bits > 0)
    comment = fmt::format("{}-bit key{}{}", verdict.key_bits, comment.empty() ? "" : "; ", comment);
  if (verdict.testing) comment += "; the domain is testing DKIM";
  return comment;
}

Method report_signature(const DkimVerdict& verdict) {
  const DkimSignature& signature = verdict.signature;
  Method method{"dkim", std::string(dkim_result_name(verdict.result)), comment_of(verdict), "", {}};
  const auto add = [&](const char* property, const std::string& value) {
    if (!value.empty()) method.properties.push_back({"header", property, value});
  };
  add("d", signature.domain);
  add("i", signature.identity);
  add("s", signature.selector);
  add("a", signature.algorithm);
  add("b", signature.signature_text.substr(0, kSignatureOctetsShown));
  return method;
}

}  // namespace

std::vector<Method> report_dkim(std::span<const DkimVerdict> verdicts) {
  std::vector<Method> methods;
  for (const DkimVerdict& verdict : verdicts) {
    if (methods.size() < kMaxSignaturesRead) methods.push_back(report_signature(verdict));
  }
  if (methods.empty()) methods.push_back({"dkim", "none", "", "", {}});
  return methods;
}

Method report_arc(const ArcVerdict& verdict, const std::optional<IpAddress>& client) {
  Method method{"arc", std::string(arc_result_name(verdict.result)), verdict.detail, "", {}};
  if (verdict.result == ArcResult::Pass) {
    method.comment = fmt::format("i={}", verdict.instances);
    method.properties.push_back({"header", "oldest-pass", std::to_string(verdict.oldest_pass)});
  }
  if (client) method.properties.push_back({"smtp", "remote-ip", client->str()});
  return method;
}

Method report_spf(const SpfVerdict& verdict, const SpfInput& input) {
  Method method{"spf", std::string(spf_result_name(verdict.result)), verdict.detail, "", {}};
  const bool helo = input.domain == input.helo && input.sender_local == "postmaster";
  method.properties.push_back({"smtp", helo ? "helo" : "mailfrom", helo ? input.helo : input.sender_domain});
  return method;
}

Method report_dmarc(const DmarcVerdict& verdict, const DomainName& author_domain) {
  Method method{"dmarc", std::string(dmarc_result_name(verdict.result)), verdict.detail, "", {}};
  method.properties.push_back({"header", "from", author_domain.str()});
  return method;
}

}  // namespace waxwing
