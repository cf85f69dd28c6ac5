#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "relay/admin/admin_commands.h"
#include "relay/store/tls_result_store.h"
#include "tests/relay/store/temporary_directory.h"

using namespace waxwing;
using Json = nlohmann::json;

namespace {

const WallTime kDay = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 1 / 2));

// Two days of results with one domain.
struct Results {
  Results() {
    auto opened = SqliteQueueStore::open(directory.path());
    REQUIRE(opened);
    store = std::move(*opened);
    const DomainName domain = *DomainName::parse("receiver.example");
    TlsSessionResult success;
    success.policy.domain = "receiver.example";
    TlsSessionResult failure = success;
    failure.failure =
        TlsFailure{TlsResultType::StarttlsNotSupported, "192.0.2.1", "mx.receiver.example", "192.0.2.2", ""};
    REQUIRE(store->tls_results().add(kDay, domain, {success, success, failure}));
    REQUIRE(store->tls_results().add(kDay + std::chrono::days(1), domain, {success}));
  }

  Result<AdminReply> run(const Json& request) { return run_admin_command(request, *store, kDay); }

  TemporaryDirectory directory;
  std::unique_ptr<SqliteQueueStore> store;
};

}  // namespace

TEST_CASE("report tls list shows a line per day and domain") {
  Results results;
  const auto reply = results.run({{"command", "report tls list"}});
  REQUIRE(reply);
  REQUIRE(reply->lines.size() == 2);
  CHECK(Json::parse(reply->lines[0]) ==
        Json{{"day", "2026-01-02"}, {"domain", "receiver.example"}, {"successes", 2}, {"failures", 1}});
}

TEST_CASE("report tls show gives the report of the day that was asked for, and else of the last one") {
  Results results;
  const auto last = results.run({{"command", "report tls show"}, {"domain", "receiver.example"}});
  REQUIRE(last);
  const Json last_report = Json::parse(last->lines.at(0));
  CHECK(last_report["date-range"] ==
        Json{{"start-datetime", "2026-01-03T00:00:00Z"}, {"end-datetime", "2026-01-03T23:59:59Z"}});
  const auto first = results.run({{"command", "report tls show"},
                                  {"domain", "Receiver.Example"},
                                  {"day", "2026-01-02"},
                                  {"organization_name", "relay.example"},
                                  {"contact_info", "postmaster@relay.example"}});
  REQUIRE(first);
  const Json report = Json::parse(first->lines.at(0));
  CHECK(report["organization-name"] == "relay.example");
  CHECK(report["contact-info"] == "postmaster@relay.example");
  CHECK(report["report-id"] == "2026-01-02.receiver.example");
  CHECK(report["policies"][0]["summary"] ==
        Json{{"total-successful-session-count", 2}, {"total-failure-session-count", 1}});
  CHECK(report["policies"][0]["failure-details"][0]["result-type"] == "starttls-not-supported");
}

TEST_CASE("report tls send asks the relay for the report of one day and changes nothing itself") {
  Results results;
  const auto reply =
      results.run({{"command", "report tls send"}, {"domain", "receiver.example"}, {"day", "2026-01-02"}});
  REQUIRE(reply);
  CHECK(Json::parse(reply->lines.at(0)) == Json{{"day", "2026-01-02"}, {"domain", "receiver.example"}});
  REQUIRE(reply->effects.tls_reports.size() == 1);
  CHECK(reply->effects.tls_reports[0].day == kDay);
  CHECK(reply->effects.tls_reports[0].domain == "receiver.example");
  CHECK(results.store->tls_results().list()->size() == 2);
  const auto nothing = results.run({{"command", "report tls send"}, {"domain", "else.example"}});
  CHECK(nothing.error().kind == ErrorKind::NotFound);
}

TEST_CASE("report tls show says what it cannot find and what it does not understand") {
  Results results;
  const auto kind = [&](const Json& request) {
    const auto reply = results.run(request);
    REQUIRE_FALSE(reply);
    return reply.error().kind;
  };
  const std::string command = "report tls show";
  CHECK(kind({{"command", command}, {"domain", "else.example"}}) == ErrorKind::NotFound);
  CHECK(kind({{"command", command}, {"domain", "receiver.example"}, {"day", "2026-01-04"}}) == ErrorKind::NotFound);
  for (const char* day : {"2026-02-30", "2026-1-2", "yesterday", "2026-01-0x", "20260102xx"}) {
    CHECK(kind({{"command", command}, {"domain", "receiver.example"}, {"day", day}}) == ErrorKind::Malformed);
  }
  CHECK(kind({{"command", command}}) == ErrorKind::Malformed);
  CHECK(kind({{"command", "report tls list"}, {"domain", "receiver.example"}}) == ErrorKind::Malformed);
}
