// check_host() comes to a result within its limits, whatever records it meets; its words are printable.
//
// Input: client address, MAIL FROM, HELO name, DNS as zone_lines.h reads it; the first line of the rest is read as a
// record and as a macro-string of its own.

#include "policy/spf.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "policy/spf_macro.h"
#include "policy/spf_record.h"
#include "tests/fuzz/finding.h"
#include "tests/fuzz/octet_source.h"
#include "tests/fuzz/zone_lines.h"

using namespace waxwing;
using fuzz::require;

namespace {

constexpr std::size_t kMaxExpandedOctets = 65'536 + 1'024;  ///< what the macros' limit lets through, and the last part

/// Lookups that one evaluation may use: 10 terms, each with 10 names of two types at most, and those asked ahead.
constexpr std::size_t kMaxQuestions = 500;

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7F; });
}

void check_macro(std::string_view text, SpfMacroUse use) {
  const auto macro = parse_spf_macro_string(text, use);
  if (!macro) return;
  const SpfMacroValues values{"strong-bad", "email.example", "email.example", "192.0.2.3", "192.0.2.3",
                              "mx.example", "in-addr",       "mx.example",    "r.example", "1"};
  require(expand_spf_macros(*macro, values).size() <= kMaxExpandedOctets, "an expansion is bounded");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  fuzz::OctetSource source(octets, size);
  SpfInput input{};
  if (const auto client = IpAddress::parse(source.line())) input.client = *client;
  const std::string mail_from(source.line());
  const std::size_t at = mail_from.rfind('@');
  input.sender_local = at == std::string::npos ? "postmaster" : mail_from.substr(0, at);
  input.sender_domain = fuzz::dns_name(at == std::string::npos ? mail_from : mail_from.substr(at + 1));
  input.domain = input.sender_domain;
  input.helo = std::string(source.line());
  input.receiver = "receiver.example";
  const auto zone = fuzz::ZoneLines::read(source);

  Answers answers;
  const SpfVerdict verdict = zone.resolve_with(answers, [&](Answers& book) { return check_host(input, book); });
  require(answers.known().size() <= kMaxQuestions, "lookups are bounded");
  require(is_printable(verdict.detail) && is_printable(verdict.explanation), "words are printable");
  require(verdict.explanation.empty() || verdict.result == SpfResult::Fail, "only a fail is explained");
  const auto again = check_host(input, answers);
  require(again.has_value() && again->result == verdict.result, "the same book gives the same verdict");

  const std::string_view text = source.line();
  if (is_spf_record(text)) static_cast<void>(SpfRecord::parse(text));
  check_macro(text, SpfMacroUse::DomainSpec);
  check_macro(text, SpfMacroUse::Explanation);
  return 0;
}
