#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "relay/admin/admin_commands.h"
#include "relay/store/proven_tls_store.h"
#include "tests/relay/store/temporary_directory.h"

using namespace waxwing;
using Json = nlohmann::json;

TEST_CASE("what was proven is listed, and forgotten on demand together with the plans that rest on it") {
  const TemporaryDirectory directory;
  auto store = SqliteQueueStore::open(directory.path());
  REQUIRE(store);
  const WallTime now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 26);
  REQUIRE((*store)->proven_tls().keep(*DomainName::parse("receiver.example"), "dane", now));
  const auto run = [&](const Json& request) { return run_admin_command(request, **store, now); };

  const auto listed = run({{"command", "tls list"}});
  REQUIRE(listed);
  REQUIRE(listed->lines.size() == 1);
  CHECK(Json::parse(listed->lines[0]) == Json{{"domain", "receiver.example"},
                                              {"method", "dane"},
                                              {"first_proven", "2026-11-26T00:00:00Z"},
                                              {"last_proven", "2026-11-26T00:00:00Z"}});
  CHECK_FALSE(listed->effects.plans_are_stale);

  const auto forgotten = run({{"command", "tls forget"}, {"domain", "Receiver.Example"}});
  REQUIRE(forgotten);
  CHECK(forgotten->effects.plans_are_stale);
  CHECK(run({{"command", "tls forget"}, {"domain", "receiver.example"}}).error().kind == ErrorKind::NotFound);
  CHECK(run({{"command", "tls forget"}, {"domain", "no domain"}}).error().kind == ErrorKind::Malformed);
  CHECK(run({{"command", "tls list"}})->lines.empty());
}
