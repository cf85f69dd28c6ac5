#include "relay/admin/message_selection.h"

#include <fmt/format.h>

#include <string>

#include "policy/domain_name.h"

namespace waxwing {

std::optional<QueueId> read_id(AdminRequest& request, const char* name) {
  const std::string text = request.text(name);
  if (text.empty()) return std::nullopt;
  auto id = QueueId::parse(text);
  if (id) return *id;
  request.refuse(fmt::format("\"{}\" is no queue id: {}", text, id.error().detail));
  return std::nullopt;
}

QueueFilter read_filter(AdminRequest& request) {
  QueueFilter filter;
  filter.limit = kMaxAdminMessages + 1;  // one more, to see whether there are more
  filter.id = read_id(request, "id");
  filter.after = read_id(request, "after");
  filter.account = request.text("account");
  if (const std::string text = request.text("domain"); !text.empty()) {
    auto domain = DomainName::parse(text);
    if (domain) filter.domain = domain->str();
    if (!domain) request.refuse(domain.error().detail);
  }
  return filter;
}

QueueFilter read_selection(AdminRequest& request) {
  QueueFilter filter = read_filter(request);
  const bool selects = filter.id.has_value() || !filter.domain.empty() || !filter.account.empty();
  if (request.flag("all") == selects) request.refuse("say which messages: an id, a domain, an account, or all");
  return filter;
}

bool waits(const QueuedRecipient& recipient) {
  return !is_final(recipient.state);
}

bool concerns(const QueueFilter& filter, const QueuedRecipient& recipient) {
  return filter.domain.empty() || recipient.address.domain.str() == filter.domain;
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
