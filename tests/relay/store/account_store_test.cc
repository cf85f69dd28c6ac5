#include "relay/store/account_store.h"

#include <SQLiteCpp/Database.h>

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "policy/scram_keys.h"
#include "relay/store/password.h"
#include "relay/store/queue_reader.h"
#include "relay/store/sqlite_queue_store.h"
#include "relay/store/sts_policy_store.h"
#include "tests/relay/store/temporary_directory.h"
#include "tests/relay/store/test_messages.h"

using namespace waxwing;

namespace {

std::unique_ptr<SqliteQueueStore> open_store(const TemporaryDirectory& directory) {
  auto store = SqliteQueueStore::open(directory.path());
  REQUIRE(store);
  return std::move(*store);
}

Account account(const std::string& name) {
  return {name, "tenant", "$y$hash", {"example.org", "*.example.org", "me@example.net"}};
}

const std::string kScramKeys =
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

CachedStsPolicy policy(const std::string& id, WallTime expires) {
  CachedStsPolicy cached;
  cached.policy_id = id;
  cached.body = "version: STSv1\nmode: enforce\nmx: *.far.example\nmax_age: 604800\n";
  cached.policy = StsPolicy::parse(cached.body).value();
  cached.fetched = kNow;
  cached.expires = expires;
  return cached;
}

const DomainName kDomain = DomainName::parse("far.example").value();

}  // namespace

TEST_CASE("an account is found as it was added, by the store and by readers") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  REQUIRE(store->accounts().add(account("shop")));
  auto reader = QueueReader::open(directory.path());
  REQUIRE(reader);
  for (const auto& found : {store->accounts().find("shop"), reader->find_account("shop")}) {
    REQUIRE(found);
    CHECK(found->name == "shop");
    CHECK(found->tenant == "tenant");
    CHECK(found->password_hash == "$y$hash");
    CHECK(found->allowed_senders == std::vector<std::string>{"example.org", "*.example.org", "me@example.net"});
  }
  CHECK(store->accounts().find("Shop").error().kind == ErrorKind::NotFound);
  CHECK(store->accounts().find("shop' OR '1'='1").error().kind == ErrorKind::NotFound);
}

TEST_CASE("an account may have no sender rules") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  REQUIRE(store->accounts().add({"any", "", "$y$hash", {}}));
  CHECK(store->accounts().find("any")->allowed_senders.empty());
}

TEST_CASE("an account name is taken once") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  REQUIRE(store->accounts().add(account("shop")));
  CHECK(store->accounts().add(account("shop")).error().kind == ErrorKind::Conflict);
}

TEST_CASE("a password is set for an account that exists") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  REQUIRE(store->accounts().add(account("shop")));
  REQUIRE(store->accounts().set_password("shop", "$y$other", kScramKeys));
  CHECK(store->accounts().find("shop")->password_hash == "$y$other");
  CHECK(store->accounts().find("shop")->scram_keys == kScramKeys);
  CHECK(store->accounts().set_password("nobody", "$y$other", "").error().kind == ErrorKind::NotFound);
  CHECK(store->accounts().set_password("shop", "$y$other", "SCRAM").error().kind == ErrorKind::Malformed);
}

TEST_CASE("keys of SCRAM go with the password that they were derived from") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  Account shop = account("shop");
  shop.scram_keys = kScramKeys;
  REQUIRE(store->accounts().add(shop));
  CHECK(store->accounts().list()->at(0).scram_keys == kScramKeys);
  REQUIRE(store->accounts().set_password("shop", "$y$other", ""));
  CHECK(store->accounts().find("shop")->scram_keys.empty());
  shop.name = "wrong";
  shop.scram_keys += "x";
  CHECK(store->accounts().add(shop).error().kind == ErrorKind::Malformed);
}

TEST_CASE("an account that a password opens and SCRAM does not is found, and no other") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  const auto reader = [&] { return QueueReader::open(directory.path())->find_account_without_scram().value(); };
  CHECK_FALSE(reader());
  Account local;
  local.name = "local";
  local.uid = 33;
  REQUIRE(store->accounts().add(local));
  Account both = account("both");
  both.scram_keys = kScramKeys;
  REQUIRE(store->accounts().add(both));
  CHECK_FALSE(reader());
  REQUIRE(store->accounts().add(account("old")));
  CHECK(reader() == "old");
  REQUIRE(store->accounts().set_password("old", "$y$other", kScramKeys));
  CHECK_FALSE(reader());
}

