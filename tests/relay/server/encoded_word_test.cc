#include "relay/server/encoded_word.h"

#include <catch2/catch.hpp>

namespace waxwing {
namespace {

TEST_CASE("encoded words are read as mail programs show them") {
  CHECK(decode_encoded_words("plain <a@example.org>").value() == "plain <a@example.org>");
  CHECK(decode_encoded_words("=?utf-8?q?a=40example.org_x?= y").value() == "a@example.org x y");
  CHECK(decode_encoded_words("=?UTF-8?B?YUBleGFtcGxlLm9yZw==?=").value() == "a@example.org");
  CHECK(decode_encoded_words("=?us-ascii*en?Q?a?=").value() == "a");
}

TEST_CASE("blank between two encoded words is not shown, blank before other text is") {
  CHECK(decode_encoded_words("=?utf-8?q?a=40exam?=\r\n =?utf-8?b?cGxl?= .org").value() == "a@example .org");
  CHECK(decode_encoded_words("=?utf-8?q?a?= x =?utf-8?q?b?=").value() == "a x b");
}

TEST_CASE("what only looks like an encoded word stays as it is") {
  for (const char* text : {"=?", "=?x", "=?utf-8?q", "=?utf-8?q?a", "=?utf-8?q?a b?=", "=?utf-8?q?", "a =? b ?= c"})
    CHECK(decode_encoded_words(text).value() == text);
  CHECK(decode_encoded_words("=?utf-8?q?=4?=").value() == "=4");
  CHECK(decode_encoded_words("=?utf-8?q?=zz?=").value() == "=zz");
}

TEST_CASE("base64 that is not quite right is decoded as far as it goes") {
  CHECK(decode_encoded_words("=?utf-8?b?YUBleGFtcGxlLm9yZw?=").value() == "a@example.org");
  CHECK(decode_encoded_words("=?utf-8?b?YUBl*eGFtcGxlLm9yZw=?=").value() == "a@example.org");
  CHECK(decode_encoded_words("=?utf-8?b?A?=").value().empty());
}

TEST_CASE("an encoded word may hide no control character and no other alphabet") {
  for (const char* text :
       {"=?utf-8?q?a=0D=0ABcc:?=", "=?utf-8?b?YQBi?=", "=?utf-8?q?=1b?=", "=?utf-7?q?a+AEA-b?=", "=?UTF-16?b?AGE=?="}) {
    INFO(text);
    REQUIRE_FALSE(decode_encoded_words(text));
    CHECK(decode_encoded_words(text).error().kind == ErrorKind::Malformed);
  }
}

}  // namespace
}  // namespace waxwing
