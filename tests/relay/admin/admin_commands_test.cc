#include "relay/admin/admin_commands.h"

#include <SQLiteCpp/Database.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "relay/store/account_store.h"
#include "tests/relay/store/temporary_directory.h"
#include "tests/relay/store/test_messages.h"

using namespace waxwing;
using Json = nlohmann::json;

namespace {

// A store with three messages: 1 and 2 of "shop", 3 of "other" with a second domain.
struct Queue {
  Queue() {
    auto opened = SqliteQueueStore::open(directory.path());
    REQUIRE(opened);
    store = std::move(*opened);
    QueuedMessage other = test_message(3, {"a@far.example", "b@other.example", "c@other.example"});
    other.account = "other";
    other.reverse_path.reset();
    other.recipients[1].state = RecipientState::Deferred;
    other.recipients[1].attempts = 2;
    other.recipients[1].status = "4.7.5";
    other.recipients[1].reason = "the certificate of mx.other.example has expired";
    other.recipients[1].report = R"({"mx_name":"mx.other.example"})";
    other.recipients[1].next_attempt = kNow + Seconds{3'600};
    other.recipients[2].state = RecipientState::Delivered;
    for (const QueuedMessage& message : {test_message(1), test_message(2), other}) REQUIRE(store->add(message));
  }

  Result<AdminReply> run(const Json& request) { return run_admin_command(request, *store, kNow + Seconds{60}); }

  std::vector<Json> lines(const Json& request) {
    const auto reply = run(request);
    INFO((reply ? std::string() : reply.error().detail));
    REQUIRE(reply);
    std::vector<Json> parsed;
    for (const std::string& line : reply->lines) parsed.push_back(Json::parse(line));
    return parsed;
  }

  ErrorKind error(const Json& request) {
    const auto reply = run(request);
    REQUIRE_FALSE(reply);
    CHECK(reply.error().detail.size() > 5);
    return reply.error().kind;
  }

  TemporaryDirectory directory;
  std::unique_ptr<SqliteQueueStore> store;
};

std::string id(std::uint64_t number) {
  return QueueId(number).str();
}

}  // namespace

TEST_CASE("queue list shows a line per recipient with the fields that programs rely on") {
  Queue queue;
  const auto lines = queue.lines({{"command", "queue list"}});
  REQUIRE(lines.size() == 5);
  CHECK(lines[0] == Json{{"id", id(1)},
                         {"message_id", "<m1@client.example>"},
                         {"sender", "sender@client.example"},
                         {"recipient", "a@far.example"},
                         {"state", "queued"},
                         {"attempts", 0},
                         {"next_attempt", "2026-01-31T12:00:00Z"},
                         {"reason", ""}});
  CHECK(lines[3]["sender"].is_null());
  CHECK(lines[3]["attempts"] == 2);
  CHECK(lines[3]["next_attempt"] == "2026-01-31T13:00:00Z");
  CHECK(lines[3]["reason"] == "the certificate of mx.other.example has expired");
  CHECK(lines[4]["state"] == "delivered");
  CHECK(lines[4]["next_attempt"].is_null());
}

TEST_CASE("queue list is narrowed by id, account and domain") {
  Queue queue;
  CHECK(queue.lines({{"command", "queue list"}, {"id", id(2)}}).size() == 1);
  CHECK(queue.lines({{"command", "queue list"}, {"account", "shop"}}).size() == 2);
  CHECK(queue.lines({{"command", "queue list"}, {"domain", "OTHER.example"}}).size() == 2);
  CHECK(queue.lines({{"command", "queue list"}, {"domain", "other.example"}, {"account", "shop"}}).empty());
  CHECK(queue.error({{"command", "queue list"}, {"id", id(9)}}) == ErrorKind::NotFound);
}

TEST_CASE("queue list is narrowed by tenant, sender, age and reason") {
  Queue queue;
  QueuedMessage early = test_message(4);
  early.tenant = "group";
  early.accepted = kNow - Seconds{86'400};
  REQUIRE(queue.store->add(early));
  const auto count = [&queue](const char* name, const char* value) {
    return queue.lines({{"command", "queue list"}, {name, value}}).size();
  };
  CHECK(count("tenant", "group") == 1);
  CHECK(count("sender", "<>") == 3);
  CHECK(count("sender", "sender@CLIENT.example") == 3);
  CHECK(count("older_than", "3600") == 1);
  CHECK(count("older_than", "0") == 6);
  CHECK(count("saying", "has expired") == 1);
  CHECK(count("saying", "has EXPIRED") == 0);
  CHECK(queue.error({{"command", "queue list"}, {"sender", "no address"}}) == ErrorKind::Malformed);
  CHECK(queue.error({{"command", "queue list"}, {"older_than", "-1"}}) == ErrorKind::Malformed);
  CHECK(queue.error({{"command", "queue list"}, {"older_than", "9999999999"}}) == ErrorKind::Malformed);
}

TEST_CASE("queue drop with a reason ends only the recipients who wait for it") {
  Queue queue;
  const auto dropped = queue.lines({{"command", "queue drop"}, {"saying", "certificate of mx.other.example"}});
  REQUIRE(dropped.size() == 1);
  CHECK(dropped[0] == Json{{"id", id(3)}, {"dropped", 1}, {"removed", false}});
}

TEST_CASE("a dry run says what would be done and changes nothing") {
  Queue queue;
  const auto before = queue.lines({{"command", "queue list"}});
  for (const char* command : {"queue drop", "queue retry", "queue hold"}) {
    Json request = {{"command", command}, {"account", "shop"}, {"dry_run", true}};
    if (command == std::string("queue hold")) request["reason"] = "why";
    const auto reply = queue.run(request);
    REQUIRE(reply);
    CHECK(reply->lines.size() == 2);
    CHECK(reply->effects.retry.empty());
    CHECK(reply->effects.dropped.empty());
    CHECK(reply->effects.held.empty());
    CHECK(queue.lines({{"command", "queue list"}}) == before);
  }
  CHECK(queue.store->message_count() == 3);
  CHECK(queue.error({{"command", "queue drop"}, {"dry_run", true}}) == ErrorKind::Malformed);
  CHECK(queue.error({{"command", "queue list"}, {"dry_run", true}}) == ErrorKind::Malformed);
}

TEST_CASE("a long list comes in portions, each with the place to go on") {
  Queue queue;
  REQUIRE(queue.store->begin());
  for (std::uint64_t number = 10; number < 10 + 2 * kMaxAdminMessages; ++number) {
    REQUIRE(queue.store->add(test_message(number)));
  }
  REQUIRE(queue.store->commit());
  for (const char* command : {"queue ids", "queue list"}) {
    Json request{{"command", command}};
    std::vector<std::string> seen;
    int portions = 0;
    for (bool more = true; more; ++portions) {
      const auto reply = queue.run(request);
      REQUIRE(reply);
      for (const std::string& line : reply->lines) {
        const std::string shown = Json::parse(line)["id"];
        if (seen.empty() || seen.back() != shown) seen.push_back(shown);
      }
      more = reply->next.has_value();
      if (more) request["after"] = reply->next->str();
    }
    CHECK(portions == 3);
    CHECK(seen.size() == 3 + 2 * kMaxAdminMessages);
    CHECK(std::ranges::is_sorted(seen));
  }
}

TEST_CASE("queue show tells everything about a message but its body") {
  Queue queue;
  const auto lines = queue.lines({{"command", "queue show"}, {"id", id(3)}});
  REQUIRE(lines.size() == 1);
  const Json& shown = lines[0];
  CHECK(shown["account"] == "other");
  CHECK(shown["tenant"] == "tenant");
  CHECK(shown["accepted"] == "2026-01-31T12:00:00Z");
  CHECK(shown["header"] == "Subject: 3\r\n");
  CHECK(shown["size_octets"] == 12 + 2 + 11);
  REQUIRE(shown["recipients"].size() == 3);
  CHECK(shown["recipients"][1]["status"] == "4.7.5");
  CHECK(shown["recipients"][1]["report"]["mx_name"] == "mx.other.example");
  CHECK(shown["recipients"][0]["report"].is_null());
  CHECK(lines[0].dump().find("body of 3") == std::string::npos);
}

TEST_CASE("queue ids shows a line per message") {
  Queue queue;
  const auto lines = queue.lines({{"command", "queue ids"}});
  REQUIRE(lines.size() == 3);
  CHECK(lines[2] == Json{{"id", id(3)},
                         {"message_id", "<m3@client.example>"},
                         {"state", "queued"},
                         {"recipients", 3},
                         {"waiting", 2}});
}

TEST_CASE("queue retry makes waiting recipients due now and tells the scheduler, keeping what is known of them") {
  Queue queue;
  REQUIRE(queue.store->update(test_update(3, 0, RecipientState::Deferred)));
  const auto reply = queue.run({{"command", "queue retry"}, {"id", id(3)}});
  REQUIRE(reply);
  REQUIRE(reply->effects.retry.size() == 2);
  CHECK(reply->effects.dropped.empty());
  CHECK(reply->effects.retry[1].message == QueueId(3));
  CHECK(reply->effects.retry[1].ordinal == 1);
  CHECK(reply->effects.retry[1].domain == "other.example");
  CHECK(reply->effects.retry[1].attempts == 2);
  CHECK(reply->effects.retry[1].next_attempt == kNow + Seconds{60});
  CHECK(reply->effects.retry[1].expires == kNow + Seconds{432'000});
  const auto message = queue.store->load(QueueId(3));
  REQUIRE(message);
  CHECK(message->recipients[0].state == RecipientState::Deferred);
  CHECK(message->recipients[1].next_attempt == kNow + Seconds{60});
  CHECK(message->recipients[1].report == R"({"mx_name":"mx.other.example"})");
  CHECK(message->recipients[2].state == RecipientState::Delivered);
}

TEST_CASE("no command releases a message before the time that its sender gave") {
  Queue queue;
  QueuedMessage message = test_message(9);
  message.recipients[0].not_before = kNow + Seconds{3'600};
  REQUIRE(queue.store->add(message));
  CHECK(queue.run({{"command", "queue retry"}, {"id", id(9)}})->effects.retry.empty());
  REQUIRE(queue.run({{"command", "queue hold"}, {"id", id(9)}, {"reason", "to look at"}}));
  const auto reply = queue.run({{"command", "queue release"}, {"id", id(9)}});
  REQUIRE(reply);
  REQUIRE(reply->effects.retry.size() == 1);
  CHECK(reply->effects.retry[0].next_attempt == kNow + Seconds{3'600});
  CHECK(reply->effects.retry[0].not_before == kNow + Seconds{3'600});
  CHECK(queue.store->load(QueueId(9))->recipients[0].next_attempt == kNow + Seconds{3'600});
}

TEST_CASE("a release gives no message more time than its sender did") {
  Queue queue;
  QueuedMessage message = test_message(9);
  message.recipients[0].state = RecipientState::Held;
  message.deliver_by = DeliverBy{message.expires, ByMode::Return, false};
  REQUIRE(queue.store->add(message));
  REQUIRE(queue.run({{"command", "queue release"}, {"id", id(9)}}));
  CHECK(queue.store->load(QueueId(9))->expires == message.expires);
}

TEST_CASE("queue retry concerns only the domain that it names") {
  Queue queue;
  const auto reply = queue.run({{"command", "queue retry"}, {"domain", "other.example"}});
  REQUIRE(reply);
  CHECK(reply->lines.size() == 1);
  REQUIRE(reply->effects.retry.size() == 1);
  CHECK(reply->effects.retry[0].ordinal == 1);
  CHECK(queue.run({{"command", "queue retry"}, {"all", true}})->effects.retry.size() == 4);
}

TEST_CASE("queue retry leaves held recipients to queue release") {
  Queue queue;
  REQUIRE(queue.store->update(test_update(1, 0, RecipientState::Held)));
  const auto reply = queue.run({{"command", "queue retry"}, {"id", id(1)}});
  REQUIRE(reply);
  CHECK(reply->effects.retry.empty());
  CHECK(queue.store->load(QueueId(1))->recipients[0].state == RecipientState::Held);
}

TEST_CASE("queue hold keeps a message with its reason, all recipients that wait, and says so to the scheduler") {
  Queue queue;
  const auto reply = queue.run({{"command", "queue hold"}, {"id", id(3)}, {"reason", "a customer asks for it"}});
  REQUIRE(reply);
  CHECK(Json::parse(reply->lines.at(0)) == Json{{"id", id(3)}, {"held", 2}});
  REQUIRE(reply->effects.held.size() == 1);
  CHECK(reply->effects.held[0].id == QueueId(3));
  CHECK(reply->effects.held[0].reason == "a customer asks for it");
  const auto message = queue.store->load(QueueId(3));
  REQUIRE(message);
  CHECK(message->recipients[0].state == RecipientState::Held);
  CHECK(message->recipients[0].reason == "a customer asks for it");
  CHECK(message->recipients[1].state == RecipientState::Held);
  CHECK(message->recipients[1].attempts == 2);
  CHECK(message->recipients[2].state == RecipientState::Delivered);
  CHECK(queue.run({{"command", "queue hold"}, {"id", id(3)}, {"reason", "again"}})->effects.held.empty());
}

TEST_CASE(
    "queue release makes held recipients due now, gives back the time for which they were held, and has them sealed") {
  Queue queue;
  REQUIRE(queue.run({{"command", "queue hold"}, {"id", id(3)}, {"reason", "why"}}));  // at kNow + 60 s
  const auto reply =
      run_admin_command({{"command", "queue release"}, {"id", id(3)}}, *queue.store, kNow + Seconds{1'060});
  REQUIRE(reply);
  CHECK(Json::parse(reply->lines.at(0)) == Json{{"id", id(3)}, {"released", 2}});
  REQUIRE(reply->effects.released.size() == 1);
  CHECK(reply->effects.released[0].reason == "released by the operator");
  REQUIRE(reply->effects.retry.size() == 2);
  CHECK(reply->effects.retry[1].domain == "other.example");
  CHECK(reply->effects.retry[1].next_attempt == kNow + Seconds{1'060});
  CHECK(reply->effects.retry[1].expires == kNow + Seconds{433'000});
  const auto message = queue.store->load(QueueId(3));
  REQUIRE(message);
  CHECK(message->recipients[0].state == RecipientState::Queued);
  CHECK(message->expires == kNow + Seconds{433'000});
  CHECK(message->sealing == Sealing::Due);
}

TEST_CASE("a message that was held while the clock was set back loses none of its time") {
  Queue queue;
  REQUIRE(queue.run({{"command", "queue hold"}, {"id", id(3)}, {"reason", "why"}}));
  const WallTime before = queue.store->load(QueueId(3))->expires;
  REQUIRE(run_admin_command({{"command", "queue release"}, {"id", id(3)}}, *queue.store, kNow - Seconds{100'000}));
  CHECK(queue.store->load(QueueId(3))->expires == before);
}

TEST_CASE("queue release does nothing to messages that are not held") {
  Queue queue;
  const auto reply = queue.run({{"command", "queue release"}, {"all", true}});
  REQUIRE(reply);
  CHECK(reply->lines.size() == 3);
  CHECK(reply->effects.released.empty());
  CHECK(reply->effects.retry.empty());
  CHECK(queue.store->load(QueueId(1))->sealing == Sealing::Done);
}

TEST_CASE("a message is held with a reason, and as a whole") {
  Queue queue;
  CHECK(queue.error({{"command", "queue hold"}, {"id", id(1)}}) == ErrorKind::Malformed);
  CHECK(queue.error({{"command", "queue hold"}, {"domain", "far.example"}, {"reason", "why"}}) == ErrorKind::Malformed);
  CHECK(queue.error({{"command", "queue release"}, {"domain", "far.example"}}) == ErrorKind::Malformed);
  CHECK(queue.error({{"command", "queue release"}}) == ErrorKind::Malformed);
  CHECK(queue.error({{"command", "queue release"}, {"id", id(9)}}) == ErrorKind::NotFound);
}

TEST_CASE("queue drop ends waiting recipients with the reason and removes what nobody waits for") {
  Queue queue;
  auto reply = queue.run({{"command", "queue drop"}, {"domain", "other.example"}, {"reason", "closed shop"}});
  REQUIRE(reply);
  REQUIRE(reply->effects.dropped.size() == 1);
  CHECK(reply->effects.dropped[0].id == QueueId(3));
  CHECK(reply->effects.dropped[0].message_id == "<m3@client.example>");
  CHECK(reply->effects.dropped[0].recipients == std::vector<std::string>{"b@other.example"});
  CHECK(reply->effects.dropped[0].reason == "closed shop");
  CHECK_FALSE(reply->effects.dropped[0].removed);
  CHECK(queue.store->load(QueueId(3))->recipients[1].state == RecipientState::Dropped);
  CHECK(queue.store->load(QueueId(3))->recipients[1].reason == "closed shop");
  reply = queue.run({{"command", "queue drop"}, {"id", id(3)}});
  REQUIRE(reply);
  CHECK(reply->effects.dropped[0].removed);
  CHECK(queue.error({{"command", "queue drop"}, {"id", id(3)}}) == ErrorKind::NotFound);
  CHECK(queue.lines({{"command", "queue drop"}, {"account", "shop"}}).size() == 2);
  CHECK(queue.store->message_count() == 0);
}

TEST_CASE("a damaged message is named by queue list and can be dropped by its id") {
  Queue queue;
  SQLite::Database(queue.directory.path() + "/queue.db", SQLite::OPEN_READWRITE)
      .exec("UPDATE recipients SET state=99 WHERE message=2");
  const auto listed = queue.run({{"command", "queue list"}});
  REQUIRE_FALSE(listed);
  CHECK(listed.error().kind == ErrorKind::Corrupt);
  CHECK(listed.error().detail.find(id(2)) != std::string::npos);
  const auto dropped = queue.run({{"command", "queue drop"}, {"id", id(2)}});
  REQUIRE(dropped);
  CHECK(dropped->effects.dropped[0].removed);
  CHECK(queue.lines({{"command", "queue ids"}}).size() == 2);
}

TEST_CASE("a command that changes the queue needs to be told which messages") {
  Queue queue;
  for (const char* command : {"queue drop", "queue retry"}) {
    CHECK(queue.error({{"command", command}}) == ErrorKind::Malformed);
    CHECK(queue.error({{"command", command}, {"all", true}, {"id", id(1)}}) == ErrorKind::Malformed);
    CHECK(queue.error({{"command", command}, {"all", false}}) == ErrorKind::Malformed);
    CHECK(queue.error({{"command", command}, {"domian", "far.example"}, {"all", true}}) == ErrorKind::Malformed);
  }
  CHECK(queue.store->message_count() == 3);
}

TEST_CASE("requests that are not what a command takes are refused") {
  Queue queue;
  for (const char* text :
       {"null",
        "[]",
        "7",
        "{}",
        R"({"command":7})",
        R"({"command":"queue"})",
        R"({"command":"queue list","id":1})",
        R"({"command":"queue list","id":"xyz"})",
        R"({"command":"queue list","domain":"a b"})",
        R"({"command":"queue list","account":["a"]})",
        R"({"command":"queue list","account":"a\nb"})",
        R"({"command":"queue list","x":1})",
        R"({"command":"queue show"})",
        R"({"command":"queue drop","all":"yes"})",
        R"({"command":"queue drop","all":true,"reason":"a\u0000b"})",
        R"({"command":"account add","name":"x"})",
        R"({"command":"account add","name":"x","password_hash":"secret"})",
        R"({"command":"account add","name":"x","password_hash":"$y$h","scram_keys":"SCRAM-SHA-256$1:a$b:c"})",
        R"({"command":"account add","name":"x","password_hash":"$y$h","allowed_senders":"example.org"})",
        R"({"command":"account add","name":"x y","password_hash":"$y$h"})",
        R"({"command":"account list","name":"x"})"}) {
    CAPTURE(text);
    CHECK(queue.error(Json::parse(text)) == ErrorKind::Malformed);
  }
  CHECK(queue.error({{"command", "queue list"}, {"account", std::string(2'000, 'x')}}) == ErrorKind::Malformed);
}

TEST_CASE("accounts are added, changed and listed, and no hash is ever shown") {
  Queue queue;
  const Json add{{"command", "account add"},
                 {"name", "shop"},
                 {"password_hash", "$y$first"},
                 {"allowed_senders", {"example.org", "*.example.org"}}};
  CHECK(queue.lines(add).size() == 1);
  CHECK(queue.error(add) == ErrorKind::Conflict);
  CHECK(queue.lines({{"command", "account passwd"}, {"name", "shop"}, {"password_hash", "$y$second"}}).size() == 1);
  CHECK(queue.store->accounts().find("shop")->password_hash == "$y$second");
  CHECK(queue.error({{"command", "account passwd"}, {"name", "no"}, {"password_hash", "$y$x"}}) == ErrorKind::NotFound);
  const auto lines = queue.lines({{"command", "account list"}});
  REQUIRE(lines.size() == 1);
  Json expected{
      {"name", "shop"}, {"tenant", "shop"}, {"allowed_senders", {"example.org", "*.example.org"}}, {"scram", false}};
  CHECK(lines[0] == expected);
  const std::string keys =
      "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
      "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
  queue.lines({{"command", "account passwd"}, {"name", "shop"}, {"password_hash", "$y$third"}, {"scram_keys", keys}});
  CHECK(queue.store->accounts().find("shop")->scram_keys == keys);
  expected["scram"] = true;
  CHECK(queue.lines({{"command", "account list"}}).at(0) == expected);
}

TEST_CASE("what is not UTF-8 in a message does not break the answer") {
  Queue queue;
  QueuedMessage message = test_message(7);
  message.message_id = "<\xff\x80>";
  message.header = "Subject: \xc3\x28\r\n";
  REQUIRE(queue.store->add(message));
  CHECK(queue.lines({{"command", "queue show"}, {"id", id(7)}})[0]["message_id"] == "<\xef\xbf\xbd\xef\xbf\xbd>");
}
