#include "relay/queue/tls_report_mail.h"

#include <catch2/catch.hpp>

#include "policy/base64.h"

using namespace waxwing;

namespace {

TlsReportMail mail() {
  TlsReportMail result;
  result.frame.organization_name = "relay.example";
  result.frame.contact_info = "postmaster@relay.example";
  result.frame.report_id = "1";
  result.frame.start = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1));
  result.frame.end = result.frame.start + Seconds(86'399);
  result.policy_domain = "receiver.example";
  result.submitter = "relay.example";
  result.compressed = std::string(200, '\x1f');
  result.now = result.frame.end + Seconds(7'201);
  result.lifetime = Seconds(86'400);
  return result;
}

std::optional<MailAddress> address_in(std::string text, TlsReportUri::Scheme scheme = TlsReportUri::Scheme::Mailto) {
  return mailto_address({scheme, std::move(text)});
}

}  // namespace

TEST_CASE("the mail with a report has the fields, the parts and the file name that RFC 8460 asks for") {
  const QueuedMessage message =
      compose_tls_report_mail(mail(), *MailAddress::parse("reports@receiver.example"), QueueId(7));
  const std::string id = QueueId(7).str();
  CHECK(message.header ==
        "Date: Fri, 2 Jan 2026 02:00:00 +0000\r\n"
        "From: postmaster@relay.example\r\n"
        "To: reports@receiver.example\r\n"
        "Subject: Report Domain: receiver.example\r\n Submitter: relay.example\r\n Report-ID: <" +
            id +
            "@relay.example>\r\n"
            "Message-ID: <" +
            id +
            "@relay.example>\r\n"
            "TLS-Report-Domain: receiver.example\r\n"
            "TLS-Report-Submitter: relay.example\r\n"
            "Auto-Submitted: auto-generated\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: multipart/report; report-type=\"tlsrpt\";\r\n boundary=\"=_waxwing_tls_report\"\r\n");
  CHECK_THAT(message.body, Catch::Contains("\r\nContent-Type: application/tlsrpt+gzip\r\n"));
  CHECK_THAT(message.body,
             Catch::Contains("filename=\"relay.example!receiver.example!1767225600!1767311999!1.json.gz\"\r\n\r\n"));
  const std::size_t start = message.body.rfind("\r\n\r\n") + 4;
  const std::string encoded = message.body.substr(start, message.body.rfind("--=_") - start);
  CHECK(*decode_base64(encoded) == mail().compressed);
  CHECK(encoded.find("\r\n") == 76);
  CHECK(message.body.ends_with("\r\n--=_waxwing_tls_report--\r\n"));
}

TEST_CASE("a report goes whatever TLS of its receiver is worth, and nobody hears of its failure") {
  const QueuedMessage message =
      compose_tls_report_mail(mail(), *MailAddress::parse("reports@receiver.example"), QueueId(7));
  CHECK(message.tls_request == TlsRequest::Optional);
  CHECK_FALSE(message.reverse_path);
  CHECK(message.account.empty());
  CHECK(message.body_octets == message.body.size());
  CHECK(message.expires == mail().now + Seconds(86'400));
  REQUIRE(message.recipients.size() == 1);
  CHECK(message.recipients[0].next_attempt == mail().now);
}

TEST_CASE("the address of a mailto URI is read without its fields, and decoded") {
  CHECK(address_in("mailto:reports@receiver.example")->str() == "reports@receiver.example");
  CHECK(address_in("mailto:a%2Bb@receiver.example?subject=x")->str() == "a+b@receiver.example");
}

TEST_CASE("what is no address, or could become more than one, is not sent to") {
  for (const char* text :
       {"mailto:", "mailto:reports", "mailto:a@b.example%0d%0aBcc:c@d.example", "mailto:a@b.example,c@d.example",
        "mailto:%zz@b.example", "mailto:a%4", "mailto:%c3%a4@b.example", "mailto:a%20b@c.example", "mail"}) {
    CAPTURE(text);
    CHECK_FALSE(address_in(text));
  }
  CHECK_FALSE(address_in("https://reports.example/", TlsReportUri::Scheme::Https));
}
