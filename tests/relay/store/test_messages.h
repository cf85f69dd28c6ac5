#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include "relay/queue/queue_store.h"
#include "relay/queue/queued_message.h"

namespace waxwing {

inline const WallTime kNow{Milliseconds{1'769'860'800'000}};

/// A message for the given recipients, with an inline body.
inline QueuedMessage test_message(std::uint64_t id, std::initializer_list<const char*> recipients = {"a@far.example"}) {
  QueuedMessage message;
  message.id = QueueId(id);
  message.accepted = kNow;
  message.expires = kNow + Seconds{432'000};
  message.account = "shop";
  message.tenant = "tenant";
  message.reverse_path = MailAddress::parse("sender@client.example").value();
  message.message_id = "<m" + std::to_string(id) + "@client.example>";
  message.header = "Subject: " + std::to_string(id) + "\r\n";
  message.body = "body of " + std::to_string(id) + "\r\n";
  message.body_octets = message.body.size();
  for (const char* recipient : recipients) {
    const auto ordinal = static_cast<std::uint32_t>(message.recipients.size());
    message.recipients.push_back({ordinal, MailAddress::parse(recipient).value()});
    message.recipients.back().next_attempt = kNow;
  }
  return message;
}

inline RecipientUpdate test_update(std::uint64_t id, std::uint32_t ordinal, RecipientState state) {
  RecipientUpdate update;
  update.message = QueueId(id);
  update.ordinal = ordinal;
  update.state = state;
  update.attempts = 1;
  update.next_attempt = kNow + Seconds{900};
  update.status = "2.0.0";
  update.reason = "as the test says";
  return update;
}

}  // namespace waxwing
