#include "policy/dmarc.h"

#include <catch2/catch.hpp>

#include "tests/support/scripted_dns.h"

using namespace waxwing;
using waxwing::testing::ScriptedDns;

namespace {

DomainName domain(std::string_view text) {
  return *DomainName::parse(text);
}

DmarcDiscovery discover(ScriptedDns& dns, std::string_view author) {
  return dns.resolve([&](Answers& answers) { return discover_dmarc(domain(author), answers); });
}

DmarcAligned aligned(ScriptedDns& dns, std::string_view identifier, std::string_view author,
                     DmarcAlignment mode = DmarcAlignment::Relaxed) {
  return dns.resolve(
      [&](Answers& answers) { return dmarc_aligned(domain(identifier), domain(author), mode, answers); });
}

}  // namespace

TEST_CASE("every DMARC tag that concerns policy is read") {
  const auto record =
      DmarcRecord::parse("v=DMARC1; p=Reject; sp=quarantine;np=none; adkim=s; aspf = s; t=y; psd=n; pct=50");
  REQUIRE(record);
  CHECK(record->policy == DmarcPolicy::Reject);
  CHECK(record->subdomain_policy == DmarcPolicy::Quarantine);
  CHECK(record->nonexistent_policy == DmarcPolicy::None);
  CHECK(record->dkim_alignment == DmarcAlignment::Strict);
  CHECK(record->spf_alignment == DmarcAlignment::Strict);
  CHECK(record->testing);
  CHECK(record->public_suffix == DmarcRecord::PublicSuffix::No);
}

TEST_CASE("DMARC values that are unknown fall back to defaults") {
  const auto record = DmarcRecord::parse("v=DMARC1; p=reject; adkim=x; t=maybe; psd=?; junk; p=none");
  REQUIRE(record);
  CHECK(record->policy == DmarcPolicy::Reject);
  CHECK(record->dkim_alignment == DmarcAlignment::Relaxed);
  CHECK_FALSE(record->testing);
  CHECK(record->public_suffix == DmarcRecord::PublicSuffix::Unspecified);
}

TEST_CASE("a record with a wrong policy asks for reports at most") {
  CHECK(DmarcRecord::parse("v=DMARC1; p=reject; sp=bad; rua=mailto:a@example.org")->policy == DmarcPolicy::None);
  CHECK(DmarcRecord::parse("v=DMARC1; rua=x, mailto:a@example.org")->applies);
  CHECK_FALSE(DmarcRecord::parse("v=DMARC1; p=bad; rua=nothing")->applies);
  CHECK_FALSE(DmarcRecord::parse("v=DMARC1")->applies);
}

TEST_CASE("text that does not begin with the DMARC version is not a DMARC record") {
  for (const char* txt :
       {"", "v=DMARC1x; p=none", "v=dmarc1; p=none", " v=DMARC1; p=none", "p=none; v=DMARC1", "v", "DMARC1"}) {
    INFO(txt);
    CHECK_FALSE(DmarcRecord::parse(txt));
  }
}

TEST_CASE("all names of a tree walk are asked for in one round, eight at most") {
  ScriptedDns dns;
  const DmarcDiscovery found = discover(dns, "a.b.c.d.e.f.g.h.i.example.org");
  CHECK_FALSE(found.record);
  CHECK(found.consulted.size() == 8);
  CHECK(dns.rounds == 1);
  CHECK(dns.asked.contains({"_dmarc.f.g.h.i.example.org", RecordType::TXT}));
  CHECK_FALSE(dns.asked.contains({"_dmarc.b.c.d.e.f.g.h.i.example.org", RecordType::TXT}));
}

TEST_CASE("a failed lookup during the tree walk is a temporary error") {
  for (const auto status : {Answer::Status::Failed, Answer::Status::Bogus}) {
    ScriptedDns dns;
    dns.txt("_dmarc.example.org", "v=DMARC1; p=reject");
    dns.fails("_dmarc.mail.example.org", RecordType::TXT, status);
    const DmarcDiscovery found = discover(dns, "mail.example.org");
    CHECK(found.temporary_error);
    CHECK_FALSE(found.record);
    CHECK(aligned(dns, "example.org", "mail.example.org") == DmarcAligned::TemporaryError);
  }
}

