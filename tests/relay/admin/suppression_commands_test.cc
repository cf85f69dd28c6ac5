#include "relay/admin/suppression_commands.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "relay/admin/admin_commands.h"
#include "tests/relay/store/temporary_directory.h"

using namespace waxwing;
using Json = nlohmann::json;

namespace {

const WallTime kToday = std::chrono::sys_days(std::chrono::year(2026) / 11 / 26);

class Desk {
 public:
  Result<AdminReply> run(const Json& request) { return run_admin_command(request, *store_, kToday); }
  Json only_line(const Json& request) {
    const auto reply = run(request);
    REQUIRE(reply);
    REQUIRE(reply->lines.size() == 1);
    return Json::parse(reply->lines[0]);
  }

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<SqliteQueueStore> store_ = std::move(*SqliteQueueStore::open(directory_.path()));
};

Json addition() {
  return {{"command", "suppression add"}, {"tenant", "shop"}, {"address", "bob@Far.example"}, {"reason", "he asked"}};
}

}  // namespace

TEST_CASE("an address is suppressed with a reason, for a time or for good, and the act is to be logged") {
  Desk desk;
  Json request = addition();
  request["keep_for"] = 86'400;
  const auto reply = desk.run(request);
  REQUIRE(reply);
  CHECK(Json::parse(reply->lines.at(0)) == Json{{"tenant", "shop"},
                                                {"address", "bob@far.example"},
                                                {"reason", "he asked"},
                                                {"since", "2026-11-26T00:00:00Z"},
                                                {"until", "2026-11-27T00:00:00Z"}});
  REQUIRE(reply->effects.audit.size() == 1);
  CHECK(reply->effects.audit[0].event == "suppression_added");
  CHECK(reply->effects.audit[0].reason == "he asked");
  CHECK(desk.only_line({{"command", "suppression list"}, {"tenant", "shop"}})["until"] == "2026-11-27T00:00:00Z");
  REQUIRE(desk.run(addition()));
  CHECK(desk.only_line({{"command", "suppression list"}})["until"].is_null());
}

TEST_CASE("an address is let go again, once") {
  Desk desk;
  REQUIRE(desk.run(addition()));
  const Json removal = {{"command", "suppression remove"}, {"tenant", "shop"}, {"address", "bob@far.example"}};
  CHECK(desk.run(removal)->effects.audit.at(0).subject == "bob@far.example");
  CHECK(desk.run(removal).error().kind == ErrorKind::NotFound);
}

TEST_CASE("what is no suppression is refused") {
  Desk desk;
  for (const auto& [name, value] : std::initializer_list<std::pair<const char*, Json>>{
           {"tenant", ""}, {"address", "nobody"}, {"reason", ""}, {"keep_for", 1'000'000'000'000}, {"adress", "x"}}) {
    Json request = addition();
    request[name] = value;
    INFO(name);
    CHECK(desk.run(request).error().kind == ErrorKind::Malformed);
  }
  CHECK(desk.run({{"command", "suppression list"}})->lines.empty());
}

TEST_CASE("what is listed can be imported as it is") {
  Desk from;
  Json with_end = addition();
  with_end["keep_for"] = 3'600;
  REQUIRE(from.run(with_end));
  Json for_good = addition();
  for_good["address"] = "ann@far.example";
  REQUIRE(from.run(for_good));
  const auto listed = from.run({{"command", "suppression list"}});
  Desk to;
  CHECK(to.only_line({{"command", "suppression import"}, {"entries", listed->lines}}) == Json{{"imported", 2}});
  CHECK(to.run({{"command", "suppression list"}})->lines == listed->lines);
}

TEST_CASE("an import with a wrong entry says which") {
  for (const char* entry : {R"({"tenant":"shop","address":"nobody"})", R"({"address":"a@far.example"})", "[]", "{",
                            R"({"tenant":"shop","address":"a@far.example","since":"2026-02-30T00:00:00Z"})",
                            R"({"tenant":"shop","address":"a@far.example","until":"2026-11-26 00:00:00"})",
                            R"({"tenant":"shop","address":"a@far.example","untill":"2026-11-26T00:00:00Z"})"}) {
    Desk desk;
    const auto imported = desk.run({{"command", "suppression import"}, {"entries", {entry}}});
    INFO(entry);
    REQUIRE_FALSE(imported);
    CHECK(imported.error().kind == ErrorKind::Malformed);
  }
}
