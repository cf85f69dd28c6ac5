#include "policy/dkim_key_record.h"

#include <catch2/catch.hpp>

using namespace waxwing;

TEST_CASE("a key record with every tag is read") {
  const auto record = DkimKeyRecord::parse("v=DKIM1; k=rsa; h=SHA256:sha1; s=email:x; t=y:s; n=note; p=QU JD");
  REQUIRE(record);
  CHECK(record->type == DkimKeyType::Rsa);
  CHECK(record->public_key == "ABC");
  CHECK(record->hashes == std::vector<std::string>{"sha256", "sha1"});
  CHECK(record->services == std::vector<std::string>{"email", "x"});
  CHECK(record->testing);
  CHECK(record->same_domain);
  CHECK_FALSE(record->revoked);
}

TEST_CASE("a key record needs nothing but p=") {
  const auto record = DkimKeyRecord::parse("p=QUJD");
  REQUIRE(record);
  CHECK(record->type == DkimKeyType::Rsa);
  CHECK(record->hashes.empty());
  CHECK_FALSE(record->testing);
}

TEST_CASE("an empty p= revokes the key") {
  const auto record = DkimKeyRecord::parse("v=DKIM1; k=ed25519; p=");
  REQUIRE(record);
  CHECK(record->revoked);
}

TEST_CASE("a star among the services means all") {
  CHECK(DkimKeyRecord::parse("p=QUJD; s=x:*")->services.empty());
}

TEST_CASE("key records that cannot be used are refused") {
  for (const char* txt : {"", "v=DKIM1", "k=rsa; v=DKIM1; p=QUJD", "v=DKIM2; p=QUJD", "v=dkim1; p=QUJD", "p=***",
                          "k=dsa; p=QUJD", "k=ed25519; p=QUJD", "p=QUJD; p=QUJD", "v=spf1 -all"}) {
    INFO(txt);
    CHECK_FALSE(DkimKeyRecord::parse(txt));
  }
}

TEST_CASE("a formatted record reads back as the same key") {
  const std::string key(32, '\x41');
  const std::string txt = format_dkim_key_record(DkimKeyType::Ed25519, key);
  CHECK(txt.starts_with("v=DKIM1; k=ed25519; p=QUFB"));
  CHECK(DkimKeyRecord::parse(txt)->public_key == key);
  CHECK(DkimKeyRecord::parse(format_dkim_key_record(DkimKeyType::Rsa, "x"))->type == DkimKeyType::Rsa);
}
