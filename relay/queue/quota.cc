#include "relay/queue/quota.h"

#include <algorithm>

namespace waxwing {
namespace {

constexpr std::array<std::string_view, kQuotaKinds> kNames = {
    "messages_per_hour", "messages_per_day",       "recipients_per_hour", "recipients_per_day",
    "octets_per_day",    "new_recipients_per_day", "connections"};

}  // namespace

std::string_view quota_name(QuotaKind kind) {
  return kNames[static_cast<std::size_t>(kind)];
}

std::optional<QuotaKind> quota_kind(std::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<QuotaKind>(found - kNames.begin());
}

std::string_view quota_owner_name(QuotaOwner owner) {
  return owner == QuotaOwner::Account ? "account" : "tenant";
}

Usage& Usage::operator+=(const Usage& other) {
  messages += other.messages;
  recipients += other.recipients;
  octets += other.octets;
  new_recipients += other.new_recipients;
  delivered += other.delivered;
  bounced += other.bounced;
  return *this;
}

}  // namespace waxwing
