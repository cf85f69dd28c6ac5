#include "relay/server/received_verdict.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/signer/signed_message.h"
#include "tests/support/scripted_dns.h"

namespace waxwing {
namespace {

using testing::ScriptedDns;

const std::string kDomain = "football.example.com";

// The signed message of RFC 8463 and what its domain publishes.
const std::string kSigned = std::string(test::kRfc8463Ed25519Signature) + std::string(test::kRfc8463Header);

ScriptedDns published(const std::string& policy) {
  ScriptedDns dns;
  for (const auto& [name, text] : test::rfc8463_records()) dns.txt(name, text);
  if (!policy.empty()) dns.txt("_dmarc." + kDomain, "v=DMARC1; p=" + policy);
  return dns;
}

ReceivedEnvelope from(std::string_view client, std::string_view reverse_path) {
  ReceivedEnvelope envelope;
  envelope.client = *IpAddress::parse(client);
  envelope.helo = "mail.football.example.com";
  if (!reverse_path.empty()) envelope.reverse_path = *MailAddress::parse(reverse_path);
  return envelope;
}

ReceivedVerdict judge(ScriptedDns& dns, const std::string& header, const ReceivedEnvelope& envelope = {},
                      std::string_view body = test::kRfc8463Body) {
  MessageVerifier message;
  REQUIRE(message.feed(header + "\r\n" + std::string(body)));
  REQUIRE(message.finish());
  return dns.resolve([&](Answers& answers) { return judge_received(message, envelope, answers, test::kRfc8463Time); });
}

std::string report(const ReceivedVerdict& verdict, const std::optional<IpAddress>& client = {}) {
  std::string field = report_received(verdict, "relay.example", client).field();
  for (std::size_t at = 0; (at = field.find("\r\n", at)) != std::string::npos;) field.erase(at, 2);
  return field;
}

TEST_CASE("a message with an aligned signature passes DMARC and is reported so") {
  ScriptedDns dns = published("reject");
  const ReceivedVerdict verdict = judge(dns, kSigned);
  REQUIRE(verdict.dmarc);
  CHECK(verdict.dmarc->result == DmarcResult::Pass);
  CHECK_FALSE(verdict.spf);
  CHECK(would_be_accepted(verdict));
  CHECK_THAT(report(verdict), Catch::StartsWith("Authentication-Results: relay.example;") &&
                                  Catch::Contains("dkim=pass") && Catch::Contains("dmarc=pass") &&
                                  Catch::Contains("header.from=football.example.com") && Catch::Contains("arc=none"));
  CHECK(report(verdict).find("spf=") == std::string::npos);
}

TEST_CASE("a changed body fails, unless SPF passes aligned") {
  ScriptedDns dns = published("reject");
  CHECK_FALSE(would_be_accepted(judge(dns, kSigned, {}, "Another text.\r\n")));
  dns.txt(kDomain, "v=spf1 ip4:192.0.2.1 -all");
  const ReceivedVerdict verdict =
      judge(dns, kSigned, from("192.0.2.1", "joe@football.example.com"), "Another text.\r\n");
  CHECK(verdict.spf->result == SpfResult::Pass);
  CHECK(would_be_accepted(verdict));
  CHECK_THAT(report(verdict, IpAddress::parse("192.0.2.1").value()),
             Catch::Contains("spf=pass") && Catch::Contains("smtp.mailfrom=football.example.com") &&
                 Catch::Contains("dkim=fail") && Catch::Contains("smtp.remote-ip=192.0.2.1"));
}

TEST_CASE("under the null reverse-path SPF looks at the HELO name") {
  ScriptedDns dns = published("reject");
  dns.txt("mail." + kDomain, "v=spf1 ip4:192.0.2.1 -all");
  const ReceivedVerdict verdict = judge(dns, std::string(test::kRfc8463Header), from("192.0.2.1", ""));
  CHECK(verdict.spf_input->domain == "mail.football.example.com");
  CHECK(verdict.spf->result == SpfResult::Pass);
  CHECK(verdict.dmarc->result == DmarcResult::Pass);
  CHECK_THAT(report(verdict), Catch::Contains("smtp.helo=mail.football.example.com"));
}

TEST_CASE("without a policy it is enough that nothing failed") {
  ScriptedDns dns = published("");
  CHECK(would_be_accepted(judge(dns, kSigned)));
  CHECK(would_be_accepted(judge(dns, std::string(test::kRfc8463Header))));
  CHECK_FALSE(would_be_accepted(judge(dns, kSigned, {}, "Another text.\r\n")));
  dns.txt("other.example", "v=spf1 -all");
  CHECK_FALSE(would_be_accepted(judge(dns, kSigned, from("192.0.2.9", "joe@other.example"))));
  // One good signature is enough, whatever became of the others.
  const std::string other = std::string(test::kRfc8463RsaSignature) + kSigned;
  CHECK(would_be_accepted(judge(dns, other)));
}

TEST_CASE("without one author there is no DMARC, and it is said why") {
  ScriptedDns dns = published("reject");
  const ReceivedVerdict two = judge(dns, kSigned + "From: ann@other.example\r\n");
  CHECK_FALSE(two.dmarc);
  CHECK_FALSE(two.author_fault.empty());
  CHECK_FALSE(would_be_accepted(two));
  CHECK_THAT(report(two), Catch::Contains("dmarc=permerror"));
  CHECK_FALSE(would_be_accepted(judge(dns, "Subject: nobody\r\n")));
}

TEST_CASE("a key that cannot be looked up leaves it open, which is not accepted") {
  ScriptedDns dns = published("reject");
  dns.fails("brisbane._domainkey.football.example.com", RecordType::TXT);
  const ReceivedVerdict verdict = judge(dns, kSigned);
  CHECK(verdict.dmarc->result == DmarcResult::TempError);
  CHECK_FALSE(would_be_accepted(verdict));
}

TEST_CASE("a HELO name of any octets is judged without harm") {
  ScriptedDns dns = published("reject");
  ReceivedEnvelope envelope = from("192.0.2.1", "");
  for (const std::string helo : {"", "..", "[192.0.2.1]", "a b\r\nX: y", "\xff\xfe"}) {
    envelope.helo = helo;
    CHECK(judge(dns, kSigned, envelope).spf->result == SpfResult::None);
  }
}

}  // namespace
}  // namespace waxwing
