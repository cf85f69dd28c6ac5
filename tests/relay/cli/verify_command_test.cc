#include "relay/cli/verify_command.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

namespace waxwing {
namespace {

ReceivedVerdict failed_verdict() {
  ReceivedVerdict verdict;
  DkimVerdict dkim;
  dkim.result = DkimResult::Fail;
  dkim.detail = "the body was changed";
  dkim.signature.domain = "a.example";
  dkim.signature.selector = "s1";
  verdict.signatures.dkim.push_back(dkim);
  verdict.author_domain = *DomainName::parse("a.example");
  verdict.dmarc = DmarcVerdict{};
  verdict.dmarc->result = DmarcResult::Fail;
  verdict.dmarc->detail = "nothing passed";
  verdict.dmarc->discovery.record_domain = verdict.author_domain;
  verdict.dmarc->discovery.requested = DmarcPolicy::Reject;
  return verdict;
}

TEST_CASE("a verdict is printed as the field, and then as a sentence") {
  Output output(OutputFormat::Text);
  print_verdict(failed_verdict(), "relay.example", {}, output);
  CHECK_THAT(output.text(), Catch::StartsWith("Authentication-Results: relay.example;") &&
                                Catch::Contains("dkim=fail") && Catch::Contains("dmarc=fail") &&
                                Catch::EndsWith("Would not be accepted: nothing passed\n"));
}

TEST_CASE("as JSON there is one object with the field on one line") {
  Output output(OutputFormat::Json);
  print_verdict(failed_verdict(), "relay.example", {}, output);
  const auto object = nlohmann::json::parse(output.text());
  CHECK(object["accepted"] == false);
  CHECK(object["authentication_results"].get<std::string>().find('\n') == std::string::npos);
  CHECK(object["dkim"][0]["result"] == "fail");
  CHECK(object["dkim"][0]["domain"] == "a.example");
  CHECK(object["dkim"][0]["detail"] == "the body was changed");
  CHECK(object["arc"]["result"] == "none");
  CHECK(object["spf"].is_null());
  CHECK(object["dmarc"]["policy"] == "reject");
}

ErrorKind error(const MessageToVerify& arguments) {
  std::istringstream in("From: a@a.example\n\n");
  std::ostringstream out;
  Output output(OutputFormat::Text);
  const auto verified = verify_file(Config(), arguments, {in, out, out}, output);
  REQUIRE_FALSE(verified);
  CHECK(verified.error().detail.size() > 10);
  return verified.error().kind;
}

TEST_CASE("what is wrong with the arguments is said before anything is asked of DNS") {
  CHECK(error({"-", "192.0.2.300", "", "a@a.example"}) == ErrorKind::Malformed);
  CHECK(error({"-", "192.0.2.3", "", "nobody"}) == ErrorKind::Malformed);
  CHECK(error({"-", "192.0.2.3", "", ""}) == ErrorKind::Malformed);
  CHECK(error({"/nonexistent/message", "", "", ""}) == ErrorKind::NotFound);
  CHECK(error({"/", "", "", ""}) == ErrorKind::NotFound);
}

TEST_CASE("what is no message is refused") {
  std::istringstream in("no header here\n\n");
  std::ostringstream out;
  Output output(OutputFormat::Text);
  const auto verified = verify_file(Config(), {"-", "", "", ""}, {in, out, out}, output);
  REQUIRE_FALSE(verified);
  CHECK(verified.error().kind == ErrorKind::Malformed);
  CHECK(output.text().empty());
}

}  // namespace
}  // namespace waxwing
