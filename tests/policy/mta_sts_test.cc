#include "policy/mta_sts.h"

#include <catch2/catch.hpp>

using namespace waxwing;

TEST_CASE("an MTA-STS policy is read with either line ending") {
  const auto policy =
      StsPolicy::parse("version: STSv1\r\nmode:enforce\nmx: MX1.example.net \r\nmx: *.Example.net\nmax_age: 604800");
  REQUIRE(policy);
  CHECK(policy->mode == StsMode::Enforce);
  CHECK(policy->max_age_seconds == 604800);
  CHECK(policy->mx_patterns == std::vector<std::string>{"mx1.example.net", "*.example.net"});
}

TEST_CASE("the first of a repeated MTA-STS field counts and unknown fields are passed over") {
  const auto policy = StsPolicy::parse(
      "version: STSv1\nmode: enforce\nmode: none\nmx: a.example\nfuture: x y\nmax_age: 1\nmax_age: x\n");
  REQUIRE(policy);
  CHECK(policy->mode == StsMode::Enforce);
  CHECK(policy->max_age_seconds == 1);
}

TEST_CASE("stray empty lines do not turn MTA-STS off") {
  CHECK(StsPolicy::parse("version: STSv1\n\nmode: none\nmax_age: 1\n\r\n"));
}

TEST_CASE("an MTA-STS policy that is wrong names the line") {
  const auto policy = StsPolicy::parse("version: STSv1\nmode: strict\nmx: a.example\nmax_age: 1\n");
  REQUIRE_FALSE(policy);
  CHECK(policy.error().detail.find("line 2") != std::string::npos);
}

TEST_CASE("an MTA-STS policy stays within its limits") {
  const std::string head = "version: STSv1\nmode: enforce\nmax_age: 31557600\n";
  std::string many = head;
  for (std::size_t i = 0; i < kMaxStsMxPatterns; ++i) many += "mx: a.example\n";
  CHECK(StsPolicy::parse(many));
  CHECK_FALSE(StsPolicy::parse(many + "mx: a.example\n"));
  CHECK_FALSE(StsPolicy::parse(head + "mx: a.example\nx: " + std::string(kMaxStsPolicyOctets, 'x')));
  CHECK_FALSE(StsPolicy::parse("version: STSv1\nmode: none\nmax_age: 31557601\n"));
}

TEST_CASE("an MTA-STS wildcard stands for exactly one label") {
  const StsPolicy policy{StsMode::Enforce, 1, {"*.b.example", "mx.example"}};
  CHECK(policy.covers("mx.example"));
  CHECK(policy.covers("a.b.example"));
  CHECK_FALSE(policy.covers("b.example"));
  CHECK_FALSE(policy.covers("a.a.b.example"));
  CHECK_FALSE(policy.covers(".b.example"));
  CHECK_FALSE(policy.covers("amx.example"));
}

TEST_CASE("an MTA-STS record gives its id") {
  CHECK(parse_sts_record("v=STSv1; id=20160831085700Z;").value() == "20160831085700Z");
  CHECK(parse_sts_record("v=STSv1 ;x=1 ; id=a").value() == "a");
  for (const char* txt : {"v=STSv1", "v=STSv1;", "v=STSv1; id=", "v=STSv1; id=a-b", "v=STSv1; id=a; id=b",
                          "V=STSv1; id=a", "v=STSv1 id=a", "v=STSv1; id=a;;", "v=STSv1; id=a; x=="}) {
    INFO(txt);
    CHECK_FALSE(parse_sts_record(txt));
  }
}

TEST_CASE("exactly one MTA-STS record may be published") {
  CHECK(select_sts_record({"v=spf1 -all", "v=STSv1; id=1"}).value() == "1");
  CHECK(select_sts_record({"v=STSv10; id=2", "v=STSv1; id=1", "v=STSv1"}).value() == "1");
  CHECK(select_sts_record({"v=STSv1; id=1", "v=STSv1; id=1"}).error().kind == ErrorKind::NotFound);
  CHECK(select_sts_record({}).error().kind == ErrorKind::NotFound);
  CHECK(select_sts_record({"v=STSv1; id="}).error().kind == ErrorKind::Malformed);
}
