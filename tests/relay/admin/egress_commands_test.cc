#include "relay/admin/egress_commands.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "relay/admin/admin_commands.h"
#include "relay/store/egress_store.h"
#include "tests/relay/store/temporary_directory.h"

using namespace waxwing;
using Json = nlohmann::json;

namespace {

const WallTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 26);

class Desk {
 public:
  Result<AdminReply> run(const Json& request) { return run_admin_command(request, *store_, kNow); }
  std::vector<Json> lines(const Json& request) {
    const auto reply = run(request);
    REQUIRE(reply);
    std::vector<Json> all;
    for (const std::string& line : reply->lines) all.push_back(Json::parse(line));
    return all;
  }
  EgressStore& egress() { return store_->egress(); }

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<SqliteQueueStore> store_ = std::move(*SqliteQueueStore::open(directory_.path()));
};

Json order() {
  return {{"command", "egress pause"},
          {"source", "a"},
          {"provider", "Mail.example"},
          {"reason", "listed"},
          {"pause_for", 3600}};
}

}  // namespace

TEST_CASE("a source is paused for a time with a reason, and the running relay hears of it") {
  Desk desk;
  const auto reply = desk.run(order());
  REQUIRE(reply);
  const Json line = {
      {"kind", "pause"}, {"source", "a"},     {"provider", "mail.example"}, {"until", "2026-11-26T01:00:00Z"},
      {"rule", nullptr}, {"reason", "listed"}};
  CHECK(Json::parse(reply->lines.at(0)) == line);
  CHECK(reply->effects.egress_paused ==
        std::vector<EgressPause>{{"a", "mail.example", kNow + Seconds(3'600), "", "listed"}});
  REQUIRE(desk.egress().keep_uses({{"b", "mail.example", kNow.time_since_epoch() / std::chrono::days(1), 5}}));
  CHECK(desk.lines({{"command", "egress list"}}) ==
        std::vector<Json>{{{"kind", "use"}, {"source", "b"}, {"provider", "mail.example"}, {"used", 5}}, line});
}

TEST_CASE("without a provider all pauses of the source end, with one that one alone") {
  Desk desk;
  for (const char* provider : {"x.example", "y.example", ""}) {
    Json request = order();
    request["provider"] = provider;
    REQUIRE(desk.run(request));
  }
  const auto one = desk.run({{"command", "egress resume"}, {"source", "a"}, {"provider", "x.example"}});
  REQUIRE(one);
  REQUIRE(one->effects.egress_resumed.size() == 1);
  CHECK(one->effects.egress_resumed[0].provider == "x.example");
  CHECK(desk.lines({{"command", "egress resume"}, {"source", "a"}, {"reason", "mended"}}).size() == 2);
  CHECK(desk.lines({{"command", "egress list"}}).empty());
  const auto again = desk.run({{"command", "egress resume"}, {"source", "a"}});
  REQUIRE_FALSE(again);
  CHECK(again.error().kind == ErrorKind::NotFound);
}

TEST_CASE("an order that does not say who, how long or why is refused") {
  Desk desk;
  for (const char* missing : {"source", "pause_for", "reason"}) {
    Json request = order();
    request.erase(missing);
    CAPTURE(missing);
    const auto reply = desk.run(request);
    REQUIRE_FALSE(reply);
    CHECK(reply.error().kind == ErrorKind::Malformed);
  }
  Json endless = order();
  endless["pause_for"] = 1ULL << 40;
  CHECK_FALSE(desk.run(endless));
}
