// What the port relay/queue/queue_store.h promises, whatever implements it. A backend is a type with open(), which gives a store
// on the same data each time, and is named at QUEUE_STORE_TEST.

#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "relay/queue/queue_store.h"
#include "relay/store/sqlite_queue_store.h"
#include "tests/relay/store/temporary_directory.h"
#include "tests/relay/store/test_messages.h"

using namespace waxwing;

namespace {

class SqliteBackend {
 public:
  std::unique_ptr<QueueStore> open() {
    auto store = SqliteQueueStore::open(directory_.path());
    REQUIRE(store);
    return std::move(*store);
  }

 private:
  TemporaryDirectory directory_;
};

void batch(QueueStore& store, const std::function<void()>& change) {
  REQUIRE(store.begin());
  change();
  REQUIRE(store.commit());
}

void add(QueueStore& store, const QueuedMessage& message) {
  batch(store, [&] { REQUIRE(store.add(message)); });
}

std::vector<std::pair<std::uint64_t, std::uint32_t>> waiting_of(QueueStore& store) {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> found;
  REQUIRE(store.each_waiting(
      [&](const WaitingRecipient& recipient) { found.emplace_back(recipient.message.value(), recipient.ordinal); }));
  return found;
}

std::vector<std::uint64_t> listed(QueueStore& store, const QueueFilter& filter) {
  const auto messages = store.list(filter);
  REQUIRE(messages);
  std::vector<std::uint64_t> ids;
  for (const QueuedMessage& message : *messages) ids.push_back(message.id.value());
  return ids;
}

using Ids = std::vector<std::uint64_t>;

}  // namespace

// The backends that must pass.
#define QUEUE_STORE_TEST(name) TEMPLATE_TEST_CASE(name, "[conformance]", SqliteBackend)

QUEUE_STORE_TEST("a committed message is there after the store was opened anew, octet for octet") {
  TestType backend;
  QueuedMessage message = test_message(1, {"a@far.example", "b@other.example"});
  message.body = std::string("\0\r\n\xff.\r\n", 7);
  message.body_octets = message.body.size();
  message.reverse_path.reset();
  message.needs_8bit = true;
  message.tls_request = TlsRequest::Required;
  message.notice = {ReturnedContent::Full, "id+20"};
  message.recipients[1].notice.notify = NotifyWish{true, false, true};
  add(*backend.open(), message);
  const auto loaded = backend.open()->load(QueueId(1));
  REQUIRE(loaded);
  CHECK(loaded->header == message.header);
  CHECK(loaded->body == message.body);
  CHECK(loaded->expires == message.expires);
  CHECK(loaded->account == "shop");
  CHECK(loaded->tenant == "tenant");
  CHECK_FALSE(loaded->reverse_path);
  CHECK(loaded->needs_8bit);
  CHECK(loaded->tls_request == TlsRequest::Required);
  CHECK(loaded->notice.envelope_id == "id+20");
  REQUIRE(loaded->recipients.size() == 2);
  CHECK(loaded->recipients[1].address.str() == "b@other.example");
  CHECK(loaded->recipients[1].notice.notify->success);
  CHECK_FALSE(loaded->recipients[0].notice.notify);
}

QUEUE_STORE_TEST("a batch that is not committed leaves nothing") {
  TestType backend;
  {
    auto store = backend.open();
    add(*store, test_message(1));
    REQUIRE(store->begin());
    REQUIRE(store->add(test_message(2)));
    REQUIRE(store->update(test_update(1, 0, RecipientState::Delivered)));
  }
  auto store = backend.open();
  CHECK(store->load(QueueId(2)).error().kind == ErrorKind::NotFound);
  CHECK(store->load(QueueId(1))->recipients[0].state == RecipientState::Queued);
}

QUEUE_STORE_TEST("adding an id again changes nothing, so that a batch of unknown fate can be repeated") {
  TestType backend;
  auto store = backend.open();
  add(*store, test_message(1));
  batch(*store, [&] { REQUIRE(store->update(test_update(1, 0, RecipientState::Deferred))); });
  add(*store, test_message(1));
  CHECK(store->load(QueueId(1))->recipients[0].state == RecipientState::Deferred);
}

QUEUE_STORE_TEST("a submission key stands for one message of its account") {
  TestType backend;
  auto store = backend.open();
  QueuedMessage message = test_message(1);
  message.submission = {"key", std::string(32, 'd')};
  add(*store, message);
  message.id = QueueId(2);
  REQUIRE(store->begin());
  CHECK(store->add(message).error().kind == ErrorKind::Conflict);
}

