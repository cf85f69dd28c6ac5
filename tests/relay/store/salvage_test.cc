#include "relay/store/salvage.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <string>

#include "relay/store/account_store.h"
#include "relay/store/salvaged_rows.h"
#include "relay/store/spool_file.h"
#include "relay/store/sqlite_queue_store.h"
#include "relay/store/state_lock.h"
#include "tests/relay/store/temporary_directory.h"
#include "tests/relay/store/test_messages.h"

using namespace waxwing;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kPageOctets = 4'096;

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

SqlitePages::File in_memory(const std::string& octets) {
  return {[&octets](std::uint64_t offset, std::size_t count) {
            return offset < octets.size() ? octets.substr(offset, count) : std::string();
          },
          octets.size()};
}

const std::string kScramKeys =
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

// Of all sizes: in the row, on overflow pages, and in the spool.
QueuedMessage message_of(std::uint64_t id, std::mt19937& random) {
  QueuedMessage message = test_message(id, {"a@far.example", "b@other.example", "c@far.example"});
  message.header = "Subject: " + std::string(random() % 3'000, 'h') + "\r\n";
  message.body = std::string(random() % 4 == 0 ? random() % 60'000 : random() % 500, static_cast<char>('a' + id % 26));
  message.body_octets = message.body.size();
  message.recipients[1].state = RecipientState::Delivered;
  message.recipients[2].state = RecipientState::Deferred;
  message.recipients[2].reason = std::string(random() % 4'000, 'r');
  return message;
}

// A state directory with messages, some of which have left again.
class Queue {
 public:
  static constexpr std::uint64_t kMessages = 60;

  Queue() {
    std::mt19937 random(7);
    auto store = std::move(*SqliteQueueStore::open(directory.path()));
    Account shop{"shop", "shop", "$y$hash", {}};
    shop.scram_keys = kScramKeys;
    REQUIRE(store->accounts().add(shop));
    for (std::uint64_t id = 1; id <= 2 * kMessages; ++id) {
      QueuedMessage message = message_of(id, random);
      if (id % 20 == 0) spool(message);
      REQUIRE(store->begin());
      REQUIRE(store->add(message));
      REQUIRE(store->commit());
      if (id % 2 == 0) {
        whole[id] = *store->load(QueueId(id));
      } else {
        REQUIRE(store->discard(QueueId(id)));
      }
    }
  }

  std::map<std::uint64_t, QueuedMessage> whole;
  TemporaryDirectory directory;

 private:
  void spool(QueuedMessage& message) {
    auto file = std::move(*SpoolFile::create(directory.path(), message.id));
    const std::string body(100'000, 's');
    REQUIRE(file.append(body));
    REQUIRE(file.seal());
    file.keep();
    message.body.clear();
    message.body_octets = body.size();
    message.spooled = true;
  }
};

// A message that may have left the queue is held, and else as it was.
bool same(const QueuedMessage& rescued, const QueuedMessage& whole, bool doubtful = false) {
  const auto same_recipient = [doubtful](const QueuedRecipient& a, const QueuedRecipient& b) {
    const bool held = doubtful && a.state == RecipientState::Held && !is_final(b.state);
    return a.ordinal == b.ordinal && a.address == b.address && a.next_attempt == b.next_attempt &&
           a.attempts == b.attempts && (held || (a.state == b.state && a.reason == b.reason));
  };
  return rescued.header == whole.header && rescued.body == whole.body && rescued.reverse_path == whole.reverse_path &&
         rescued.accepted == whole.accepted && rescued.expires == whole.expires && rescued.account == whole.account &&
         rescued.spooled == whole.spooled && rescued.body_octets == whole.body_octets &&
         std::ranges::equal(rescued.recipients, whole.recipients, same_recipient);
}

// The pages on which each message lies, with its recipients.
std::map<std::uint64_t, std::set<std::uint32_t>> pages_of_messages(const std::string& database) {
  const SqlitePages pages(in_memory(database), in_memory(""));
  const SalvagedRows rows = find_rows(pages);
  std::map<std::uint64_t, std::set<std::uint32_t>> all;
  for (const auto& [id, place] : rows.messages) {
    const auto add = [&all, id = id](const SqliteRecord& record) {
      all[static_cast<std::uint64_t>(id)].insert(record.pages.begin(), record.pages.end());
    };
    add(read_records(pages, place.page).at(place.record));
    for (const SqliteRecord& recipient : rows.recipients.at(id)) add(recipient);
  }
  return all;
}

std::set<std::uint32_t> damage(const fs::path& path, unsigned seed) {
  std::mt19937 random(seed);
  std::string octets = content_of(path);
  const auto count = static_cast<std::uint32_t>(octets.size() / kPageOctets);
  std::set<std::uint32_t> damaged;
  for (unsigned i = 0; i < 1 + seed % 12; ++i) damaged.insert(1 + static_cast<std::uint32_t>(random() % count));
  if (seed % 3 == 0) damaged.insert(1);
  for (const std::uint32_t page : damaged) {
    const auto begin = octets.begin() + static_cast<std::ptrdiff_t>((page - 1) * kPageOctets);
    std::generate_n(begin, kPageOctets, [&] { return seed % 4 == 0 ? '\0' : static_cast<char>(random()); });
  }
  std::ofstream(path, std::ios::binary) << octets;
  return damaged;
}

}  // namespace

TEST_CASE("an undamaged queue is rescued whole, and nothing that had left it") {
  const Queue queue;
  const TemporaryDirectory place;
  const std::string target = place.path() + "/new";
  const auto report = salvage(queue.directory.path(), target);
  REQUIRE(report);
  CHECK(report->integrity == std::vector<std::string>{"ok"});
  CHECK(report->messages == queue.whole.size());
  CHECK(report->recipients == 3 * queue.whole.size());
  CHECK(report->accounts == 1);
  CHECK(report->doubtful == 0);
  CHECK(report->lost.empty());
  auto store = std::move(*SqliteQueueStore::open(target));
  CHECK(store->message_count() == queue.whole.size());
  CHECK(store->accounts().find("shop")->password_hash == "$y$hash");
  CHECK(store->accounts().find("shop")->scram_keys == kScramKeys);
  for (const auto& [id, message] : queue.whole) {
    const auto loaded = store->load(QueueId(id));
    REQUIRE(loaded);
    CHECK(same(*loaded, message));
    if (message.spooled)
      CHECK(content_of(spool_path(target, message.id)) == content_of(spool_path(queue.directory.path(), message.id)));
  }
}

TEST_CASE("whatever pages are damaged, every message on the others is rescued as it was") {
  const Queue queue;
  const auto pages = pages_of_messages(content_of(queue.directory.path() + "/queue.db"));
  REQUIRE(pages.size() == queue.whole.size());
  std::size_t rescued = 0;
  for (unsigned seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    const TemporaryDirectory place;
    const std::string damaged_directory = place.path() + "/damaged";
    const std::string target = place.path() + "/new";
    fs::copy(queue.directory.path(), damaged_directory, fs::copy_options::recursive);
    const std::set<std::uint32_t> damaged = damage(damaged_directory + "/queue.db", seed);
    const std::string before = content_of(damaged_directory + "/queue.db");
    const auto report = salvage(damaged_directory, target);
    REQUIRE(report);
    CHECK(content_of(damaged_directory + "/queue.db") == before);
    auto store = std::move(*SqliteQueueStore::open(target));
    for (const auto& [id, message] : queue.whole) {
      const bool undamaged =
          std::ranges::none_of(pages.at(id), [&](std::uint32_t page) { return damaged.contains(page); });
      const auto loaded = store->load(QueueId(id));
      CAPTURE(id);
      if (undamaged) {
        REQUIRE(loaded);
        CHECK(same(*loaded, message, report->doubtful > 0));
        ++rescued;
      }
      if (!loaded && !pages.at(id).empty() && report->lost.empty()) FAIL("it was lost without a word");
    }
    // What had left the queue comes back only where nobody can know, and then it is held.
    for (std::uint64_t id = 1; id <= 2 * Queue::kMessages; id += 2) {
      const auto ghost = store->load(QueueId(id));
      if (!ghost) continue;
      CHECK(std::ranges::none_of(ghost->recipients, [](const QueuedRecipient& recipient) {
        return recipient.state == RecipientState::Queued || recipient.state == RecipientState::Deferred;
      }));
    }
  }
  CHECK(rescued > 300);
}

TEST_CASE("what was committed to the log alone is rescued too, and a torn end of the log is not") {
  const TemporaryDirectory source;
  const TemporaryDirectory place;
  auto store = std::move(*SqliteQueueStore::open(source.path()));
  for (std::uint64_t id = 1; id <= 5; ++id) {
    REQUIRE(store->begin());
    REQUIRE(store->add(test_message(id)));
    REQUIRE(store->commit());
  }
  const std::string copy = place.path() + "/copy";
  fs::create_directory(copy);
  for (const char* name : {"queue.db", "queue.db-wal"}) fs::copy(source.path() + "/" + name, copy + "/" + name);
  CHECK(salvage(copy, place.path() + "/whole")->messages == 5);
  fs::resize_file(copy + "/queue.db-wal", fs::file_size(copy + "/queue.db-wal") - 100);
  CHECK(salvage(copy, place.path() + "/torn")->messages == 4);
}

TEST_CASE("a body that is gone is told, with the message that it was of") {
  const TemporaryDirectory place;
  const Queue queue;
  const auto spooled = std::ranges::find_if(queue.whole, [](const auto& entry) { return entry.second.spooled; });
  fs::remove(spool_path(queue.directory.path(), spooled->second.id));
  const auto report = salvage(queue.directory.path(), place.path() + "/new");
  REQUIRE(report);
  CHECK(report->messages == queue.whole.size() - 1);
  REQUIRE(report->lost.size() == 1);
  CHECK(report->lost[0].id == spooled->second.id);
  CHECK_THAT(report->lost[0].what, Catch::Contains("missing"));
}

TEST_CASE("nothing is rescued from under a relay, into what exists, or from nothing") {
  const TemporaryDirectory place;
  const TemporaryDirectory source;
  CHECK(salvage(place.path() + "/none", place.path() + "/new").error().kind == ErrorKind::NotFound);
  {
    const auto store = SqliteQueueStore::open(source.path());
    REQUIRE(store);
    CHECK(salvage(source.path(), place.path() + "/new").error().kind == ErrorKind::Conflict);
  }
  CHECK(salvage(source.path(), place.path()).error().kind == ErrorKind::Conflict);
  CHECK_FALSE(fs::exists(place.path() + "/new"));
}
