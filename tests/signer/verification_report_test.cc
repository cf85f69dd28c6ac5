#include "signer/verification_report.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/signer/signed_message.h"

namespace waxwing {
namespace {

std::string text_of(const AuthenticationResults::Method& method) {
  FoldedLine line("");
  AuthenticationResults{"a", {method}}.write(line);
  return line.text().substr(std::string_view(" a; ").size());
}

TEST_CASE("a verified signature is told with its key and its tags", "[verification_report]") {
  const std::string message = std::string(test::kRfc8463Ed25519Signature) + std::string(test::kRfc8463Header) + "\r\n" +
                              std::string(test::kRfc8463Body);
  const auto methods = report_dkim(test::verify_message(message, test::rfc8463_records()).dkim);
  REQUIRE(methods.size() == 1);
  CHECK(methods[0].comment == "256-bit key");
  CHECK(methods[0].result == "pass");
  REQUIRE(methods[0].properties.size() == 5);
  CHECK(methods[0].properties[4].property == "b");
  CHECK(methods[0].properties[4].value == "/gCrinpc");
}

TEST_CASE("a message without signatures is told as such", "[verification_report]") {
  const auto methods = report_dkim({});
  REQUIRE(methods.size() == 1);
  CHECK(text_of(methods[0]) == "dkim=none");
}

TEST_CASE("a chain is told with its instance, its oldest part and where it came from", "[verification_report]") {
  ArcVerdict verdict;
  verdict.result = ArcResult::Pass;
  verdict.instances = 3;
  verdict.oldest_pass = 2;
  CHECK(text_of(report_arc(verdict, IpAddress::parse("192.0.2.1").value())) ==
        "arc=pass (i=3) header.oldest-pass=2 smtp.remote-ip=192.0.2.1");
  CHECK(text_of(report_arc({}, std::nullopt)) == "arc=none");
}

TEST_CASE("SPF is told for the name that was checked", "[verification_report]") {
  SpfInput input;
  input.domain = input.sender_domain = "a.example";
  input.sender_local = "joe";
  input.helo = "mx.a.example";
  SpfVerdict verdict;
  verdict.result = SpfResult::Pass;
  CHECK(text_of(report_spf(verdict, input)) == "spf=pass smtp.mailfrom=a.example");
  input.domain = input.sender_domain = input.helo;
  input.sender_local = "postmaster";
  CHECK(text_of(report_spf(verdict, input)) == "spf=pass smtp.helo=mx.a.example");
}

TEST_CASE("DMARC is told for the author domain", "[verification_report]") {
  DmarcVerdict verdict;
  verdict.result = DmarcResult::Pass;
  verdict.detail = "DKIM is aligned";
  CHECK(text_of(report_dmarc(verdict, DomainName::parse("a.example").value())) ==
        "dmarc=pass (DKIM is aligned) header.from=a.example");
}

}  // namespace
}  // namespace waxwing
