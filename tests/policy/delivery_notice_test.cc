#include "policy/delivery_notice.h"

#include <catch2/catch.hpp>
#include <string>

using namespace waxwing;

TEST_CASE("NOTIFY is NEVER alone or a list of the three others") {
  CHECK(NotifyWish::parse("never") == NotifyWish{});
  CHECK(NotifyWish::parse("SUCCESS,delay") == NotifyWish{true, false, true});
  CHECK(NotifyWish::parse("FAILURE,FAILURE") == NotifyWish{false, true, false});
  for (const char* wrong : {"", "NEVER,SUCCESS", "SUCCESS,NEVER", "SUCCESS,", ",SUCCESS", "SUCCESS DELAY", "ALWAYS"}) {
    CAPTURE(wrong);
    CHECK_FALSE(NotifyWish::parse(wrong));
  }
  CHECK(NotifyWish{}.str() == "NEVER");
  CHECK(NotifyWish{true, true, true}.str() == "SUCCESS,FAILURE,DELAY");
}

TEST_CASE("xtext stands for printable ASCII alone") {
  CHECK(decode_xtext("a+2Bb+3Dc+20d") == "a+b=c d");
  for (const char* wrong : {"a=b", "a+", "a+2", "a+2b", "a+0D+0A", "+00", "a b", "+7F", "+C3+A4", "\xc3\xa4"}) {
    CAPTURE(wrong);
    CHECK_FALSE(decode_xtext(wrong));
  }
}

TEST_CASE("an envelope id has at most 100 characters") {
  CHECK(is_envelope_id("QQ314159"));
  CHECK(is_envelope_id(std::string(100, 'a')));
  CHECK_FALSE(is_envelope_id(std::string(101, 'a')));
  CHECK_FALSE(is_envelope_id(""));
  CHECK_FALSE(is_envelope_id("a+0Ab"));
}

TEST_CASE("an original recipient has a type, and an address as the type writes it") {
  CHECK(parse_original_recipient("rfc822;a+2Bb@example.org") == "rfc822;a+2Bb@example.org");
  CHECK(original_recipient_text("rfc822;a+2Bb@example.org") == "rfc822;a+b@example.org");
  CHECK(parse_original_recipient("x400;/C+3Dxx/") == "x400;/C+3Dxx/");
  for (const char* wrong : {"a@example.org", "rfc822;", ";a@example.org", "rfc 822;a@example.org",
                            "rfc822;a@example.org+0D+0ABcc:x", "rfc822;a=b", "rfc822;\xc3\xa4@example.org"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_original_recipient(wrong));
  }
  CHECK_FALSE(parse_original_recipient("rfc822;" + std::string(494, 'a')));
}

TEST_CASE("an original recipient in UTF-8 is written in ASCII") {
  CHECK(parse_original_recipient("utf-8;\xc3\xa4@example.org") == "utf-8;\\x{E4}@example.org");
  CHECK(parse_original_recipient("UTF-8;\\x{E4}\\x{1F600}@example.org") == "UTF-8;\\x{E4}\\x{1F600}@example.org");
  CHECK(original_recipient_text("utf-8;\\x{E4}@example.org") == "utf-8;\\x{E4}@example.org");
  for (const char* wrong :
       {"utf-8;\\x{D}@example.org", "utf-8;\\x{D800}", "utf-8;\\x{110000}", "utf-8;\\x{}", "utf-8;\\", "utf-8;\\x{e4}",
        "utf-8;a+b", "utf-8;\xc2\x85", "utf-8;\xc3", "utf-8;\\x{00000041}"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_original_recipient(wrong));
  }
  CHECK_FALSE(is_original_recipient("utf-8;\xc3\xa4@example.org"));
}
