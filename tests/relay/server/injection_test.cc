#include "relay/server/injection.h"

#include <catch2/catch.hpp>
#include <string>

#include "policy/base64.h"
#include "signer/header_field.h"
#include "signer/message_reader.h"

using namespace waxwing;

namespace {

Injection read(const std::string& body) {
  auto injection = parse_injection(body);
  if (!injection) FAIL(injection.error().detail);
  return std::move(*injection);
}

std::string because(const std::string& body) {
  const auto injection = parse_injection(body);
  REQUIRE_FALSE(injection);
  CHECK(injection.error().kind == ErrorKind::Malformed);
  return injection.error().detail;
}

const std::string kEnd = R"("from":"a@client.example","to":"b@far.example"})";

}  // namespace

TEST_CASE("a structured message becomes one of RFC 5322, with bcc in the envelope alone") {
  const Injection injection = read(R"({"from":"The App <a@client.example>","to":["b@far.example",
      {"name":"C, D","email":"c@far.example"}],"cc":"d@far.example","bcc":["hidden@far.example"],
      "reply_to":"r@client.example","subject":"hello","text":"line\n.\nend","headers":{"X-Order":"17"}})");
  CHECK(injection.content ==
        "From: \"The App\" <a@client.example>\r\nTo: b@far.example, \"C, D\" <c@far.example>\r\nCc: d@far.example\r\n"
        "Reply-To: r@client.example\r\nSubject: hello\r\nX-Order: 17\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\nline\r\n.\r\nend\r\n");
  CHECK(injection.envelope.reverse_path->str() == "a@client.example");
  REQUIRE(injection.envelope.recipients.size() == 4);
  CHECK(injection.envelope.recipients[3].address.str() == "hidden@far.example");
}

TEST_CASE("text outside ASCII is encoded, and the message needs no 8BITMIME") {
  const Injection injection = read(
      "{\"subject\":\"Gr\xc3\xbc\xc3\x9f\x65\",\"text\":\"\xc3\xa4\",\"html\":\"<p>\xc3\xa4\",\"headers\":{}," + kEnd);
  CHECK(injection.content.find("Subject: =?") != std::string::npos);
  CHECK(injection.content.find("multipart/alternative") != std::string::npos);
  CHECK(injection.content.find("\r\n\r\nw6QNCg==\r\n--") != std::string::npos);
  for (const char octet : injection.content) REQUIRE(octet >= 0);
  CHECK_FALSE(injection.envelope.body_8bit);
}

TEST_CASE("a name outside ASCII is encoded, whatever it holds besides") {
  for (const char* name : {"J\xc3\xb6rg", "J\xc3\xb6rg, X", "\xc3\xb6 (x) <y>", "\\\"\xc3\xb6\\\\"}) {
    CAPTURE(name);
    const Injection injection =
        read("{\"reply_to\":{\"name\":\"" + std::string(name) + "\",\"email\":\"r@client.example\"}," + kEnd);
    const std::size_t begin = injection.content.find("Reply-To: =?");
    REQUIRE(begin != std::string::npos);
    const std::string field = injection.content.substr(begin, injection.content.find("\r\n", begin) - begin);
    CHECK(field.ends_with("?= <r@client.example>"));
  }
}

TEST_CASE("a raw message goes as it is written, with the envelope that stands beside it") {
  const Injection injection = read(
      R"({"raw":"From: a@client.example\r\n\r\nbody\r\n","mail_from":"bounce@client.example","rcpt_to":["b@far.example"],
      "notify":"success","ret":"hdrs","envid":"17"})");
  CHECK(injection.content == "From: a@client.example\r\n\r\nbody\r\n");
  CHECK(injection.envelope.reverse_path->str() == "bounce@client.example");
  CHECK(injection.envelope.recipients[0].notice.notify == NotifyWish{true, false, false});
  CHECK(injection.envelope.notice == MessageNotice{ReturnedContent::Headers, "17"});
  const std::string octets("X: \xff\0y", 6);
  CHECK(read("{\"mail_from\":\"\",\"rcpt_to\":[\"b@far.example\"],\"raw_base64\":\"" + encode_base64(octets) + "\"}")
            .content == octets);
}

