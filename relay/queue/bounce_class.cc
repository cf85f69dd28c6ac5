#include "relay/queue/bounce_class.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace waxwing {
namespace {

struct Phrase {
  std::string_view text;  // lower case
  BounceClass bounce_class;
};

// What is said in plain words whatever code stands before it. A sender that is refused as unknown comes first, so that
// it is not taken for the recipient.
constexpr Phrase kCertainPhrases[] = {
    {"sender address rejected", BounceClass::Policy},
    {"sender verify failed", BounceClass::Policy},
    {"sender verification", BounceClass::Policy},
    {"sender unknown", BounceClass::Policy},
    {"unknown sender", BounceClass::Policy},
    {"recipientnotfound", BounceClass::BadMailbox},  // beside 5.1.10, which RFC 7505 §4.1 gives to a null MX
    {"spamhaus", BounceClass::Reputation},
    {"spamcop", BounceClass::Reputation},
    {"barracudacentral", BounceClass::Reputation},
    {"blocked using", BounceClass::Reputation},
    {"listed at", BounceClass::Reputation},
    {"listed in", BounceClass::Reputation},
    {"dnsbl", BounceClass::Reputation},
    {"blocklist", BounceClass::Reputation},
    {"block list", BounceClass::Reputation},
    {"blacklist", BounceClass::Reputation},
    {"black list", BounceClass::Reputation},
    {"poor reputation", BounceClass::Reputation},
    {"bad reputation", BounceClass::Reputation},
    {"low reputation", BounceClass::Reputation},
    {"greylist", BounceClass::Greylisting},
    {"graylist", BounceClass::Greylisting},
    {"grey-list", BounceClass::Greylisting},
    {"grey list", BounceClass::Greylisting},
};

constexpr Phrase kPhrases[] = {
    {"mailbox full", BounceClass::Quota},
    {"mailbox is full", BounceClass::Quota},
    {"inbox is full", BounceClass::Quota},
    {"over quota", BounceClass::Quota},
    {"overquota", BounceClass::Quota},
    {"quota exceeded", BounceClass::Quota},
    {"exceeded quota", BounceClass::Quota},
    {"exceeds quota", BounceClass::Quota},
    {"exceeded its quota", BounceClass::Quota},
    {"disk quota", BounceClass::Quota},
    {"out of storage", BounceClass::Quota},
    {"storage quota", BounceClass::Quota},
    {"mailbox size limit", BounceClass::Quota},
    {"too many hops", BounceClass::Infrastructure},
    {"rate limit", BounceClass::Rate},
    {"rate-limit", BounceClass::Rate},
    {"ratelimit", BounceClass::Rate},
    {"throttl", BounceClass::Rate},
    {"at a rate", BounceClass::Rate},
    {"unusual rate", BounceClass::Rate},
    {"too quickly", BounceClass::Rate},
    {"too fast", BounceClass::Rate},
    {"too many", BounceClass::Rate},
    {"user unknown", BounceClass::BadMailbox},
    {"unknown user", BounceClass::BadMailbox},
    {"no such user", BounceClass::BadMailbox},
    {"no such mailbox", BounceClass::BadMailbox},
    {"no such recipient", BounceClass::BadMailbox},
    {"no such address", BounceClass::BadMailbox},
    {"no mailbox here", BounceClass::BadMailbox},
    {"no mailbox by that name", BounceClass::BadMailbox},
    {"user not found", BounceClass::BadMailbox},
    {"recipient not found", BounceClass::BadMailbox},
    {"mailbox not found", BounceClass::BadMailbox},
    {"unknown recipient", BounceClass::BadMailbox},
    {"recipient unknown", BounceClass::BadMailbox},
    {"unknown mailbox", BounceClass::BadMailbox},
    {"unknown address", BounceClass::BadMailbox},
    {"address unknown", BounceClass::BadMailbox},
    {"invalid recipient", BounceClass::BadMailbox},
    {"invalid mailbox", BounceClass::BadMailbox},
    {"not a valid mailbox", BounceClass::BadMailbox},
    {"user doesn't exist", BounceClass::BadMailbox},
    {"user does not exist", BounceClass::BadMailbox},
    {"mailbox does not exist", BounceClass::BadMailbox},
    {"account does not exist", BounceClass::BadMailbox},
    {"address does not exist", BounceClass::BadMailbox},
    {"recipient does not exist", BounceClass::BadMailbox},
    {"tried to reach does not exist", BounceClass::BadMailbox},
    {"tried to reach is disabled", BounceClass::BadMailbox},
    {"mailbox disabled", BounceClass::BadMailbox},
    {"account disabled", BounceClass::BadMailbox},
    {"account is disabled", BounceClass::BadMailbox},
    {"unrouteable address", BounceClass::BadMailbox},
    {"dmarc", BounceClass::Authentication},
    {"dkim", BounceClass::Authentication},
    {"spf", BounceClass::Authentication},
    {"unauthenticated", BounceClass::Authentication},
    {"reverse dns", BounceClass::Authentication},
    {"ptr record", BounceClass::Authentication},
    {"spam", BounceClass::Spam},
    {"unsolicited", BounceClass::Spam},
    {"junk", BounceClass::Spam},
    {"reputation", BounceClass::Reputation},
    {"virus", BounceClass::Content},
    {"malware", BounceClass::Content},
    {"attachment", BounceClass::Content},
    {"too large", BounceClass::Size},
    {"too big", BounceClass::Size},
    {"size limit", BounceClass::Size},
    {"message size", BounceClass::Size},
    {"relay access denied", BounceClass::Infrastructure},
    {"relaying denied", BounceClass::Infrastructure},
    {"relay not permitted", BounceClass::Infrastructure},
    {"unable to relay", BounceClass::Infrastructure},
    {"not permitted to relay", BounceClass::Infrastructure},
    {"starttls", BounceClass::Tls},
    {"access denied", BounceClass::Policy},
    {"policy", BounceClass::Policy},
    {"prohibit", BounceClass::Policy},
    {"not authorized", BounceClass::Policy},
    {"not allowed", BounceClass::Policy},
    {"blocked", BounceClass::Policy},
};

// With 4.7.1 after RCPT and nothing else that tells: so greylists speak that do not name themselves.
constexpr std::string_view kComeAgainPhrases[] = {"try again", "try later", "come back later", "retry later"};

struct StatusRow {
  std::string_view detail;  // without the class: "1.1" stands for 4.1.1 and 5.1.1
  BounceClass bounce_class;
};

constexpr StatusRow kCertainStatus[] = {
    {"1.1", BounceClass::BadMailbox},
    {"1.6", BounceClass::BadMailbox},
    {"1.2", BounceClass::BadDomain},
    {"1.10", BounceClass::BadDomain},
    {"2.2", BounceClass::Quota},
    {"2.3", BounceClass::Size},
    {"3.4", BounceClass::Size},
    {"4.3", BounceClass::Infrastructure},
    {"5.3", BounceClass::Rate},
    {"7.10", BounceClass::Tls},
    {"7.11", BounceClass::Tls},
    {"7.20", BounceClass::Authentication},
    {"7.21", BounceClass::Authentication},
    {"7.22", BounceClass::Authentication},
    {"7.23", BounceClass::Authentication},
    {"7.24", BounceClass::Authentication},
    {"7.25", BounceClass::Authentication},
    {"7.26", BounceClass::Authentication},
    {"7.28", BounceClass::Rate},
    {"7.29", BounceClass::Authentication},
    {"7.30", BounceClass::Tls},
};

// Where only the reply could have told more: single codes, then the subject as a whole.
constexpr StatusRow kLikelyStatus[] = {
    {"1.3", BounceClass::BadMailbox}, {"1.7", BounceClass::Policy},    {"1.8", BounceClass::Policy},
    {"2.1", BounceClass::BadMailbox}, {"4.4", BounceClass::BadDomain}, {"4.6", BounceClass::Infrastructure},
};

constexpr StatusRow kSubjects[] = {
    {"3.", BounceClass::Infrastructure}, {"4.", BounceClass::Infrastructure}, {"5.", BounceClass::Protocol},
    {"6.", BounceClass::Content},        {"7.", BounceClass::Policy},
};

std::string lower_case(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

bool is_greylist_without_name(std::string_view detail, std::string_view reply, DeliveryStage stage) {
  const bool asked_again = std::ranges::any_of(
      kComeAgainPhrases, [&](std::string_view phrase) { return reply.find(phrase) != std::string_view::npos; });
  const bool out_of_order = reply.find("service unavailable") != std::string_view::npos;  // its filter, in Postfix
  return asked_again && !out_of_order && detail == "7.1" && stage >= DeliveryStage::Rcpt && reply.starts_with("45");
}

bool may_be_said(BounceClass bounce_class, DeliveryStage stage) {
  const bool of_recipient = bounce_class == BounceClass::BadMailbox || bounce_class == BounceClass::Quota;
  return !of_recipient || stage == DeliveryStage::None || stage >= DeliveryStage::Rcpt;
}

template <class Rows>
std::optional<BounceClass> find_phrase(const Rows& rows, std::string_view reply, DeliveryStage stage) {
  for (const Phrase& row : rows) {
    if (reply.find(row.text) != std::string_view::npos && may_be_said(row.bounce_class, stage)) return row.bounce_class;
  }
  return std::nullopt;
}

enum class Match { Whole, Start };

template <class Rows>
std::optional<BounceClass> find_status(const Rows& rows, std::string_view detail, DeliveryStage stage, Match match) {
  for (const StatusRow& row : rows) {
    const bool found = match == Match::Whole ? detail == row.detail : detail.starts_with(row.detail);
    if (found && may_be_said(row.bounce_class, stage)) return row.bounce_class;
  }
  return std::nullopt;
}

// RFC 5321 §4.2.3. 550, 551, 553 and 554 are said for any reason.
BounceClass class_of_code(std::string_view reply, DeliveryStage stage) {
  const std::string_view code = reply.substr(0, 3);
  if (code == "552") return stage == DeliveryStage::Rcpt ? BounceClass::Quota : BounceClass::Size;
  if (code.starts_with("50") || code == "555") return BounceClass::Protocol;
  if (code == "421" || code.starts_with("45")) return BounceClass::Infrastructure;
  return BounceClass::Unclassified;
}

}  // namespace

std::string_view bounce_class_name(BounceClass bounce_class) {
  constexpr std::array<std::string_view, 15> kNames = {
      "unclassified",   "bad-mailbox", "bad-domain", "quota",       "size", "content",  "spam",          "reputation",
      "authentication", "policy",      "rate",       "greylisting", "tls",  "protocol", "infrastructure"};
  return kNames.at(static_cast<std::size_t>(bounce_class));
}

BounceClass classify_bounce(const BounceEvidence& evidence) {
  const DeliveryStage stage = evidence.stage;
  const std::string reply = lower_case(evidence.reply);
  const std::size_t dot = evidence.status.find('.');
  const std::string_view detail = dot == std::string_view::npos ? std::string_view() : evidence.status.substr(dot + 1);

  if (stage == DeliveryStage::Login) return BounceClass::Infrastructure;  // about us and a smarthost, not the message
  if (const auto found = find_phrase(kCertainPhrases, reply, stage)) return *found;
  if (reply.empty() && detail.starts_with("7.")) return BounceClass::Tls;  // that is what we say ourselves
  if (const auto found = find_status(kCertainStatus, detail, stage, Match::Whole)) return *found;
  if (const auto found = find_phrase(kPhrases, reply, stage)) return *found;
  if (is_greylist_without_name(detail, reply, stage)) return BounceClass::Greylisting;
  const bool broken = detail.starts_with("3.") || detail.starts_with("4.");
  if (stage == DeliveryStage::Tls && !broken) return BounceClass::Tls;
  if (const auto found = find_status(kLikelyStatus, detail, stage, Match::Whole)) return *found;
  if (const auto found = find_status(kSubjects, detail, stage, Match::Start)) return *found;
  return class_of_code(reply, stage);
}

}  // namespace waxwing
