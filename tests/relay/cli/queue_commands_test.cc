#include "relay/cli/queue_commands.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "relay/store/sqlite_queue_store.h"
#include "tests/relay/cli/scripted_relay.h"
#include "tests/relay/store/temporary_directory.h"
#include "tests/relay/store/test_messages.h"

namespace waxwing {
namespace {

using Json = nlohmann::json;

Json entry(const std::string& id, const std::string& recipient, const std::string& state) {
  return {{"id", id},
          {"message_id", "<m@a.example>"},
          {"sender", "a@a.example"},
          {"recipient", recipient},
          {"state", state},
          {"attempts", 2},
          {"next_attempt", "2026-01-31T12:00:00Z"},
          {"reason", "the host did not answer"}};
}

std::vector<Json> objects(const Output& output) {
  std::vector<Json> all;
  std::istringstream lines(output.text());
  for (std::string line; std::getline(lines, line);) all.push_back(Json::parse(line));
  return all;
}

TEST_CASE("the queue as JSON is one object for each recipient that waits") {
  ScriptedRelay relay(std::vector<Json>{entry("1", "x@b.example", "deferred"), entry("1", "y@b.example", "delivered"),
                                        entry("2", "z@b.example", "queued"), entry("3", "h@b.example", "held"),
                                        entry("4", "w@b.example", "bounced")});
  Output output(OutputFormat::Json);
  REQUIRE(list_queue(relay.asker(), {}, 10, output));
  const auto listed = objects(output);
  REQUIRE(listed.size() == 3);
  Json expected = entry("1", "x@b.example", "deferred");
  expected["waits_for"] = nullptr;
  CHECK(listed[0] == expected);
  CHECK(listed[1].at("id") == "2");
  CHECK(listed[2].at("state") == "held");
  CHECK(relay.requests == std::vector<Json>{{{"command", "queue list"}}, {{"command", "destinations"}}});
}

TEST_CASE("the queue for people names each message once") {
  ScriptedRelay relay(std::vector<Json>{entry("1", "x@b.example", "deferred"), entry("1", "y@b.example", "deferred")});
  Output output(OutputFormat::Text);
  REQUIRE(list_queue(relay.asker(), {}, 10, output));
  CHECK(output.text() ==
        "1  from a@a.example  <m@a.example>\n"
        "    x@b.example  deferred, attempts 2, next 2026-01-31T12:00:00Z\n"
        "        the host did not answer\n"
        "    y@b.example  deferred, attempts 2, next 2026-01-31T12:00:00Z\n"
        "        the host did not answer\n");
}

TEST_CASE("a recipient says when it waits for its domain: for the end of a pause, or for a slot") {
  const AskRelay ask = [](const Json& request) -> Result<std::vector<Json>> {
    if (request["command"] == "queue show")
      return std::vector<Json>{{{"id", "1"}, {"recipients", {entry("1", "x@slow.example", "deferred")}}}};
    if (request["command"] == "queue list")
      return std::vector<Json>{entry("1", "x@slow.example", "deferred"), entry("1", "y@busy.example", "queued"),
                               entry("1", "z@slow.example", "held"), entry("1", "w@fine.example", "queued")};
    return std::vector<Json>{{{"domain", "slow.example"}, {"paused_until", "2026-01-31T12:05:00Z"}, {"active", 0}},
                             {{"domain", "busy.example"}, {"paused_until", nullptr}, {"active", 5}}};
  };
  Output text(OutputFormat::Text);
  REQUIRE(list_queue(ask, {}, 10, text));
  CHECK_THAT(text.text(), Catch::Contains("        its domain is paused until 2026-01-31T12:05:00Z\n") &&
                              Catch::Contains("        its domain is at its limit of attempts under way: 5\n"));
  Output json(OutputFormat::Json);
  REQUIRE(list_queue(ask, {}, 10, json));
  const auto listed = objects(json);
  CHECK(listed.at(0)["waits_for"] == Json{{"paused_until", "2026-01-31T12:05:00Z"}});
  CHECK(listed.at(1)["waits_for"] == Json{{"attempts_under_way", 5}});
  CHECK(listed.at(2)["waits_for"] == nullptr);
  CHECK(listed.at(3)["waits_for"] == nullptr);
  Output shown(OutputFormat::Text);
  REQUIRE(show_message(ask, "1", shown));
  CHECK_THAT(shown.text(), Catch::Contains("its domain is paused until 2026-01-31T12:05:00Z"));
}

TEST_CASE("an empty queue is said to be empty, and prints nothing as JSON") {
  ScriptedRelay relay(std::vector<Json>{});
  Output text(OutputFormat::Text);
  REQUIRE(list_queue(relay.asker(), {}, 10, text));
  CHECK(text.text() == "Nothing waits.\n");
  Output json(OutputFormat::Json);
  REQUIRE(list_queue(relay.asker(), {}, 10, json));
  CHECK(json.text().empty());
}

TEST_CASE("the limit counts messages, not recipients") {
  ScriptedRelay relay(std::vector<Json>{entry("1", "x@b.example", "deferred"), entry("1", "y@b.example", "deferred"),
                                        entry("2", "z@b.example", "deferred"), entry("3", "w@b.example", "deferred")});
  Output output(OutputFormat::Json);
  REQUIRE(list_queue(relay.asker(), {}, 2, output));
  CHECK(objects(output).size() == 3);
  Output ids(OutputFormat::Text);
  REQUIRE(list_queue_ids(relay.asker(), 3, ids));
  CHECK(ids.text() == "1\n1\n2\n");
}

TEST_CASE("a null sender and texts of strangers are shown safely") {
  Json line = entry("1", "x@b.example", "deferred");
  line["sender"] = nullptr;
  line["reason"] = "550 \x1b[31mno\nFAKE line";
  ScriptedRelay relay(std::vector<Json>{line});
  Output output(OutputFormat::Text);
  REQUIRE(list_queue(relay.asker(), {}, 10, output));
  CHECK_THAT(output.text(), Catch::Contains("from <>") && Catch::Contains("\\x1b[31mno\\x0aFAKE line"));
}

TEST_CASE("filters and selections reach the relay") {
  ScriptedRelay relay(std::vector<Json>{});
  Output output(OutputFormat::Json);
  REQUIRE(list_queue(relay.asker(), {.domain = "b.example", .account = "shop"}, 10, output));
  REQUIRE(retry_messages(relay.asker(), {.id = "ID"}, "", output));
  REQUIRE(retry_messages(relay.asker(), {.all = true}, "", output));
  REQUIRE(drop_messages(relay.asker(), {.id = "ID"}, "spam run", output));
  REQUIRE(drop_messages(relay.asker(), {.domain = "b.example"}, "", output));
  REQUIRE(show_message(relay.asker(), "ID", output));
  REQUIRE(hold_messages(relay.asker(), {.account = "shop"}, "why", output));
  REQUIRE(release_messages(relay.asker(), {.id = "ID"}, "repaired", output));
  REQUIRE(release_messages(relay.asker(), {.all = true}, "", output));
  REQUIRE(retry_messages(
      relay.asker(),
      {.tenant = "shop", .sender = "<>", .saying = "greylisted", .older_than = Seconds(7'200), .dry_run = true}, "",
      output));
  REQUIRE(bounce_messages(relay.asker(), {.domain = "b.example"}, "ask the billing team", output));
  REQUIRE(retry_messages(relay.asker(), {.id = "ID"}, "mended", output));
  // The message that is shown may wait for its domain.
  REQUIRE(relay.requests.size() == 13);
  CHECK(relay.requests[6] == Json{{"command", "destinations"}});
  relay.requests.erase(relay.requests.begin() + 6);
  CHECK(relay.requests[10] ==
        Json{{"command", "queue bounce"}, {"domain", "b.example"}, {"reason", "ask the billing team"}});
  CHECK(relay.requests[11] == Json{{"command", "queue retry"}, {"id", "ID"}, {"reason", "mended"}});
  CHECK(relay.requests[9] == Json{{"command", "queue retry"},
                                  {"tenant", "shop"},
                                  {"sender", "<>"},
                                  {"saying", "greylisted"},
                                  {"older_than", "7200"},
                                  {"dry_run", true}});
  CHECK(relay.requests[0] == Json{{"command", "queue list"}, {"domain", "b.example"}, {"account", "shop"}});
  CHECK(relay.requests[1] == Json{{"command", "queue retry"}, {"id", "ID"}});
  CHECK(relay.requests[2] == Json{{"command", "queue retry"}, {"all", true}});
  CHECK(relay.requests[3] == Json{{"command", "queue drop"}, {"id", "ID"}, {"reason", "spam run"}});
  CHECK(relay.requests[4] == Json{{"command", "queue drop"}, {"domain", "b.example"}});
  CHECK(relay.requests[5] == Json{{"command", "queue show"}, {"id", "ID"}});
  CHECK(relay.requests[6] == Json{{"command", "queue hold"}, {"account", "shop"}, {"reason", "why"}});
  CHECK(relay.requests[7] == Json{{"command", "queue release"}, {"id", "ID"}, {"reason", "repaired"}});
  CHECK(relay.requests[8] == Json{{"command", "queue release"}, {"all", true}});
}

TEST_CASE("one message is shown with its recipients, their last attempt and its header") {
  ScriptedRelay relay(
      std::vector<Json>{{{"id", "1"},
                         {"sender", "a@a.example"},
                         {"size_octets", 1'234},
                         {"header", "Subject: hello\r\nFrom: a@a.example\r\n"},
                         {"recipients",
                          {{{"recipient", "x@b.example"},
                            {"state", "deferred"},
                            {"attempts", 1},
                            {"next_attempt", nullptr},
                            {"status", "4.7.5"},
                            {"reason", "the certificate does not match"},
                            {"report", {{"mx", "mx.b.example"}, {"tls_level", "plaintext"}, {"reply", ""}}}}}}}});
  Output output(OutputFormat::Text);
  REQUIRE(show_message(relay.asker(), "1", output));
  for (const auto* part :
       {"1\n", "  sender: a@a.example\n", "  size_octets: 1234\n", "    x@b.example  deferred, attempts 1\n",
        "        the certificate does not match\n", "        status: 4.7.5\n", "        mx: mx.b.example\n",
        "    Subject: hello\n    From: a@a.example\n"}) {
    CHECK_THAT(output.text(), Catch::Contains(part));
  }
  CHECK_THAT(output.text(), !Catch::Contains("reply"));
}

TEST_CASE("an answer of another shape is printed without harm") {
  for (const auto& line : {Json(nullptr), Json(5), Json{{"recipients", 7}, {"header", {1, 2}}, {"id", Json::array()}},
                           Json{{"recipients", {1, nullptr}}}}) {
    ScriptedRelay relay(std::vector<Json>{line});
    Output output(OutputFormat::Text);
    CHECK(show_message(relay.asker(), "1", output));
    CHECK(list_queue(relay.asker(), {}, 10, output));
    CHECK(drop_messages(relay.asker(), {.id = "1"}, "", output));
  }
}

TEST_CASE("what was done is said for each message") {
  ScriptedRelay retried(std::vector<Json>{{{"id", "1"}, {"retried", 2}}});
  Output retry(OutputFormat::Text);
  REQUIRE(retry_messages(retried.asker(), {.id = "1"}, "", retry));
  CHECK(retry.text() == "1  recipients due now: 2\n");
  ScriptedRelay held(std::vector<Json>{{{"id", "1"}, {"held", 2}}});
  Output hold(OutputFormat::Text);
  REQUIRE(hold_messages(held.asker(), {.id = "1"}, "why", hold));
  CHECK(hold.text() == "1  recipients held now: 2\n");
  ScriptedRelay released(std::vector<Json>{{{"id", "1"}, {"released", 2}}});
  Output release(OutputFormat::Text);
  REQUIRE(release_messages(released.asker(), {.id = "1"}, "", release));
  CHECK(release.text() == "1  recipients released: 2\n");
  ScriptedRelay bounced(std::vector<Json>{{{"id", "1"}, {"bounced", 2}, {"reports", 1}, {"removed", true}},
                                          {{"id", "2"}, {"bounced", 1}, {"reports", 0}, {"removed", false}}});
  Output bounce(OutputFormat::Text);
  REQUIRE(bounce_messages(bounced.asker(), {.all = true}, "why", bounce));
  CHECK(bounce.text() ==
        "1  recipients returned: 2, reports: 1\n2  recipients returned: 1, reports: 0; others still wait\n");
  ScriptedRelay dropped(std::vector<Json>{{{"id", "1"}, {"dropped", 1}, {"removed", true}},
                                          {{"id", "2"}, {"dropped", 1}, {"removed", false}},
                                          {{"id", "3"}, {"dropped", nullptr}, {"removed", true}}});
  Output drop(OutputFormat::Text);
  REQUIRE(drop_messages(dropped.asker(), {.id = "1"}, "", drop));
  CHECK(drop.text() ==
        "1  recipients dropped: 1\n2  recipients dropped: 1; others still wait\n3  recipients dropped: all\n");
}

TEST_CASE("errors of the relay pass through") {
  ScriptedRelay relay(Error{ErrorKind::NotFound, "there is no such message"});
  Output output(OutputFormat::Text);
  CHECK(list_queue(relay.asker(), {}, 10, output).error().kind == ErrorKind::NotFound);
  CHECK(show_message(relay.asker(), "1", output).error().kind == ErrorKind::NotFound);
  CHECK(list_queue_ids(relay.asker(), 1, output).error().kind == ErrorKind::NotFound);
  CHECK(retry_messages(relay.asker(), {}, "", output).error().kind == ErrorKind::NotFound);
  CHECK(drop_messages(relay.asker(), {}, "", output).error().kind == ErrorKind::NotFound);
  CHECK(output.text().empty());
}

TEST_CASE("a message is exported as it would be sent") {
  const TemporaryDirectory directory;
  auto store = SqliteQueueStore::open(directory.path());
  REQUIRE(store);
  QueuedMessage message = test_message(1);
  message.header = "Subject: x\r\n";
  message.body = "body\r\n.dot\r\n";
  message.body_octets = message.body.size();
  REQUIRE((*store)->add(message));
  std::ostringstream out;
  REQUIRE(export_message(directory.path(), QueueId(1).str(), out));
  CHECK(out.str() == "Subject: x\r\n\r\nbody\r\n.dot\r\n");
  CHECK(export_message(directory.path(), QueueId(2).str(), out).error().kind == ErrorKind::NotFound);
  CHECK(export_message(directory.path(), "no id", out).error().kind == ErrorKind::Malformed);
}

}  // namespace
}  // namespace waxwing
