#include "relay/store/tls_result_store.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <catch2/catch.hpp>

#include "relay/store/sqlite_queue_store.h"
#include "tests/relay/store/temporary_directory.h"

using namespace waxwing;

namespace {

const WallTime kDay = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 1 / 2));
const WallTime kNoon = kDay + std::chrono::hours(12);

DomainName domain(std::string_view text = "receiver.example") {
  return *DomainName::parse(text);
}

std::unique_ptr<SqliteQueueStore> open_store(const TemporaryDirectory& directory) {
  auto store = SqliteQueueStore::open(directory.path());
  REQUIRE(store);
  return std::move(*store);
}

TlsSessionResult success() {
  TlsSessionResult result;
  result.policy.type = TlsReportPolicy::Type::Sts;
  result.policy.domain = "receiver.example";
  result.policy.strings = {"version: STSv1", "mode: enforce", "mx: a.example", "mx: *.b.example", "max_age: 1"};
  result.policy.mx_patterns = {"a.example", "*.b.example"};
  return result;
}

TlsSessionResult failure(std::string reason = "why") {
  TlsSessionResult result = success();
  result.failure =
      TlsFailure{TlsResultType::CertificateExpired, "192.0.2.1", "a.example", "192.0.2.2", std::move(reason)};
  return result;
}

}  // namespace

TEST_CASE("results are counted by day and domain and come back as they were, also from a new store") {
  const TemporaryDirectory directory;
  {
    auto store = open_store(directory);
    REQUIRE(store->tls_results().add(kNoon, domain(), {success(), failure(), success()}));
    REQUIRE(store->tls_results().add(kNoon, domain(), {failure(), failure("other")}));
    REQUIRE(store->tls_results().add(kNoon, domain("else.example"), {success()}));
    REQUIRE(store->tls_results().add(kNoon + std::chrono::hours(12), domain(), {success()}));
  }
  auto store = open_store(directory);
  const auto tally = store->tls_results().tally(kDay, domain());
  REQUIRE(tally);
  REQUIRE(tally->sums().size() == 1);
  const auto& [policy, sum] = *tally->sums().begin();
  CHECK(policy == success().policy);
  CHECK(sum.successes == 2);
  CHECK(sum.failures == 3);
  REQUIRE(sum.details.size() == 2);
  CHECK(sum.details.at(*failure().failure) == 2);
  const auto days = store->tls_results().list();
  REQUIRE(days);
  REQUIRE(days->size() == 3);
  CHECK((*days)[0].domain == "else.example");
  CHECK((*days)[1].start == kDay);
  CHECK((*days)[1].successes == 2);
  CHECK((*days)[1].failures == 3);
  CHECK((*days)[2].start == kDay + std::chrono::hours(24));
}

TEST_CASE("TLS results are removed by domain and day, and old ones together") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  TlsResultStore& results = store->tls_results();
  for (const char* name : {"a.example", "b.example"}) {
    for (const int day : {0, 1}) REQUIRE(results.add(kNoon + std::chrono::hours(24 * day), domain(name), {success()}));
  }
  REQUIRE(results.remove(kDay, domain("a.example")));
  CHECK(results.list()->size() == 3);
  CHECK(results.tally(kDay, domain("a.example"))->sums().empty());
  REQUIRE(results.remove_before(kNoon + std::chrono::hours(24)));
  CHECK(results.list()->size() == 2);
}

TEST_CASE("what a server said cannot break the lines of a row, nor make it long") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  REQUIRE(store->tls_results().add(kNoon, domain(), {failure("a\nb\r\n\0c" + std::string(5'000, 'x'))}));
  const auto tally = store->tls_results().tally(kDay, domain());
  REQUIRE(tally);
  const std::string& reason = tally->sums().begin()->second.details.begin()->first.reason_code;
  CHECK(reason.starts_with("a b"));
  CHECK(reason.size() <= 255);
}

TEST_CASE("a domain that shows ever new policies does not fill the disk") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  REQUIRE(store->begin());
  for (std::int64_t i = 0; i < kMaxTlsResultRows + 5; ++i) {
    REQUIRE(store->tls_results().add(kNoon, domain(), {failure(std::to_string(i))}));
  }
  REQUIRE(store->tls_results().add(kNoon, domain(), {failure("0")}));
  REQUIRE(store->commit());
  CHECK(store->tls_results().list()->at(0).failures == kMaxTlsResultRows + 1);
}

TEST_CASE("a policy too long to be kept is cut, and is the same policy each time") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  TlsSessionResult result = success();
  for (int i = 0; i < 1'000; ++i) result.policy.strings.push_back("mx: " + std::string(200, 'x') + ".example");
  REQUIRE(store->tls_results().add(kNoon, domain(), {result, result}));
  const auto tally = store->tls_results().tally(kDay, domain());
  REQUIRE(tally);
  CHECK(tally->sums().size() == 1);
  CHECK(tally->sums().begin()->second.successes == 2);
}

TEST_CASE("a damaged TLS result is named, and no other domain suffers") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  REQUIRE(store->tls_results().add(kNoon, domain(), {failure()}));
  REQUIRE(store->tls_results().add(kNoon, domain("else.example"), {success()}));
  const std::string damage = GENERATE(as<std::string>(), "UPDATE tls_results SET failure='99' WHERE failure<>''",
                                      "UPDATE tls_results SET failure='-1\n\n\n\n' WHERE failure<>''",
                                      "UPDATE tls_results SET policy='x' WHERE failure<>''",
                                      "UPDATE tls_results SET sessions=-5 WHERE failure<>''");
  SQLite::Database(directory.path() + "/queue.db", SQLite::OPEN_READWRITE).exec(damage);
  CHECK(store->tls_results().tally(kDay, domain()).error().kind == ErrorKind::Corrupt);
  CHECK(store->tls_results().tally(kDay, domain("else.example")));
}
