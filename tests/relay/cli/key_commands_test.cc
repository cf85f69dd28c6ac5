#include "relay/cli/key_commands.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "policy/dkim_key_record.h"

namespace waxwing {
namespace {

constexpr WallTime kNow{Milliseconds(1'769'860'800'000)};  // 2026-01-31T12:00:00Z

class MemoryKeyStore : public KeyStore {
 public:
  Result<std::vector<StoredKey>> load_all() override { return keys; }
  Result<void> add(const DomainName& domain, std::string_view selector, const SigningKey& key,
                   WallTime created) override {
    auto copy = SigningKey::from_pem(key.to_pem().reveal());
    keys.push_back({domain, std::string(selector), std::make_shared<const SigningKey>(std::move(*copy)), created});
    return {};
  }
  std::vector<StoredKey> keys;
};

std::vector<nlohmann::json> objects(const Output& output) {
  std::vector<nlohmann::json> all;
  std::istringstream lines(output.text());
  for (std::string line; std::getline(lines, line);) all.push_back(nlohmann::json::parse(line));
  return all;
}

TEST_CASE("a pair is an RSA key under the selector and an Ed25519 key beside it, with their records") {
  MemoryKeyStore store;
  Output output(OutputFormat::Json);
  REQUIRE(create_keys(store, {"Sender.EXAMPLE.", "S1", KeyAlgorithm::Pair, 1'024}, kNow, output));
  REQUIRE(store.keys.size() == 2);
  CHECK(store.keys[0].selector == "s1");
  CHECK(store.keys[0].key->type() == DkimKeyType::Rsa);
  CHECK(store.keys[0].key->size_bits() == 1'024);
  CHECK(store.keys[1].selector == "s1-ed25519");
  CHECK(store.keys[1].key->type() == DkimKeyType::Ed25519);

  const auto records = objects(output);
  REQUIRE(records.size() == 2);
  CHECK(records[0].at("name") == "s1._domainkey.sender.example");
  CHECK(records[0].at("type") == "TXT");
  CHECK(records[0].at("algorithm") == "rsa");
  CHECK(records[0].at("created") == "2026-01-31T12:00:00.000Z");
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto record = DkimKeyRecord::parse(records[i].at("value").get<std::string>());
    REQUIRE(record);
    CHECK(record->public_key == store.keys[i].key->public_key());
  }
}

TEST_CASE("one algorithm makes one key") {
  MemoryKeyStore store;
  Output output(OutputFormat::Text);
  REQUIRE(create_keys(store, {"sender.example", "e", KeyAlgorithm::Ed25519, 2'048}, kNow, output));
  REQUIRE(create_keys(store, {"sender.example", "r", KeyAlgorithm::Rsa, 1'024}, kNow, output));
  REQUIRE(store.keys.size() == 2);
  CHECK(store.keys[0].key->type() == DkimKeyType::Ed25519);
  CHECK(store.keys[1].key->type() == DkimKeyType::Rsa);
}

TEST_CASE("records for people are lines of a zone file, hints are comments of it") {
  MemoryKeyStore store;
  Output output(OutputFormat::Text);
  REQUIRE(create_keys(store, {"sender.example", "s1", KeyAlgorithm::Pair, 2'048}, kNow, output));
  std::istringstream lines(output.text());
  std::vector<std::string> records;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(';')) records.push_back(line);
  }
  REQUIRE(records.size() == 2);
  CHECK_THAT(records[0], Catch::StartsWith("s1._domainkey.sender.example. IN TXT \"v=DKIM1; k=rsa; p="));
  CHECK_THAT(records[0], Catch::Contains("\" \""));
  CHECK_THAT(records[1], Catch::StartsWith("s1-ed25519._domainkey.sender.example. IN TXT \"v=DKIM1; k=ed25519; p="));
}

TEST_CASE("a selector that is taken, also by the second of the pair, makes no key at all") {
  MemoryKeyStore store;
  Output output(OutputFormat::Text);
  REQUIRE(create_keys(store, {"sender.example", "s1-ed25519", KeyAlgorithm::Ed25519, 2'048}, kNow, output));
  const auto made = create_keys(store, {"sender.example", "s1", KeyAlgorithm::Pair, 1'024}, kNow, output);
  REQUIRE_FALSE(made);
  CHECK(made.error().kind == ErrorKind::Conflict);
  CHECK_THAT(made.error().detail, Catch::Contains("s1-ed25519") && Catch::Contains("choose another"));
  CHECK(store.keys.size() == 1);
  CHECK(create_keys(store, {"other.example", "s1", KeyAlgorithm::Ed25519, 2'048}, kNow, output));
}

TEST_CASE("a domain or selector that DNS cannot hold is refused before anything is made") {
  MemoryKeyStore store;
  Output output(OutputFormat::Text);
  const std::string long_domain =
      std::string(60, 'a') + "." + std::string(60, 'b') + "." + std::string(60, 'c') + ".example";
  for (const auto& [domain, selector] :
       std::vector<std::pair<std::string, std::string>>{{"bad domain", "s1"},
                                                        {"sender.example", "bad_selector"},
                                                        {"sender.example", ""},
                                                        {"", "s1"},
                                                        {"sender.example", "../s1"},
                                                        {long_domain, std::string(60, 's')},
                                                        {"sender.example", std::string(60, 's')}}) {
    CAPTURE(domain, selector);
    const auto made = create_keys(store, {domain, selector, KeyAlgorithm::Pair, 1'024}, kNow, output);
    REQUIRE_FALSE(made);
    CHECK(made.error().kind == ErrorKind::Malformed);
  }
  CHECK(store.keys.empty());
  CHECK(output.text().empty());
}

TEST_CASE("records are printed again for a domain or one selector") {
  MemoryKeyStore store;
  Output created(OutputFormat::Json);
  REQUIRE(create_keys(store, {"sender.example", "s1", KeyAlgorithm::Pair, 1'024}, kNow, created));
  REQUIRE(create_keys(store, {"other.example", "s1", KeyAlgorithm::Ed25519, 0}, kNow, created));
  Output all(OutputFormat::Json);
  REQUIRE(print_key_records(store, "SENDER.example", "", all));
  CHECK(created.text().starts_with(all.text()));
  CHECK(objects(all).size() == 2);
  Output one(OutputFormat::Json);
  REQUIRE(print_key_records(store, "sender.example", "S1-ed25519", one));
  REQUIRE(objects(one).size() == 1);
  CHECK(objects(one)[0].at("selector") == "s1-ed25519");
}

TEST_CASE("a domain without keys is an error that says how to make one") {
  MemoryKeyStore store;
  Output output(OutputFormat::Text);
  const auto printed = print_key_records(store, "none.example", "", output);
  REQUIRE_FALSE(printed);
  CHECK(printed.error().kind == ErrorKind::NotFound);
  CHECK_THAT(printed.error().detail, Catch::Contains("waxwing keys create none.example SELECTOR"));
}

TEST_CASE("keys are listed with algorithm, size and date, never with their private half") {
  MemoryKeyStore store;
  Output created(OutputFormat::Text);
  REQUIRE(create_keys(store, {"sender.example", "s1", KeyAlgorithm::Ed25519, 0}, kNow, created));
  Output output(OutputFormat::Text);
  list_keys(store.keys, output);
  CHECK(output.text() == "sender.example  s1  ed25519-256  made 2026-01-31T12:00:00.000Z\n");
}

}  // namespace
}  // namespace waxwing
