#include "policy/dmarc_verdict.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/support/scripted_dns.h"

using namespace waxwing;
using waxwing::testing::ScriptedDns;

namespace {

DomainName name(std::string_view text) {
  return DomainName::parse(text).value();
}

DmarcVerdict judged(ScriptedDns& dns, const AuthenticatedIdentifiers& identifiers) {
  return dns.resolve([&](Answers& answers) { return evaluate_dmarc(name("news.a.example"), identifiers, answers); });
}

ScriptedDns strict_for_dkim() {
  ScriptedDns dns;
  dns.txt("_dmarc.a.example", "v=DMARC1; p=reject; sp=quarantine; adkim=s");
  return dns;
}

}  // namespace

TEST_CASE("DMARC passes by whichever identifier is aligned") {
  ScriptedDns dns = strict_for_dkim();
  AuthenticatedIdentifiers identifiers;
  identifiers.spf = name("bounce.a.example");
  auto verdict = judged(dns, identifiers);
  CHECK(verdict.result == DmarcResult::Pass);
  CHECK(verdict.spf_aligned);
  CHECK_FALSE(verdict.dkim_aligned);
  CHECK(verdict.disposition == DmarcPolicy::None);

  identifiers = {};
  identifiers.dkim = {name("b.example"), name("news.a.example")};
  verdict = judged(dns, identifiers);
  CHECK(verdict.result == DmarcResult::Pass);
  CHECK(verdict.dkim_aligned);
}

TEST_CASE("DMARC fails with the policy that applies and says why") {
  ScriptedDns dns = strict_for_dkim();
  AuthenticatedIdentifiers identifiers;
  identifiers.dkim = {name("a.example"), name("b.example")};
  const auto verdict = judged(dns, identifiers);
  CHECK(verdict.result == DmarcResult::Fail);
  CHECK(verdict.disposition == DmarcPolicy::Quarantine);
  CHECK(verdict.detail == "neither SPF nor DKIM passed for news.a.example; it asks for sp=quarantine");
}

TEST_CASE("a failure that a temporary error may have caused is none") {
  ScriptedDns dns = strict_for_dkim();
  AuthenticatedIdentifiers identifiers;
  identifiers.dkim_unknown = true;
  CHECK(judged(dns, identifiers).result == DmarcResult::TempError);
  identifiers.spf = name("a.example");
  CHECK(judged(dns, identifiers).result == DmarcResult::Pass);
}

TEST_CASE("a domain without a record has no result, one that cannot be asked a temporary error") {
  ScriptedDns empty;
  CHECK(judged(empty, {}).result == DmarcResult::None);
  ScriptedDns failing;
  failing.fails("_dmarc.news.a.example", RecordType::TXT);
  CHECK(judged(failing, {}).result == DmarcResult::TempError);
}

TEST_CASE("with a list of public suffixes DMARC is judged by the rules of RFC 7489") {
  const auto list = PublicSuffixList::parse("example\na.example\n");
  REQUIRE(list);
  ScriptedDns dns = strict_for_dkim();
  dns.txt("_dmarc.news.a.example", "v=DMARC1; p=reject");
  AuthenticatedIdentifiers identifiers;
  identifiers.spf = name("bounce.a.example");
  const auto by = [&](const PublicSuffixList* suffixes) {
    return dns.resolve(
        [&](Answers& answers) { return evaluate_dmarc(name("news.a.example"), identifiers, answers, suffixes); });
  };
  CHECK(by(nullptr).result == DmarcResult::Pass);
  CHECK(by(&*list).result == DmarcResult::Fail);
}
