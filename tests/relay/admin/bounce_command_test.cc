#include "relay/admin/bounce_command.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "relay/queue/bounce.h"
#include "tests/relay/store/temporary_directory.h"
#include "tests/relay/store/test_messages.h"

using namespace waxwing;
using Json = nlohmann::json;

namespace {

// A store with messages, and a relay that can tell their senders.
class Desk {
 public:
  Desk() {
    context_.uid = 7;
    context_.compose_reports = [this](QueuedMessage original, const std::vector<ReportedRecipient>& reported,
                                      WallTime now) {
      return compose_bounces(original, reported, {"relay.example", now, Seconds(86'400), 1}, ids_);
    };
  }
  Result<AdminReply> run(const Json& request) { return run_admin_command(request, *store, kNow, context_); }
  std::string id(std::uint64_t number) const { return QueueId(number).str(); }

  TemporaryDirectory directory;
  std::unique_ptr<SqliteQueueStore> store = std::move(*SqliteQueueStore::open(directory.path()));

 private:
  QueueIdSource ids_{1};
  AdminContext context_;
};

}  // namespace

TEST_CASE("a message that an operator returns leaves the queue, and its sender gets a report with the reason") {
  Desk desk;
  REQUIRE(desk.store->add(test_message(1, {"a@far.example", "b@far.example"})));
  const auto reply = desk.run({{"command", "queue bounce"}, {"id", desk.id(1)}, {"reason", "ask the billing team"}});
  REQUIRE(reply);
  CHECK(Json::parse(reply->lines.at(0)) == Json{{"id", desk.id(1)}, {"bounced", 2}, {"reports", 1}, {"removed", true}});
  CHECK(desk.store->load(QueueId(1)).error().kind == ErrorKind::NotFound);
  REQUIRE(reply->effects.reports.size() == 1);
  const auto report = desk.store->load(reply->effects.reports[0].id);
  REQUIRE(report);
  CHECK_FALSE(report->reverse_path);
  CHECK(report->sealing == Sealing::Due);
  CHECK(report->recipients.at(0).address.str() == "sender@client.example");
  CHECK_THAT(report->body, Catch::Contains("an operator returned it: ask the billing team"));
  CHECK_THAT(report->body, Catch::Contains("Final-Recipient: rfc822; a@far.example") &&
                               Catch::Contains("Final-Recipient: rfc822; b@far.example") &&
                               Catch::Contains("Status: 5.3.0"));
  REQUIRE(reply->effects.bounced.size() == 1);
  CHECK(reply->effects.bounced[0].removed);
  CHECK(reply->effects.bounced[0].recipients.size() == 2);
}

TEST_CASE("a report that is returned is answered by nothing, nor is who asked not to be told") {
  Desk desk;
  QueuedMessage report = test_message(1);
  report.reverse_path.reset();
  QueuedMessage silent = test_message(2);
  silent.recipients[0].notice.notify = NotifyWish{};
  for (const QueuedMessage& message : {report, silent}) REQUIRE(desk.store->add(message));
  const auto reply = desk.run({{"command", "queue bounce"}, {"all", true}, {"reason", "why"}});
  REQUIRE(reply);
  CHECK(reply->lines.size() == 2);
  CHECK(reply->effects.reports.empty());
  CHECK(desk.store->message_count() == 0);
}

TEST_CASE("recipients in other domains, and those with an outcome, are not returned") {
  Desk desk;
  QueuedMessage message = test_message(1, {"a@far.example", "b@other.example", "c@far.example", "d@far.example"});
  message.recipients[2].state = RecipientState::Delivered;
  message.recipients[3].state = RecipientState::Held;
  REQUIRE(desk.store->add(message));
  const auto reply = desk.run({{"command", "queue bounce"}, {"domain", "far.example"}, {"reason", "why"}});
  REQUIRE(reply);
  CHECK(Json::parse(reply->lines.at(0))["bounced"] == 2);
  const auto left = desk.store->load(QueueId(1));
  REQUIRE(left);
  CHECK(left->recipients[0].state == RecipientState::Bounced);
  CHECK(left->recipients[1].state == RecipientState::Queued);
  CHECK(left->recipients[2].state == RecipientState::Delivered);
  CHECK(left->recipients[3].state == RecipientState::Bounced);
}

TEST_CASE("returning takes a reason, a selection and a relay that runs; a rehearsal changes nothing") {
  Desk desk;
  REQUIRE(desk.store->add(test_message(1)));
  CHECK(desk.run({{"command", "queue bounce"}, {"all", true}}).error().kind == ErrorKind::Malformed);
  CHECK(desk.run({{"command", "queue bounce"}, {"reason", "why"}}).error().kind == ErrorKind::Malformed);
  const Json request{{"command", "queue bounce"}, {"all", true}, {"reason", "why"}};
  CHECK(run_admin_command(request, *desk.store, kNow).error().kind == ErrorKind::Unavailable);
  Json rehearsal = request;
  rehearsal["dry_run"] = true;
  const auto rehearsed = desk.run(rehearsal);
  REQUIRE(rehearsed);
  CHECK(Json::parse(rehearsed->lines.at(0))["reports"] == 1);
  CHECK(rehearsed->effects.reports.empty());
  CHECK(desk.store->message_count() == 1);
  CHECK(desk.store->load(QueueId(1))->recipients[0].state == RecipientState::Queued);
  CHECK(desk.store->audits().list(0, 10)->empty());
}

TEST_CASE("what changes the queue is in the audit log: who, what, how much and why") {
  Desk desk;
  for (std::uint64_t i = 1; i <= 3; ++i) REQUIRE(desk.store->add(test_message(i, {"a@far.example", "b@far.example"})));
  REQUIRE(desk.run({{"command", "queue retry"}, {"all", true}, {"reason", "mended"}, {"operator", "ann"}}));
  REQUIRE(desk.run({{"command", "queue hold"}, {"account", "shop"}, {"reason", "look"}, {"operator", "ann"}}));
  REQUIRE(desk.run({{"command", "queue release"}, {"id", desk.id(1)}}));
  REQUIRE(desk.run({{"command", "queue bounce"}, {"id", desk.id(1)}, {"reason", "wrong"}}));
  const auto dropped = desk.run({{"command", "queue drop"}, {"older_than", "0"}, {"tenant", "tenant"}});
  REQUIRE(dropped);
  REQUIRE(dropped->effects.on_queue);
  CHECK(dropped->effects.on_queue->command == "queue drop");
  REQUIRE_FALSE(desk.run({{"command", "queue drop"}, {"id", desk.id(9)}}));  // nothing was done
  const auto listed = desk.run({{"command", "audit list"}});
  REQUIRE(listed);
  REQUIRE(listed->lines.size() == 5);
  const Json newest = Json::parse(listed->lines[0]);
  CHECK(newest["filter"] == Json{{"older_than", "0"}, {"tenant", "tenant"}});
  CHECK(newest["uid"] == 7);
  CHECK(newest["operator"] == "");
  const Json oldest = Json::parse(listed->lines[4]);
  CHECK(oldest["command"] == "queue retry");
  CHECK(oldest["filter"] == Json{{"all", true}});
  CHECK(oldest["operator"] == "ann");
  CHECK(oldest["messages"] == 3);
  CHECK(oldest["recipients"] == 6);
  CHECK(oldest["reason"] == "mended");
  const auto before = desk.run({{"command", "audit list"}, {"before", oldest["entry"]}});
  REQUIRE(before);
  CHECK(before->lines.empty());
}
