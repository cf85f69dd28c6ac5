#include "relay/server/sasl.h"

#include <catch2/catch.hpp>
#include <string>

#include "policy/base64.h"

using namespace waxwing;
using namespace std::string_literals;

TEST_CASE("a SASL response is base64 without anything between, or = for nothing") {
  CHECK(decode_sasl_response("c2VjcmV0")->reveal() == "secret");
  CHECK(decode_sasl_response("YQ==")->reveal() == "a");
  CHECK(decode_sasl_response("=")->size() == 0);
  CHECK(decode_sasl_response("")->size() == 0);
  for (const char* text :
       {"c2Vj cmV0", "c2Vj\tcmV0", "c2Vj\rcmV0", "c2VjcmV0=", "YQ", "YQ=", "====", "a", "c2VjcmV0\n"}) {
    CAPTURE(text);
    CHECK_FALSE(decode_sasl_response(text));
  }
}

TEST_CASE("AUTH PLAIN names a user and a password, and nobody else to act for") {
  const auto credentials = parse_sasl_plain("\0app\0secret"s);
  REQUIRE(credentials);
  CHECK(credentials->user == "app");
  CHECK(credentials->password.reveal() == "secret");
  CHECK(parse_sasl_plain("app\0app\0secret"s));
  CHECK(parse_sasl_plain("root\0app\0secret"s).error().kind == ErrorKind::Denied);
  for (const auto& message : {"app\0secret"s, "\0app\0"s, "\0\0secret"s, "\0app\0sec\0ret"s, ""s}) {
    CAPTURE(message);
    const auto refused = parse_sasl_plain(message);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::Malformed);
  }
}
