#include "relay/server/author_rules.h"

#include <catch2/catch.hpp>

#include <string>

namespace waxwing {
namespace {

/// "ok DOMAIN", or the code and status of the refusal.
std::string judge(const std::string& block, const Account& account) {
  const auto fields = parse_header_block(block);
  REQUIRE(fields);
  const auto domain = check_authors(*fields, account);
  return domain ? "ok " + domain->str() : domain.error().str().substr(0, 9);
}

const Account kTenant{"app", "tenant", "", {"example.org", "one@example.net"}};

TEST_CASE("an account writes as what it was given, with any name") {
  for (const char* from :
       {"a@example.org", "Ann <a@EXAMPLE.org>", "\"Ann @ work\" <a@example.org>", "a@example.org (Ann)",
        "=?utf-8?q?J=C3=BCrgen?= <a@example.org>", "\"a@example.org\" <b@example.org>", "<\"a b\"@example.org>",
        "\"Re: news\" <a@example.org>", "a@example.org (at 10:30)"}) {
    INFO(from);
    CHECK(judge(std::string("From: ") + from + "\r\n", kTenant) == "ok example.org");
  }
  CHECK(judge("From: one@example.net\r\n", kTenant) == "ok example.net");
}

TEST_CASE("nobody else's name may stand in any field that says who writes") {
  for (const char* field :
       {"From: a@example.com", "From: two@example.net", "Sender: a@example.com", "Resent-From: a@example.com",
        "Resent-Sender: a@example.com", "Resent-From: x@example.org, a@example.com", "SENDER: A <a@EXAMPLE.COM>"}) {
    INFO(field);
    const std::string author = std::string(field).substr(0, 4) == "From" ? "" : "From: a@example.org\r\n";
    CHECK(judge(author + field + "\r\n", kTenant) == "550 5.7.1");
  }
}

TEST_CASE("nobody else's address may be shown in a name, a comment or an encoded word") {
  for (const char* from :
       {"\"boss@example.com\" <a@example.org>", "a@example.org (boss@example.com)",
        "=?utf-8?q?boss=40example.com?= <a@example.org>", "=?utf-8?b?Ym9zc0BleGFtcGxlLmNvbQ==?= <a@example.org>",
        "=?utf-8?q?boss=40exam?= =?utf-8?q?ple.com?= <a@example.org>", "\"<boss@example.com>\" <a@example.org>",
        "\"boss@example.com.\" <a@example.org>"}) {
    INFO(from);
    CHECK(judge(std::string("From: ") + from + "\r\n", kTenant) == "550 5.7.1");
  }
}

TEST_CASE("writings that programs read differently are refused") {
  for (const char* from :
       {"", " ", "<>", "Ann", "group: a@example.org;", "undisclosed:;", "<@example.com:a@example.org>",
        "a@(x)example.org", "a(x)@example.org", "a @ example.org", "\"a\".b@example.org",
        "=?utf-8?q?a=0Ab?= <a@example.org>", "=?utf-7?q?boss+AEA-example.com?= <a@example.org>",
        "<a@example.org> <b@example.org>", "boss@example.com <a@example.org>", "=?utf-8?q?a=40example.org?="}) {
    INFO(from);
    CHECK(judge(std::string("From: ") + from + "\r\n", kTenant) == "550 5.6.0");
  }
  CHECK(judge("To: a@example.org\r\n", kTenant) == "550 5.6.0");
  CHECK(judge("From: a@example.org\r\nSender: a@example.org, b@example.org\r\n", kTenant) == "550 5.6.0");
  CHECK(judge("From: a@example.org\r\nSender: \r\n", kTenant) == "550 5.6.0");
  CHECK(judge("From: a@example.org" + std::string(40'000, ' ') + "\r\n", kTenant) == "550 5.6.0");
}

TEST_CASE("several authors are of one domain and have a sender") {
  CHECK(judge("From: a@example.org, b@example.org\r\n", kTenant) == "550 5.6.0");
  CHECK(judge("From: a@example.org, b@example.org\r\nSender: a@example.org\r\n", kTenant) == "ok example.org");
  CHECK(judge("From: a@example.org, one@example.net\r\nSender: a@example.org\r\n", kTenant) == "550 5.7.1");
}

TEST_CASE("an account without rules writes as anybody, but not in a way that programs read differently") {
  const Account free{"app", "", "", {}};
  CHECK(judge("From: \"boss@example.com\" <a@example.org>\r\nSender: x@example.net\r\n", free) == "ok example.org");
  CHECK(judge("From: group: a@example.org;\r\n", free) == "550 5.6.0");
}

}  // namespace
}  // namespace waxwing