TEST_CASE("np= applies to names that do not exist and t=y takes one level off") {
  ScriptedDns dns;
  dns.txt("_dmarc.example.org", "v=DMARC1; p=none; sp=none; np=reject; t=y");
  CHECK(discover(dns, "gone.example.org").requested == DmarcPolicy::Quarantine);
  dns.exists("here.example.org");
  CHECK(discover(dns, "here.example.org").requested == DmarcPolicy::None);
  dns.fails("shaky.example.org", RecordType::A);
  CHECK(discover(dns, "shaky.example.org").temporary_error);
}

TEST_CASE("a policy of the author domain itself ignores sp=") {
  ScriptedDns dns;
  dns.txt("_dmarc.example.org", "v=DMARC1; p=reject; sp=none");
  const DmarcDiscovery found = discover(dns, "example.org");
  CHECK(found.requested == DmarcPolicy::Reject);
  CHECK(found.record_domain->str() == "example.org");
}

TEST_CASE("strict alignment needs the same name, relaxed the same organization") {
  ScriptedDns dns;
  dns.txt("_dmarc.example.org", "v=DMARC1; p=reject");
  CHECK(aligned(dns, "mail.example.org", "example.org") == DmarcAligned::Yes);
  CHECK(aligned(dns, "mail.example.org", "news.example.org") == DmarcAligned::Yes);
  CHECK(aligned(dns, "mail.example.org", "example.org", DmarcAlignment::Strict) == DmarcAligned::No);
  CHECK(aligned(dns, "other.org", "example.org") == DmarcAligned::No);
  CHECK(aligned(dns, "example.org", "example.org", DmarcAlignment::Strict) == DmarcAligned::Yes);
}

TEST_CASE("names under different top labels are not aligned and nothing is asked") {
  ScriptedDns dns;
  CHECK(aligned(dns, "example.net", "example.org") == DmarcAligned::No);
  CHECK(dns.asked.empty());
}

TEST_CASE("by the rules of RFC 7489 the organizational domain's record applies below it") {
  const auto list = PublicSuffixList::parse("example\nco.example\n");
  REQUIRE(list);
  ScriptedDns dns;
  dns.txt("_dmarc.shop.co.example", "v=DMARC1; p=reject; sp=quarantine; np=none; t=y");
  dns.txt("_dmarc.co.example", "v=DMARC1; p=none; psd=y");
  const auto found =
      dns.resolve([&](Answers& answers) { return discover_dmarc(domain("gone.shop.co.example"), answers, &*list); });
  REQUIRE(found.record_domain);
  CHECK(found.record_domain->str() == "shop.co.example");
  CHECK(found.organizational_domain->str() == "shop.co.example");
  CHECK(found.requested == DmarcPolicy::Quarantine);
  CHECK(found.consulted == std::vector<std::string>{"_dmarc.gone.shop.co.example", "_dmarc.shop.co.example"});
  const auto other =
      dns.resolve([&](Answers& answers) { return discover_dmarc(domain("b.co.example"), answers, &*list); });
  CHECK_FALSE(other.record);
}

TEST_CASE("by the rules of RFC 7489 several records at the domain end the search") {
  const auto list = PublicSuffixList::parse("example\n");
  REQUIRE(list);
  ScriptedDns dns;
  dns.txt("_dmarc.a.shop.example", "v=DMARC1; p=none");
  dns.txt("_dmarc.a.shop.example", "v=DMARC1; p=reject");
  dns.txt("_dmarc.shop.example", "v=DMARC1; p=reject");
  const auto found =
      dns.resolve([&](Answers& answers) { return discover_dmarc(domain("a.shop.example"), answers, &*list); });
  CHECK_FALSE(found.record);
  CHECK(discover(dns, "a.shop.example").record);
}

TEST_CASE("by the rules of RFC 7489 a common registrable domain aligns") {
  const auto list = PublicSuffixList::parse("example\nco.example\n");
  REQUIRE(list);
  Answers nothing;
  const auto relaxed = [&](std::string_view identifier, std::string_view author) {
    return dmarc_aligned(domain(identifier), domain(author), DmarcAlignment::Relaxed, nothing, &*list);
  };
  CHECK(relaxed("a.shop.co.example", "b.shop.co.example") == DmarcAligned::Yes);
  CHECK(relaxed("a.co.example", "b.co.example") == DmarcAligned::No);
  CHECK(relaxed("co.example", "b.co.example") == DmarcAligned::No);
}
