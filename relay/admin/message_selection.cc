#include "relay/admin/message_selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "policy/ascii.h"
#include "policy/domain_name.h"
#include "policy/mail_address.h"

namespace waxwing {

std::optional<QueueId> read_id(AdminRequest& request, const char* name) {
  const std::string text = request.text(name);
  if (text.empty()) return std::nullopt;
  auto id = QueueId::parse(text);
  if (id) return *id;
  request.refuse(fmt::format("\"{}\" is no queue id: {}", text, id.error().detail));
  return std::nullopt;
}

namespace {

constexpr std::size_t kMaxAgeDigits = 9;  // 30 years in seconds

// Envelope senders are compared as they are stored.
std::string read_sender(AdminRequest& request) {
  const std::string text = request.text("sender");
  if (text.empty() || text == "<>") return text;
  const auto address = MailAddress::parse(text);
  if (address) return address->str();
  request.refuse(address.error().detail);
  return {};
}

std::optional<WallTime> read_age(AdminRequest& request, WallTime now) {
  const std::string text = request.text("older_than");
  if (text.empty()) return std::nullopt;
  const bool digits = text.size() <= kMaxAgeDigits && std::ranges::all_of(text, is_ascii_digit);
  if (digits) return now - Seconds(std::stol(text));
  request.refuse("\"older_than\" is not a number of seconds");
  return std::nullopt;
}

}  // namespace

QueueFilter read_filter(AdminRequest& request, WallTime now) {
  QueueFilter filter;
  filter.limit = kMaxAdminMessages + 1;  // one more, to see whether there are more
  filter.id = read_id(request, "id");
  filter.after = read_id(request, "after");
  filter.account = request.text("account");
  filter.tenant = request.text("tenant");
  filter.sender = read_sender(request);
  filter.reason = request.text("saying");
  filter.accepted_before = read_age(request, now);
  if (const std::string text = request.text("domain"); !text.empty()) {
    auto domain = DomainName::parse(text);
    if (domain) filter.domain = domain->str();
    if (!domain) request.refuse(domain.error().detail);
  }
  return filter;
}

QueueFilter read_selection(AdminRequest& request, WallTime now) {
  QueueFilter filter = read_filter(request, now);
  const bool selects = filter.id || filter.accepted_before || !filter.domain.empty() || !filter.account.empty() ||
                       !filter.tenant.empty() || !filter.sender.empty() || !filter.reason.empty();
  if (request.flag("all") == selects) {
    request.refuse("say which messages: an id, or whose, from whom, to where, how old or why they wait, or all");
  }
  return filter;
}

bool names_one_message(const QueueFilter& filter) {
  return filter.id && !filter.accepted_before && filter.domain.empty() && filter.account.empty() &&
         filter.tenant.empty() && filter.sender.empty() && filter.reason.empty();
}

bool waits(const QueuedRecipient& recipient) {
  return !is_final(recipient.state);
}

bool concerns(const QueueFilter& filter, const QueuedRecipient& recipient) {
  const bool in_domain = filter.domain.empty() || recipient.address.domain.str() == filter.domain;
  return in_domain && recipient.reason.find(filter.reason) != std::string::npos;
}

RecipientUpdate unchanged(QueueId id, const QueuedRecipient& recipient) {
  RecipientUpdate update;
  update.message = id;
  update.ordinal = recipient.ordinal;
  update.state = recipient.state;
  update.attempts = recipient.attempts;
  update.next_attempt = recipient.next_attempt;
  update.status = recipient.status;
  update.reason = recipient.reason;
  update.report = recipient.report;
  return update;
}

}  // namespace waxwing
