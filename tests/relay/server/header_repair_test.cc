#include "relay/server/header_repair.h"

#include <catch2/catch.hpp>

#include <string>

#include "relay/server/encoded_word.h"

namespace waxwing {
namespace {

/// The field in ASCII, or the code and status of the refusal.
std::string in_ascii(const std::string& field) {
  const std::string block = field + "\r\n";
  const auto fields = parse_header_block(block);
  REQUIRE(fields);
  REQUIRE(fields->size() == 1);
  const auto written = field_in_ascii(fields->front());
  if (!written) return written.error().str().substr(0, 9);
  for (const char c : *written) CHECK(c >= 0);
  CHECK(written->substr(written->size() - 2) == "\r\n");
  return written->substr(0, written->size() - 2);
}

/// What readers see of the field after it was written in ASCII.
std::string shown(const std::string& field) {
  return decode_encoded_words(in_ascii(field)).value();
}

TEST_CASE("ASCII stays as it is") {
  for (const char* field :
       {"Subject: a  b", "From: \"A, B\" <a@example.org>", "Content-Type: text/plain; charset=utf-8", "X:"})
    CHECK(in_ascii(field) == field);
}

TEST_CASE("text becomes encoded words that show the same") {
  CHECK(in_ascii("Subject: Gr\xc3\xbc\xc3\x9f"
                 "e") == "Subject: =?utf-8?B?R3LDvMOfZQ==?=");
  for (const char* field : {"Subject: Gr\xc3\xbc\xc3\x9f"
                            "e aus  K\xc3\xb6ln am Rhein",
                            "Subject:\xe2\x82\xac", "X-Note: \xc3\xa4 \xc3\xb6 \xc3\xbc x"})
    CHECK(shown(field) == field);
  CHECK(shown("Subject: \xc3\xa4\r\n \xc3\xb6") == "Subject: \xc3\xa4 \xc3\xb6");
}

TEST_CASE("long text becomes several words of whole characters") {
  std::string text = "Subject: ";
  for (int i = 0; i < 100; ++i) text += "\xe2\x82\xac";
  const std::string written = in_ascii(text);
  CHECK(decode_encoded_words(written).value() == text);
  for (std::size_t at = 0; at < written.size();) {
    const std::size_t end = std::min(written.find("\r\n", at), written.size());
    CHECK(end - at <= 90);
    at = end + 2;
  }
}

TEST_CASE("display names and comments become encoded words, and addresses stay") {
  CHECK(in_ascii("From: J\xc3\xbcrgen <j@example.org>") == "From: =?utf-8?B?SsO8cmdlbg==?= <j@example.org>");
  CHECK(in_ascii("To: \"J\xc3\xbcrgen, M.\" <j@example.org>, b@example.org") ==
        "To: =?utf-8?B?SsO8cmdlbiwgTS4=?= <j@example.org>, b@example.org");
  CHECK(in_ascii("Cc: j@example.org (J\xc3\xbcrgen)") == "Cc: j@example.org (=?utf-8?B?SsO8cmdlbg==?=)");
  CHECK(shown("From: Ann J\xc3\xbcrgen M\xc3\xbcller <j@example.org>") ==
        "From: Ann J\xc3\xbcrgen M\xc3\xbcller <j@example.org>");
}

TEST_CASE("an address that is not ASCII needs SMTPUTF8") {
  for (const char* field : {"From: <j\xc3\xbc@example.org>", "From: j\xc3\xbc@example.org",
                            "To: a@b\xc3\xbc"
                            "cher.example",
                            "To: \"j\xc3\xbc\"@example.org"})
    CHECK(in_ascii(field) == "550 5.6.7");
}

/// The header block of a message that says SMTPUTF8, as it leaves.
std::string leaves_as(const std::string& block) {
  const auto fields = parse_header_block(block);
  REQUIRE(fields);
  return outgoing_utf8_fields(*fields);
}

TEST_CASE("a header that says SMTPUTF8 leaves in ASCII where that says the same") {
  CHECK(leaves_as("From: J\xc3\xbcrgen <j@example.org>\r\nSubject: Gr\xc3\xbc\xc3\x9f"
                  "e\r\nX-Note: \xc3\xa4\r\n") ==
        "From: =?utf-8?B?SsO8cmdlbg==?= <j@example.org>\r\nSubject: =?utf-8?B?R3LDvMOfZQ==?=\r\n"
        "X-Note: =?utf-8?B?w6Q=?=\r\n");
  CHECK(leaves_as("Content-Type: text/plain; name=\xc3\xa4\r\n") ==
        "Content-Type: text/plain; name*=utf-8''%C3%A4\r\n");
}

TEST_CASE("a header that says SMTPUTF8 leaves as it is where a part of it cannot be said in ASCII") {
  for (const char* field :
       {"To: j\xc3\xbc@example.org", "Message-ID: <\xc3\xa4@example.org>", "References: <\xc3\xa4@b>",
        "DKIM-Signature: v=1; d=b\xc3\xbc.example", "List-Id: <\xc3\xa4.example>", "Subject: \xff"}) {
    const std::string block = std::string("Comments: \xc3\xa4\r\n") + field + "\r\n";
    CHECK(leaves_as(block) == block);
  }
}

TEST_CASE("parameters are written as RFC 2231 has them") {
  CHECK(in_ascii("Content-Disposition: attachment; filename=\"\xc3\xa4 b.pdf\"; size=3") ==
        "Content-Disposition: attachment; filename*=utf-8''%C3%A4%20b.pdf; size=3");
  CHECK(in_ascii("Content-Type: text/plain; name=\xc3\xa4;\r\n charset=\"utf-8\"") ==
        "Content-Type: text/plain; name*=utf-8''%C3%A4;\r\n charset=\"utf-8\"");
}

TEST_CASE("what is not UTF-8 is refused, and nothing that is cut short is read past its end") {
  CHECK(in_ascii("Subject: \xfc") == "550 5.6.0");
  for (const char* field : {"From: \"\xc3\xbc", "From: (\xc3\xbc", "From: (\xc3\xbc\\", "From: <\xc3\xbc",
                            "From: \"\xc3\xbc\\", "Content-Type: x; name=\"\xc3\xbc", "Content-Type: =\xc3\xbc"})
    CHECK_FALSE(in_ascii(field).empty());
}

TEST_CASE("what cannot be said in ASCII is refused") {
  CHECK(in_ascii("Content-Type: \xc3\xbc=") == "550 5.6.0");
  std::string name = "Content-Type: x; name=";
  for (int i = 0; i < 200; ++i) name += "\xc3\xbc";
  CHECK(in_ascii(name) == "550 5.6.0");
}

TEST_CASE("a header leaves without what is withheld, and with raw octets as the listener says") {
  const auto fields = parse_header_block("Bcc: b\r\nSubject: \xc3\xbc\r\nTo: a\r\n");
  REQUIRE(fields);
  CHECK(outgoing_fields(*fields, RawHeaders::Pass).value() == "Subject: \xc3\xbc\r\nTo: a\r\n");
  CHECK(outgoing_fields(*fields, RawHeaders::Fix).value() == "Subject: =?utf-8?B?w7w=?=\r\nTo: a\r\n");
  CHECK(outgoing_fields(*fields, RawHeaders::Reject).error().str().substr(0, 9) == "550 5.6.7");
}

}  // namespace
}  // namespace waxwing
