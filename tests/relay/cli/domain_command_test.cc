#include "relay/cli/domain_command.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace waxwing {
namespace {

const DomainName kDomain = *DomainName::parse("example.org");

std::vector<DomainFinding> findings() {
  return {{"spf", "192.0.2.25", FindingGrade::Pass, "pass: ip4:192.0.2.25", {}},
          {"dkim", "s1", FindingGrade::Wrong, "s1._domainkey.example.org \x1b[31m is not published",
           RecordToPublish{"s1._domainkey.example.org", RecordType::TXT, "v=DKIM1; p=" + std::string(300, 'A')}},
          {"ptr", "192.0.2.25", FindingGrade::Wrong, "no reverse name",
           RecordToPublish{"25.2.0.192.in-addr.arpa", RecordType::PTR, "relay.example."}}};
}

TEST_CASE("each finding is a line, with the record to publish below it as zone files have it") {
  Output output(OutputFormat::Text);
  print_domain_check(kDomain, findings(), output);
  const std::string& text = output.text();
  CHECK_THAT(text, Catch::StartsWith("pass    spf      192.0.2.25: pass: ip4:192.0.2.25\n"));
  CHECK_THAT(text, Catch::Contains("publish: s1._domainkey.example.org. IN TXT \"v=DKIM1; p=") &&
                       Catch::Contains("A\" \"A") && Catch::Contains("\\x1b[31m"));
  CHECK_THAT(text, Catch::Contains("publish: 25.2.0.192.in-addr.arpa. IN PTR relay.example.\n"));
  CHECK_THAT(text, Catch::EndsWith("example.org is not in order\n"));
}

TEST_CASE("as JSON there is one object with all findings") {
  Output output(OutputFormat::Json);
  print_domain_check(kDomain, findings(), output);
  const auto object = nlohmann::json::parse(output.text());
  CHECK(object["domain"] == "example.org");
  CHECK(object["in_order"] == false);
  REQUIRE(object["findings"].size() == 3);
  CHECK(object["findings"][0]["publish"].is_null());
  CHECK(object["findings"][0]["grade"] == "pass");
  CHECK(object["findings"][1]["publish"]["data"] == "v=DKIM1; p=" + std::string(300, 'A'));
  CHECK(object["findings"][2]["publish"]["zone_line"] == "25.2.0.192.in-addr.arpa. IN PTR relay.example.");
}

TEST_CASE("a domain without a wrong finding is in order") {
  Output output(OutputFormat::Text);
  print_domain_check(kDomain, {{"dmarc", "example.org", FindingGrade::Advice, "p=none", {}}}, output);
  CHECK_THAT(output.text(), Catch::EndsWith("example.org is in order\n"));
}

}  // namespace
}  // namespace waxwing
