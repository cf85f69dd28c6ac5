#include <catch2/catch.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "policy/base64.h"
#include "relay/admin/admin_commands.h"
#include "relay/store/account_store.h"
#include "relay/store/quota_store.h"
#include "tests/relay/store/temporary_directory.h"

using namespace waxwing;
using Json = nlohmann::json;

namespace {

const WallTime kNow = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 1 / 2));

struct Operator {
  Operator() {
    auto opened = SqliteQueueStore::open(directory.path());
    REQUIRE(opened);
    store = std::move(*opened);
    REQUIRE(store->accounts().add({"shop", "customer", "$y$1", {}}));
  }
  Result<AdminReply> run(const Json& request) { return run_admin_command(request, *store, kNow); }
  Json line(const Json& request) {
    const auto reply = run(request);
    if (!reply) FAIL(reply.error().detail);
    return Json::parse(reply->lines.at(0));
  }
  ErrorKind error(const Json& request) {
    const auto reply = run(request);
    REQUIRE_FALSE(reply);
    return reply.error().kind;
  }

  TemporaryDirectory directory;
  std::unique_ptr<SqliteQueueStore> store;
};

}  // namespace

TEST_CASE("limits of an account are changed one by one and shown with what was used") {
  Operator op;
  const Json changed =
      op.line({{"command", "account limit"}, {"name", "shop"}, {"messages_per_hour", 10}, {"over_limit", "hold"}});
  CHECK(changed["limits"] == Json{{"messages_per_hour", 10}});
  CHECK(changed["over_limit"] == "hold");
  op.line({{"command", "account limit"}, {"name", "shop"}, {"connections", 3}});
  const Json shown = op.line({{"command", "account show"}, {"name", "shop"}});
  CHECK(shown["limits"] == Json{{"messages_per_hour", 10}, {"connections", 3}});
  CHECK(shown["tenant"] == "customer");
  CHECK(shown["held"].is_null());
  CHECK(shown["last_day"]["messages"] == 0);
  op.line({{"command", "account limit"}, {"name", "shop"}, {"messages_per_hour", 0}});
  CHECK(op.store->quotas().find(QuotaOwner::Account, "shop")->limit(QuotaKind::MessagesPerHour) == 0);
}

TEST_CASE("mail of an account or a tenant is held with a reason until it is released") {
  for (const char* owner : {"account", "tenant"}) {
    Operator op;
    const std::string name = std::string(owner) == "account" ? "shop" : "customer";
    CHECK(op.error({{"command", std::string(owner) + " hold"}, {"name", name}}) == ErrorKind::Malformed);
    CHECK(op.line({{"command", std::string(owner) + " hold"}, {"name", name}, {"reason", "stolen"}})["held"] ==
          "stolen");
    CHECK(op.line({{"command", std::string(owner) + " release"}, {"name", name}})["held"].is_null());
  }
}

TEST_CASE("tenants are those that were added and those that accounts name") {
  Operator op;
  CHECK(op.line({{"command", "tenant add"}, {"name", "empty"}})["added"] == true);
  CHECK(op.error({{"command", "tenant add"}, {"name", "customer"}}) == ErrorKind::Conflict);
  const auto reply = op.run({{"command", "tenant list"}});
  REQUIRE(reply);
  REQUIRE(reply->lines.size() == 2);
  CHECK(Json::parse(reply->lines[0])["name"] == "customer");
  CHECK(Json::parse(reply->lines[1])["name"] == "empty");
}

TEST_CASE("what does not exist, or is no limit, changes nothing") {
  Operator op;
  CHECK(op.error({{"command", "account limit"}, {"name", "nobody"}, {"connections", 1}}) == ErrorKind::NotFound);
  CHECK(op.error({{"command", "tenant show"}, {"name", "nobody"}}) == ErrorKind::NotFound);
  CHECK(op.error({{"command", "account limit"}, {"name", "shop"}}) == ErrorKind::Malformed);
  CHECK(op.error({{"command", "account limit"}, {"name", "shop"}, {"connections", -1}}) == ErrorKind::Malformed);
  CHECK(op.error({{"command", "account limit"}, {"name", "shop"}, {"connections", "1"}}) == ErrorKind::Malformed);
  CHECK(op.error({{"command", "account limit"}, {"name", "shop"}, {"over_limit", "drop"}}) == ErrorKind::Malformed);
  CHECK(op.error({{"command", "account limit"}, {"name", "shop"}, {"messages", 1}}) == ErrorKind::Malformed);
}

TEST_CASE("an account of a local user needs no password, any other does") {
  Operator op;
  op.line({{"command", "account add"}, {"name", "www"}, {"uid", 33}});
  CHECK(op.line({{"command", "account show"}, {"name", "www"}})["uid"] == 33);
  CHECK(op.error({{"command", "account add"}, {"name", "none"}}) == ErrorKind::Malformed);
  CHECK(op.error({{"command", "account add"}, {"name", "x"}, {"uid", 4294967296}}) == ErrorKind::Malformed);
  CHECK(op.error({{"command", "account add"}, {"name", "x"}, {"uid", 34}, {"password_hash", "clear"}}) ==
        ErrorKind::Malformed);
}

TEST_CASE("tokens are stored as digests and revoked together") {
  Operator op;
  const std::string digest = encode_base64(std::string(32, 'd'));
  op.line({{"command", "account token"}, {"name", "shop"}, {"digest", digest}});
  CHECK(op.error({{"command", "account token"}, {"name", "shop"}, {"digest", "d2F4"}}) == ErrorKind::Malformed);
  CHECK(op.store->accounts().find_by_token(std::string(32, 'd'))->name == "shop");
  CHECK(op.line({{"command", "account revoke"}, {"name", "shop"}})["revoked"] == 1);
}