TEST_CASE("no string becomes more of the header than its field") {
  for (const char* member :
       {R"("subject":"a\r\nBcc: x@far.example",)", R"("subject":"a\nb",)", R"("subject":"a\u0000b",)",
        R"("headers":{"X":"a\r\nb"},)", R"("headers":{"X: y\r\nZ":"a"},)", R"("headers":{"Bcc":"x"},)",
        R"("headers":{"from":"x@other.example"},)", R"("headers":{"X":"a","x":"b"},)", R"("headers":{"":"a"},)",
        R"("cc":"c@far.example\r\nX: y",)", R"("cc":"\"a\r\nb\" <c@far.example>",)", R"("cc":"a@b@c",)",
        R"("cc":{"name":"x\ny","email":"c@far.example"},)", R"("cc":{"email":"c@far.example","x":1},)",
        R"("cc":"x <c@far.example> y",)", R"("mail_from":"a@client.example\r\nRCPT TO:<x@far.example>",)"}) {
    CAPTURE(member);
    CHECK_FALSE(parse_injection("{" + std::string(member) + kEnd));
  }
}

TEST_CASE("JSON is read strictly") {
  CHECK(because("{\"to\":\"c@far.example\"," + kEnd) == "a name stands twice in one object");
  CHECK(because("{\"headers\":{\"X\":\"1\",\"X\":\"2\"}," + kEnd) == "a name stands twice in one object");
  CHECK(because(std::string(100'000, '[')) != "");
  CHECK(because("{\"cc\":[[[[[[]]]]]]," + kEnd) == "the JSON is too deep");
  CHECK(because("[]") == "the body is not a JSON object");
  for (const char* wrong : {"", "x", "{\"subject\":NaN,", "{\"subject\":\"\xff\",", "{\"subject\":\"\\ud800\",",
                            "{'subject':'x',", "{\"subject\":\"a\",,"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_injection(std::string(wrong) + kEnd));
  }
  CHECK(because("{\"color\":\"red\"," + kEnd) == "there is a member that is not known");
  CHECK_FALSE(parse_injection("{" + kEnd + "x"));
}

TEST_CASE("what is missing or does not belong together is said") {
  CHECK(because(R"({"to":"b@far.example"})") == "\"from\" is missing");
  CHECK(because(R"({"from":"a@client.example"})") == "no recipient is named");
  CHECK(because(R"({"raw":"X: y"})") == "\"raw\" needs \"mail_from\" and \"rcpt_to\"");
  CHECK_FALSE(parse_injection(R"({"raw":"X: y","subject":"z","mail_from":"","rcpt_to":["b@far.example"]})"));
  CHECK_FALSE(parse_injection(R"({"raw":"X","raw_base64":"WA==","mail_from":"","rcpt_to":["b@far.example"]})"));
  CHECK_FALSE(parse_injection(R"({"raw_base64":"W","mail_from":"","rcpt_to":["b@far.example"]})"));
  for (const char* member : {R"("notify":"always",)", R"("ret":"all",)", R"("envid":"a b",)", R"("subject":7,)",
                             R"("rcpt_to":"b@far.example",)", R"("text":[],)", R"("headers":[],)"}) {
    CAPTURE(member);
    CHECK_FALSE(parse_injection("{" + std::string(member) + kEnd));
  }
}

TEST_CASE("the boundary of two parts stands in neither") {
  const Injection injection = read("{\"text\":\"--=_x\",\"html\":\"<p>--=_x\"," + kEnd);
  const std::size_t at = injection.content.find("boundary=\"") + 10;
  const std::string boundary = injection.content.substr(at, injection.content.find('"', at) - at);
  std::size_t count = 0;
  for (std::size_t i = injection.content.find("--" + boundary); i != std::string::npos;
       i = injection.content.find("--" + boundary, i + 1))
    ++count;
  CHECK(count == 3);
  CHECK(injection.content == read("{\"text\":\"--=_x\",\"html\":\"<p>--=_x\"," + kEnd).content);
}

TEST_CASE("what a request asks about time is read as that of MAIL is") {
  const auto with = [](const std::string& member) {
    return parse_injection(R"({"from":"a@x.example","to":"b@y.example","text":"t")" + member + "}");
  };
  CHECK(with(R"(,"hold_for":60)")->timing.hold_for == Seconds(60));
  CHECK(with(R"(,"hold_until":"2026-01-31T12:00:00Z")")->timing.hold_until == WallTime(Seconds(1'769'860'800)));
  CHECK(with(R"(,"by":"120;R")")->timing.by == ByValue{Seconds(120), ByMode::Return, false});
  for (const char* wrong : {R"(,"hold_for":0)", R"(,"hold_for":-1)", R"(,"hold_for":1.5)", R"(,"hold_for":"60")",
                            R"(,"hold_for":1000000000)", R"(,"hold_for":18446744073709551615)", R"(,"hold_until":60)",
                            R"(,"hold_until":"tomorrow")", R"(,"by":120)", R"(,"by":"0;R")"}) {
    CAPTURE(wrong);
    CHECK_FALSE(with(wrong));
  }
}
