#include "policy/scram_keys.h"

#include <catch2/catch.hpp>
#include <string>

#include "policy/base64.h"

using namespace waxwing;

namespace {

// What "gsasl --mkpasswd" derives of "pencil" with the salt and the iterations of RFC 7677 §3.
const std::string kText =
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

}  // namespace

TEST_CASE("the keys of a password are those that others derive", "[scram]") {
  const ScramKeys keys = derive_scram_keys("pencil", *decode_base64("W22ZaJ0SNY7soEsUEjb6gQ=="), 4'096);
  CHECK(scram_keys_text(keys) == kText);
}

TEST_CASE("keys come back from their text as they were", "[scram]") {
  const auto keys = parse_scram_keys(kText);
  REQUIRE(keys);
  CHECK(keys->iterations == 4'096);
  CHECK(keys->salt.size() == 16);
  CHECK(keys->stored_key.size() == kScramKeyOctets);
  CHECK(keys->server_key.size() == kScramKeyOctets);
  CHECK(scram_keys_text(*keys) == kText);
}

TEST_CASE("a text that is not whole is no key", "[scram]") {
  for (std::size_t size = 0; size < kText.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(parse_scram_keys(kText.substr(0, size)));
  }
  const std::string behind = kText.substr(kText.find(':'));
  const std::string keys = kText.substr(kText.rfind('$'));
  for (const std::string& text :
       {"SCRAM-SHA-1$4096" + behind, "SCRAM-SHA-256$4095" + behind, "SCRAM-SHA-256$200001" + behind,
        "SCRAM-SHA-256$99999999999999999999" + behind, "SCRAM-SHA-256$-4096" + behind, "SCRAM-SHA-256$4096 " + behind,
        "SCRAM-SHA-256$4096:" + keys, "SCRAM-SHA-256$4096:!!!!" + keys,
        "SCRAM-SHA-256$4096:" + encode_base64(std::string(kMaxScramSaltOctets + 1, 's')) + keys, kText + "\n",
        kText + ":", kText.substr(0, kText.rfind(':') + 1) + encode_base64(std::string(33, 'k'))}) {
    CAPTURE(text);
    CHECK_FALSE(parse_scram_keys(text));
  }
}

TEST_CASE("SCRAM is for printable ASCII", "[scram]") {
  CHECK(is_scram_text("correct horse"));
  CHECK_FALSE(is_scram_text("Schl\xc3\xbcssel"));
  CHECK_FALSE(is_scram_text(""));
  CHECK_FALSE(is_scram_text("a\nb"));
  CHECK_FALSE(is_scram_text("a\x7f"));
}
