#include "transport/smtp/reply.h"

#include <catch2/catch.hpp>

using namespace waxwing;

namespace {

// Feeds whole and octet by octet; both must agree.
Result<std::vector<SmtpReply>> read(const std::string& octets) {
  SmtpReplyReader whole;
  SmtpReplyReader bytewise;
  const auto whole_result = whole.feed(octets);
  Result<void> bytewise_result;
  for (const char& octet : octets) {
    if (bytewise_result) bytewise_result = bytewise.feed(std::string_view(&octet, 1));
  }
  REQUIRE(whole_result.has_value() == bytewise_result.has_value());
  std::vector<SmtpReply> replies;
  while (auto reply = whole.next()) {
    REQUIRE(bytewise.next()->str() == reply->str());
    replies.push_back(std::move(*reply));
  }
  REQUIRE_FALSE(bytewise.next());
  if (!whole_result) return tl::unexpected(whole_result.error());
  return replies;
}

SmtpReply read_one(const std::string& octets) {
  auto replies = read(octets);
  REQUIRE(replies);
  REQUIRE(replies->size() == 1);
  return replies->front();
}

}  // namespace

TEST_CASE("a reply of one line gives its code, its enhanced code and its text") {
  const SmtpReply reply = read_one("550 5.1.1 no such user\r\n");
  CHECK(reply.code == 550);
  CHECK(reply.enhanced_code == "5.1.1");
  CHECK(reply.lines == std::vector<std::string>{"no such user"});
  CHECK(reply.str() == "550 5.1.1 no such user");
}

TEST_CASE("the lines of a reply belong together when their codes agree") {
  const SmtpReply reply = read_one("250-mx.example\r\n250-SIZE 10\r\n250 STARTTLS\r\n");
  CHECK(reply.lines == std::vector<std::string>{"mx.example", "SIZE 10", "STARTTLS"});
}

TEST_CASE("a code may stand alone") {
  CHECK(read_one("250\r\n").code == 250);
  CHECK(read_one("250-\r\n250\r\n").lines.size() == 2);
}

TEST_CASE("a line may end in LF alone and may hold any octet") {
  CHECK(read_one("250 ok\n").code == 250);
  CHECK(read_one("250 a\x01\xc3\xa9z\r\n").lines[0] == "a???z");
  CHECK(read_one(std::string("250 a\0b\rc\r\n", 11)).lines[0] == "a?b?c");
}

TEST_CASE("several replies in one segment are several replies") {
  const auto replies = read("250 one\r\n354 two\r\n");
  REQUIRE(replies);
  CHECK(replies->size() == 2);
}

TEST_CASE("a text that only resembles an enhanced code is a text") {
  CHECK(read_one("250 192.0.2.1 hello\r\n").enhanced_code.empty());
  CHECK(read_one("250 2.1234.0 hello\r\n").enhanced_code.empty());
  CHECK(read_one("250 2.1.0x\r\n").enhanced_code.empty());
  CHECK(read_one("354 2.0.0 go\r\n").enhanced_code.empty());
  CHECK(read_one("250 2.1.0\r\n").enhanced_code == "2.1.0");
}

TEST_CASE("a reply that breaks the grammar is refused") {
  const auto octets =
      GENERATE(as<std::string>{}, "hello\r\n", "25 ok\r\n", "2500 ok\r\n", "250:ok\r\n", "\r\n", "199 ok\r\n",
               "600 ok\r\n", "999 ok\r\n", "250-a\r\n550 b\r\n", "250-a\r\ngarbage\r\n250 b\r\n", "+50 ok\r\n",
               "250 5.0.0 ok\r\n", "550 2.0.0 no\r\n", "450 5.1.1 no\r\n", "250-2.0.0 a\r\n250 5.0.0 b\r\n",
               " 250 ok\r\n", "HTTP/1.1 400 Bad Request\r\n");
  CAPTURE(octets);
  const auto result = read(octets);
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::Malformed);
}

TEST_CASE("a reply before the place of an error can still be taken, and nothing after it is read") {
  SmtpReplyReader reader;
  CHECK_FALSE(reader.feed("250 ok\r\ngarbage\r\n250 more\r\n"));
  CHECK(reader.next()->code == 250);
  CHECK_FALSE(reader.next());
  CHECK(reader.has_pending());
  CHECK_FALSE(reader.feed("250 ok\r\n"));
  CHECK_FALSE(reader.next());
}

TEST_CASE("what a server can make us hold is bounded") {
  SmtpReplyReader reader;
  Result<void> result;
  std::size_t fed = 0;
  SECTION("by a line without end") {
    while (result && fed < 1'000'000) result = reader.feed(std::string(100, 'x')), fed += 100;
    CHECK(fed <= kMaxReplyLineOctets + 100);
  }
  SECTION("by a reply without end") {
    const std::string line = "250-" + std::string(1'000, 'x') + "\r\n";
    while (result && fed < 1'000'000) result = reader.feed(line), fed += line.size();
    CHECK(fed <= kMaxReplyOctets + line.size());
  }
  SECTION("by short lines without end") {
    std::size_t lines = 0;
    while (result && lines < 100'000) result = reader.feed("250-\r\n"), ++lines;
    CHECK(lines == kMaxReplyLines + 1);
  }
  SECTION("by replies without end") {
    std::size_t replies = 0;
    while (result && replies < 100'000) result = reader.feed("250 ok\r\n"), ++replies;
    CHECK(replies == kMaxWaitingReplies + 1);
  }
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::Exhausted);
}

TEST_CASE("octets that wait are seen, and forgotten on reset") {
  SmtpReplyReader reader;
  CHECK_FALSE(reader.has_pending());
  REQUIRE(reader.feed("25"));
  CHECK(reader.has_pending());
  REQUIRE(reader.feed("0-a\r\n"));
  CHECK(reader.has_pending());
  reader.reset();
  CHECK_FALSE(reader.has_pending());
  REQUIRE(reader.feed("220 ok\r\n"));
  CHECK(reader.next()->code == 220);
  CHECK_FALSE(reader.has_pending());
}

TEST_CASE("the text of a reply on one line has at most 512 octets") {
  std::string octets;
  for (int i = 0; i < 20; ++i) octets += "550-" + std::string(600, 'x') + "\r\n";
  const SmtpReply reply = read_one(octets + "550 end\r\n");
  CHECK(reply.str().size() == kMaxReplyTextOctets);
  CHECK(reply.lines[0].size() == kMaxReplyTextOctets);
}