QUEUE_STORE_TEST("an outcome is final, a hold outlasts an attempt, and strangers are not found") {
  TestType backend;
  auto store = backend.open();
  add(*store, test_message(1, {"a@far.example", "b@far.example"}));
  batch(*store, [&] {
    REQUIRE(store->update(test_update(1, 0, RecipientState::Bounced)));
    REQUIRE(store->update(test_update(1, 0, RecipientState::Deferred)));
    REQUIRE(store->update(test_update(1, 1, RecipientState::Held)));
    REQUIRE(store->update(test_update(1, 1, RecipientState::Deferred)));
    CHECK(store->update(test_update(1, 2, RecipientState::Deferred)).error().kind == ErrorKind::NotFound);
    CHECK(store->update(test_update(9, 0, RecipientState::Deferred)).error().kind == ErrorKind::NotFound);
    CHECK(store->renew(QueueId(9), kNow).error().kind == ErrorKind::NotFound);
  });
  const auto loaded = store->load(QueueId(1));
  CHECK(loaded->recipients[0].state == RecipientState::Bounced);
  CHECK(loaded->recipients[1].state == RecipientState::Held);
}

QUEUE_STORE_TEST("a message goes when nobody waits for it, and not before") {
  TestType backend;
  auto store = backend.open();
  add(*store, test_message(1, {"a@far.example", "b@far.example"}));
  batch(*store, [&] {
    REQUIRE(store->update(test_update(1, 0, RecipientState::Delivered)));
    CHECK_FALSE(store->remove(QueueId(1)));
  });
  batch(*store, [&] {
    REQUIRE(store->update(test_update(1, 1, RecipientState::Dropped)));
    REQUIRE(store->remove(QueueId(1)));
  });
  CHECK(store->load(QueueId(1)).error().kind == ErrorKind::NotFound);
}

QUEUE_STORE_TEST("filters hold together, and a list goes on behind an id") {
  TestType backend;
  auto store = backend.open();
  QueuedMessage other = test_message(2, {"b@other.example"});
  other.account = "office";
  other.tenant = "office";
  other.accepted = kNow + Seconds(100);
  add(*store, test_message(1));
  add(*store, other);
  add(*store, test_message(3, {"c@other.example", "d@far.example"}));
  CHECK(listed(*store, {}) == Ids{1, 2, 3});
  QueueFilter filter;
  filter.domain = "other.example";
  CHECK(listed(*store, filter) == Ids{2, 3});
  filter.account = "office";
  CHECK(listed(*store, filter) == Ids{2});
  filter.tenant = "tenant";
  CHECK(listed(*store, filter).empty());
  filter = {};
  filter.accepted_before = kNow + Seconds(1);
  CHECK(listed(*store, filter) == Ids{1, 3});
  filter = {};
  filter.after = QueueId(1);
  filter.limit = 1;
  CHECK(listed(*store, filter) == Ids{2});
  filter = {};
  filter.id = QueueId(3);
  CHECK(listed(*store, filter) == Ids{3});
}

QUEUE_STORE_TEST("over random histories, the same waits as in a model, also after the store was opened anew") {
  TestType backend;
  std::mt19937 random(7);
  std::map<std::pair<std::uint64_t, std::uint32_t>, RecipientState> model;
  auto store = backend.open();
  for (std::uint64_t step = 1; step <= 300; ++step) {
    if (random() % 3 == 0 || model.empty()) {
      add(*store, test_message(step, {"a@far.example", "b@far.example", "c@other.example"}));
      for (std::uint32_t ordinal = 0; ordinal < 3; ++ordinal) model[{step, ordinal}] = RecipientState::Queued;
    } else {
      const auto chosen = std::next(model.begin(), static_cast<std::ptrdiff_t>(random() % model.size()));
      const auto state = static_cast<RecipientState>(1 + random() % 6);
      const auto& [message, ordinal] = chosen->first;
      batch(*store, [&] { REQUIRE(store->update(test_update(message, ordinal, state))); });
      const bool stays = (is_final(chosen->second) && !is_final(state)) ||
                         (chosen->second == RecipientState::Held && state == RecipientState::Deferred);
      if (!stays) chosen->second = state;
    }
    if (step % 50 == 0) {
      store.reset();
      store = backend.open();
    }
  }
  std::vector<std::pair<std::uint64_t, std::uint32_t>> expected;
  for (const auto& [key, state] : model) {
    if (state == RecipientState::Queued || state == RecipientState::Deferred) expected.push_back(key);
  }
  CHECK(waiting_of(*store) == expected);
}
