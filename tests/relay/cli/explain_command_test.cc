#include "relay/cli/explain_command.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace waxwing {
namespace {

using Json = nlohmann::json;

Json explanation() {
  return {{"address", "x@dane.example"},
          {"domain", "dane.example"},
          {"outcome", "deliver"},
          {"status", ""},
          {"reason", "there are hosts to try"},
          {"mta_sts", {{"detail", "fetched"}, {"mode", "enforce"}, {"mx", {"*.dane.example"}}, {"max_age", 86'400}}},
          {"hosts",
           {{{"mx", "mx.dane.example"},
             {"preference", 10},
             {"addresses", {"192.0.2.1", "2001:db8::1"}},
             {"mx_status", "secure"},
             {"address_status", "secure"},
             {"tlsa_status", "secure"},
             {"tlsa_base_domain", "mx.dane.example"},
             {"tlsa", {{{"record", "3 1 1 00"}, {"usable", true}}, {{"record", "0 0 1 00"}, {"usable", false}}}},
             {"requirement", "dane"},
             {"level", "authenticated"},
             {"reason", "TLSA records of mx.dane.example are secure (RFC 7672)."}}}},
          {"facts",
           {{{"name", "dane.example"},
             {"type", "MX"},
             {"status", "secure"},
             {"ttl", 300},
             {"records", {"10 mx.dane.example"}}},
            {{"name", "_mta-sts.dane.example"},
             {"type", "TXT"},
             {"status", "secure"},
             {"nxdomain", true},
             {"ttl", 60},
             {"records", Json::array()}},
            {{"name", "bad.example"}, {"type", "A"}, {"status", "bogus"}, {"detail", "signature expired"}}}}};
}

TEST_CASE("an explanation for people names every host, what it must prove and why") {
  Output output(OutputFormat::Text);
  print_explanation(explanation(), output);
  CHECK(output.text() ==
        "x@dane.example: deliver\n"
        "  there are hosts to try\n"
        "MTA-STS: mode enforce, mx *.dane.example, max_age 86400 s; fetched\n"
        "Host mx.dane.example, preference 10\n"
        "  MX: secure\n"
        "  Addresses: 192.0.2.1, 2001:db8::1, secure\n"
        "  TLSA: secure at mx.dane.example\n"
        "    3 1 1 00 (usable)\n"
        "    0 0 1 00 (not usable)\n"
        "  Requirement: dane, level authenticated\n"
        "    TLSA records of mx.dane.example are secure (RFC 7672).\n"
        "DNS answers:\n"
        "  dane.example MX: secure, 10 mx.dane.example, TTL 300\n"
        "  _mta-sts.dane.example TXT: secure, no such name, no records, TTL 60\n"
        "  bad.example A: bogus, signature expired\n");
}

TEST_CASE("an explanation as JSON is the object itself on one line") {
  Output output(OutputFormat::Json);
  print_explanation(explanation(), output);
  CHECK(std::ranges::count(output.text(), '\n') == 1);
  CHECK(Json::parse(output.text()) == explanation());
}

TEST_CASE("an explanation that lacks parts is printed without harm") {
  for (const auto& partial :
       {Json::object(), Json{{"hosts", {Json::object(), 5}}, {"facts", "x"}, {"mta_sts", {{"mx", 5}}}}}) {
    Output output(OutputFormat::Text);
    print_explanation(partial, output);
    CHECK_FALSE(output.text().empty());
  }
}

TEST_CASE("a probe shows what each session proved or why it failed, and no more of hosts without one") {
  const Json host = {{"mx", "mx1.b.example"},      {"preference", 10},           {"mx_status", "secure"},
                     {"addresses", {"192.0.2.1"}}, {"address_status", "secure"}, {"requirement", "dane"},
                     {"level", "authenticated"},   {"reason", "Because."}};
  Json ready = host;
  ready["session"] = {{"ready", true},      {"peer", "192.0.2.1:25"},
                      {"tls", "TLSv1.3 X"}, {"level", "authenticated"},
                      {"method", "dane"},   {"extensions", {"SIZE", "REQUIRETLS"}}};
  Json failed = host;
  failed["session"] = {{"ready", false},
                       {"peer", "192.0.2.2:25"},
                       {"failure", "the certificate has expired"},
                       {"status", "4.7.5"},
                       {"result_type", "certificate-expired"}};
  const Json probe = {
      {"domain", "b.example"},           {"outcome", "deliver"},           {"status", ""},          {"reason", ""},
      {"mta_sts", {{"detail", "none"}}}, {"hosts", {ready, failed, host}}, {"facts", Json::array()}};
  Output text(OutputFormat::Text);
  print_probe(probe, "", text);
  CHECK_THAT(text.text(), Catch::Contains("  Session with 192.0.2.1:25: TLSv1.3 X, level authenticated by dane; offers "
                                          "SIZE, REQUIRETLS\n"));
  CHECK_THAT(text.text(), Catch::Contains("  Session with 192.0.2.2:25 failed: the certificate has expired (4.7.5, "
                                          "certificate-expired)\n"));
  CHECK(text.text().find("Session") != text.text().rfind("Session"));
  Output json(OutputFormat::Json);
  print_probe(probe, "", json);
  CHECK(Json::parse(json.text()) == probe);
}

TEST_CASE("a probe of one protection begins with whether it holds, and why not") {
  Json probe = explanation();
  probe["protected"] = false;
  probe["findings"] = {"mx.dane.example has no TLSA records (RFC 7672 §2.2)."};
  Output output(OutputFormat::Text);
  print_probe(probe, "DANE", output);
  CHECK(
      output.text().starts_with("DANE does not protect mail to dane.example:\n"
                                "  mx.dane.example has no TLSA records (RFC 7672 §2.2).\n"));
  probe["protected"] = true;
  probe["findings"] = Json::array();
  Output good(OutputFormat::Text);
  print_probe(probe, "MTA-STS", good);
  CHECK(good.text().starts_with("MTA-STS protects mail to dane.example\ndane.example: deliver\n"));
}

}  // namespace
}  // namespace waxwing
