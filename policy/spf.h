#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "policy/domain_name.h"
#include "policy/ip_address.h"
#include "policy/lookup.h"
#include "policy/time_point.h"

namespace waxwing {

/// The results of check_host(). @source RFC 7208 §2.6
enum class SpfResult { None, Neutral, Pass, Fail, SoftFail, TempError, PermError };

/// "none", "pass", "softfail", … as in Authentication-Results.
[[nodiscard]] std::string_view spf_result_name(SpfResult result);

/// Whether a Fail is worth the lookup of its explanation.
enum class SpfExplanation { Wanted, NotWanted };

struct SpfInput {
  IpAddress client;           ///< address of the SMTP client that receivers see
  std::string domain;         ///< domain to check, as Question::name
  std::string sender_local;   ///< local part of MAIL FROM or "postmaster"; any octets
  std::string sender_domain;  ///< domain of MAIL FROM, or the HELO name
  std::string helo;           ///< HELO or EHLO name
  std::string receiver;       ///< our own name, for the `r` macro of explanations
  WallTime now{};             ///< for the `t` macro of explanations
  SpfExplanation explanation = SpfExplanation::Wanted;
};

struct SpfVerdict {
  SpfResult result = SpfResult::None;
  std::string detail;       ///< a phrase for people: the mechanism that matched, or what is wrong with which record
  std::string explanation;  ///< text of exp= for Fail, printable ASCII; else empty
};

/// Evaluates SPF for one client address and identity.
/// @return  no value: answers.missing() lists what to ask before calling again; it also holds what later terms of the
///          same record will need, to save round trips
/// @limits  10 terms that cause lookups, 2 void lookups, 10 names per mx or ptr, record and expansion lengths
/// @source  RFC 7208 §4
[[nodiscard]] std::optional<SpfVerdict> check_host(const SpfInput& input, Answers& answers);

}  // namespace waxwing