TEST_CASE("the keys of a password are its own, and of nobody else with the same one") {
  const auto first = make_scram_keys("open sesame");
  const auto second = make_scram_keys("open sesame");
  REQUIRE(first);
  REQUIRE(second);
  CHECK(*first != *second);
  const auto keys = parse_scram_keys(*first);
  REQUIRE(keys);
  CHECK(keys->iterations == kScramIterations);
  CHECK(keys->salt.size() == kScramSaltOctets);
  CHECK(scram_keys_text(derive_scram_keys("open sesame", keys->salt, keys->iterations)) == *first);
  for (const char* password : {"", "Schl\xc3\xbcssel", "a\tb"})
    CHECK(make_scram_keys(password).error().kind == ErrorKind::Malformed);
}

TEST_CASE("accounts are listed by name") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  REQUIRE(store->accounts().add(account("b")));
  REQUIRE(store->accounts().add(account("a")));
  const auto listed = store->accounts().list();
  REQUIRE(listed);
  REQUIRE(listed->size() == 2);
  CHECK(listed->at(0).name == "a");
}

TEST_CASE("names and sender rules that nobody could use are refused") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  for (const std::string& name : {std::string(), std::string("a b"), std::string("a\nb"), std::string(129, 'x'),
                                  std::string("caf\xc3\xa9"), std::string("a\0b", 3)}) {
    CHECK(store->accounts().add(account(name)).error().kind == ErrorKind::Malformed);
  }
  for (const char* rule : {"", "*", "*.", "a b.example", "x@", "@example.org", "example.org\nother.example"}) {
    CAPTURE(rule);
    Account bad = account("shop");
    bad.allowed_senders = {rule};
    CHECK(store->accounts().add(bad).error().kind == ErrorKind::Malformed);
  }
}

TEST_CASE("a password is verified against its own hash alone") {
  const std::string hash = hash_password("correct horse").value();
  CHECK(hash.starts_with("$y$"));
  CHECK(verify_password("correct horse", hash));
  CHECK_FALSE(verify_password("correct horsf", hash));
  CHECK_FALSE(verify_password("", hash));
  CHECK_FALSE(verify_password("correct horse", hash.substr(0, hash.size() - 1)));
  CHECK_FALSE(verify_password("correct horse", ""));
  CHECK_FALSE(verify_password("correct horse", "*0"));
  CHECK_FALSE(verify_password("correct horse", "$nonsense$"));
  CHECK(hash != hash_password("correct horse").value());
}

TEST_CASE("no password belongs to the dummy hash, which costs as much as a real one") {
  const std::string dummy(dummy_password_hash());
  CHECK_FALSE(verify_password("correct horse", dummy));
  const std::string hash = hash_password("x").value();
  const auto cost = [](const std::string& text) { return text.substr(0, text.find('$', 3)); };
  CHECK(cost(dummy) == cost(hash));
  CHECK(dummy.size() == hash.size());
}

TEST_CASE("passwords that crypt would cut are refused") {
  CHECK(hash_password("").error().kind == ErrorKind::Malformed);
  CHECK(hash_password(std::string(256, 'x')).error().kind == ErrorKind::Malformed);
  CHECK(hash_password(std::string("a\0b", 3)).error().kind == ErrorKind::Malformed);
  const std::string longest(255, 'x');
  const std::string hash = hash_password(longest).value();
  CHECK(verify_password(longest, hash));
  CHECK_FALSE(verify_password(longest.substr(1), hash));
}

