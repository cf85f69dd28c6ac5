#include "policy/scram_client.h"

#include <catch2/catch.hpp>

using namespace waxwing;

namespace {

// RFC 7677 §3.
constexpr std::string_view kNonce = "rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view kServerFirst =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

ScramClient client() {
  return {"user", "pencil", kNonce};
}

std::string server_first(std::string_view nonce, std::string_view salt, std::string_view iterations) {
  return "r=" + std::string(nonce) + ",s=" + std::string(salt) + ",i=" + std::string(iterations);
}

}  // namespace

TEST_CASE("the exchange of RFC 7677 comes out as printed there", "[scram]") {
  ScramClient scram = client();
  CHECK(scram.first_message() == "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
  const auto last = scram.final_message(kServerFirst);
  REQUIRE(last);
  CHECK(*last ==
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  CHECK(scram.verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
}

TEST_CASE("a server that does not know the password is found out", "[scram]") {
  ScramClient scram = client();
  REQUIRE(scram.final_message(kServerFirst));
  CHECK(scram.verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=").error().kind == ErrorKind::Malformed);
  CHECK(scram.verify("v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").error().kind == ErrorKind::Denied);
  CHECK(scram.verify("v=6rri").error().kind == ErrorKind::Denied);
  CHECK(scram.verify("e=invalid-proof").error().kind == ErrorKind::Denied);
  CHECK(scram.verify("").error().kind == ErrorKind::Malformed);
}

TEST_CASE("what a server says first is believed only in the form of RFC 5802", "[scram]") {
  const std::string nonce = std::string(kNonce) + "x";
  struct Row {
    const char* what;
    std::string text;
    ErrorKind kind;
  };
  const Row rows[] = {
      {"nothing", "", ErrorKind::Malformed},
      {"another order", "s=W22Z,r=" + nonce + ",i=4096", ErrorKind::Malformed},
      {"a nonce that is not ours", server_first("other", "W22Z", "4096"), ErrorKind::Denied},
      {"our nonce alone", server_first(kNonce, "W22Z", "4096"), ErrorKind::Denied},
      {"no salt", server_first(nonce, "", "4096"), ErrorKind::Malformed},
      {"a salt that is not base64", server_first(nonce, "!", "4096"), ErrorKind::Malformed},
      {"no number", server_first(nonce, "W22Z", "4096x"), ErrorKind::Malformed},
      {"a negative number", server_first(nonce, "W22Z", "-1"), ErrorKind::Malformed},
      {"too weak", server_first(nonce, "W22Z", "4095"), ErrorKind::Exhausted},
      {"too much work", server_first(nonce, "W22Z", "200001"), ErrorKind::Exhausted},
      {"a mandatory extension", "m=x," + server_first(nonce, "W22Z", "4096"), ErrorKind::Denied},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    const auto last = client().final_message(row.text);
    REQUIRE_FALSE(last);
    CHECK(last.error().kind == row.kind);
  }
  CHECK(client().final_message(server_first(nonce, "W22Z", "4096") + ",x=later"));  // RFC 5802 §5.1: passed over
}

TEST_CASE("a comma or an equals sign in a user name is escaped", "[scram]") {
  CHECK(ScramClient("a=b,c", "x", "n").first_message() == "n,,n=a=3Db=2Cc,r=n");
}

TEST_CASE("what SASLprep would change is left to other mechanisms", "[scram]") {
  CHECK(ScramClient::can_say("user", "correct horse"));
  CHECK_FALSE(ScramClient::can_say("user", "Schl\xc3\xbcssel"));
  CHECK_FALSE(ScramClient::can_say("", "x"));
  CHECK_FALSE(ScramClient::can_say("user", "a\nb"));
}
