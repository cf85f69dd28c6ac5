#include "relay/daemon/fresh_messages.h"

#include <catch2/catch.hpp>
#include <string>

namespace waxwing {
namespace {

constexpr MonotonicTime kNow{};

std::shared_ptr<QueuedMessage> message(std::uint64_t id, std::size_t octets = 10) {
  auto made = std::make_shared<QueuedMessage>();
  made->id = QueueId(id);
  made->body = std::string(octets, 'b');
  made->recipients.push_back({0, *MailAddress::parse("bob@far.example")});
  return made;
}

TEST_CASE("a message that was queued a moment ago is there once") {
  FreshMessages fresh;
  fresh.keep(message(1), kNow);
  fresh.keep(message(2), kNow);
  CHECK(fresh.take(QueueId(1), kNow + kMessageFreshness)->id == QueueId(1));
  CHECK(fresh.take(QueueId(1), kNow) == nullptr);
  CHECK(fresh.take(QueueId(3), kNow) == nullptr);
  CHECK(fresh.take(QueueId(2), kNow + kMessageFreshness + Milliseconds(1)) == nullptr);
}

TEST_CASE("a message with several recipients, one that is held, or one with a body in a file is read from the store") {
  FreshMessages fresh;
  auto several = message(1);
  several->recipients.push_back({1, *MailAddress::parse("ann@far.example")});
  fresh.keep(several, kNow);
  auto spooled = message(2);
  spooled->spooled = true;
  fresh.keep(spooled, kNow);
  auto held = message(3);
  held->recipients.front().state = RecipientState::Held;
  fresh.keep(held, kNow);
  for (std::uint64_t id = 1; id <= 3; ++id) CHECK(fresh.take(QueueId(id), kNow) == nullptr);
}

TEST_CASE("the oldest make room, and what nobody took goes with time") {
  FreshMessages fresh;
  const auto first = message(0);
  fresh.keep(first, kNow);
  constexpr std::size_t kOctets = 60'000;
  constexpr std::uint64_t kCount = kMaxFreshOctets / kOctets + 5;
  for (std::uint64_t id = 1; id <= kCount; ++id) fresh.keep(message(id, kOctets), kNow);
  CHECK(first.use_count() == 1);
  CHECK(fresh.take(QueueId(1), kNow) == nullptr);
  CHECK(fresh.take(QueueId(kCount), kNow) != nullptr);

  const auto old = message(1'000);
  fresh.keep(old, kNow);
  fresh.keep(message(1'001), kNow + kMessageFreshness + Milliseconds(1));
  CHECK(old.use_count() == 1);
}

}  // namespace
}  // namespace waxwing