TEST_CASE("a policy that was kept holds over a restart until it expires") {
  const TemporaryDirectory directory;
  REQUIRE(open_store(directory)->sts_policies().keep(kDomain, policy("1", kNow + Seconds{100})));
  auto store = open_store(directory);
  auto reader = QueueReader::open(directory.path());
  REQUIRE(reader);
  const auto before = reader->find_sts_policy(kDomain, kNow + Milliseconds{99'999});
  REQUIRE(before);
  REQUIRE(before->has_value());
  CHECK((*before)->policy_id == "1");
  CHECK((*before)->policy.covers("mx.far.example"));
  CHECK((*before)->fetched == kNow);
  CHECK((*before)->expires == kNow + Seconds{100});
  CHECK_FALSE(store->sts_policies().find(kDomain, kNow + Seconds{100})->has_value());
  CHECK_FALSE(store->sts_policies().find(DomainName::parse("sub.far.example").value(), kNow)->has_value());
}

TEST_CASE("a newer policy takes the place of an older one, and expired ones are removed") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  REQUIRE(store->sts_policies().keep(kDomain, policy("1", kNow + Seconds{100})));
  REQUIRE(store->sts_policies().keep(kDomain, policy("2", kNow + Seconds{200})));
  REQUIRE(store->sts_policies().remove_expired(kNow + Seconds{100}));
  CHECK((*store->sts_policies().find(kDomain, kNow))->policy_id == "2");
  REQUIRE(store->sts_policies().remove_expired(kNow + Seconds{200}));
  CHECK_FALSE(store->sts_policies().find(kDomain, kNow)->has_value());
}

TEST_CASE("a policy that could not be read back is not kept, and a damaged one is Corrupt, not absent") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  CachedStsPolicy bad = policy("1", kNow + Seconds{100});
  bad.body = "nonsense";
  CHECK(store->sts_policies().keep(kDomain, bad).error().kind == ErrorKind::Malformed);
  REQUIRE(store->sts_policies().keep(kDomain, policy("1", kNow + Seconds{100})));
  SQLite::Database(directory.path() + "/queue.db", SQLite::OPEN_READWRITE).exec("UPDATE sts_policies SET body=x'00'");
  CHECK(store->sts_policies().find(kDomain, kNow).error().kind == ErrorKind::Corrupt);
}

TEST_CASE("an account is found by what a certificate stands for, if that is one account") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  Account shop = account("shop");
  shop.certificates = {"App.Example.org", "ann@example.org"};
  REQUIRE(store->accounts().add(shop));
  REQUIRE(store->accounts().add(account("office")));
  REQUIRE(store->accounts().set_certificates("office", {"office.example.org"}));
  CHECK(store->accounts().find_by_certificate({"sha256:x", "app.example.org", "ann@example.org"})->name == "shop");
  CHECK(store->accounts().find_by_certificate({"office.example.org"})->name == "office");
  CHECK(store->accounts().find_by_certificate({}).error().kind == ErrorKind::NotFound);
  CHECK(store->accounts().find_by_certificate({"other.example.org"}).error().kind == ErrorKind::NotFound);
  CHECK(store->accounts().find_by_certificate({"app.example.org", "office.example.org"}).error().kind ==
        ErrorKind::Conflict);
  const auto listed = store->accounts().list();
  REQUIRE(listed);
  CHECK(listed->back().certificates == std::vector<std::string>{"ann@example.org", "app.example.org"});
}

TEST_CASE("a certificate has one account, which can let go of it") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  Account shop = account("shop");
  shop.certificates = {"app.example.org", "app.example.org"};
  REQUIRE(store->accounts().add(shop));
  REQUIRE(store->accounts().add(account("office")));
  REQUIRE(store->begin());
  CHECK(store->apart([&] { return store->accounts().set_certificates("office", {"APP.example.org"}); }).error().kind ==
        ErrorKind::Conflict);
  REQUIRE(store->commit());
  CHECK(store->accounts().set_certificates("office", {"*.example.org"}).error().kind == ErrorKind::Malformed);
  CHECK(store->accounts().set_certificates("nobody", {}).error().kind == ErrorKind::NotFound);
  REQUIRE(store->accounts().set_certificates("shop", {}));
  REQUIRE(store->accounts().set_certificates("office", {"app.example.org"}));
  CHECK(store->accounts().find_by_certificate({"app.example.org"})->name == "office");
}

TEST_CASE("certificates of declared accounts are those of the file") {
  const TemporaryDirectory directory;
  auto store = open_store(directory);
  Account shop = account("shop");
  shop.certificates = {"app.example.org"};
  REQUIRE(store->accounts().declare({shop}));
  CHECK(store->accounts().set_certificates("shop", {}).error().kind == ErrorKind::Conflict);
  REQUIRE(store->accounts().declare({account("shop")}));
  CHECK(store->accounts().find_by_certificate({"app.example.org"}).error().kind == ErrorKind::NotFound);
}

TEST_CASE("a reader that remembers that all accounts have SCRAM keys sees the first without at once") {
  const TemporaryDirectory directory;
  auto store = *SqliteQueueStore::open(directory.path());
  auto reader = QueueReader::open(directory.path(), store->settings_version());
  REQUIRE(reader);
  CHECK_FALSE(reader->find_account_without_scram()->has_value());
  REQUIRE(store->begin());
  REQUIRE(store->accounts().add({"old", "", "$y$hash", {}}));
  CHECK_FALSE(reader->find_account_without_scram()->has_value());
  REQUIRE(store->commit());
  CHECK(reader->find_account_without_scram().value() == "old");
}
