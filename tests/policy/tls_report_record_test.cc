#include "policy/tls_report_record.h"

#include <catch2/catch.hpp>

#include "policy/record_fields.h"

using namespace waxwing;
using Scheme = TlsReportUri::Scheme;

TEST_CASE("a TLSRPT record gives its destinations in order") {
  const auto record = TlsReportRecord::parse(
      "v=TLSRPTv1 ; rua=mailto:a@x.example , HTTPS://x.example:8443/t?a=b;later=1; rua=ftp://x.example/%7Et;");
  REQUIRE(record);
  CHECK(record->rua == std::vector<TlsReportUri>{{Scheme::Mailto, "mailto:a@x.example"},
                                                 {Scheme::Https, "HTTPS://x.example:8443/t?a=b"},
                                                 {Scheme::Other, "ftp://x.example/%7Et"}});
}

TEST_CASE("white space behind a TLSRPT record is passed over") {
  CHECK(TlsReportRecord::parse("v=TLSRPTv1; rua=mailto:a@x.example \t"));
  CHECK(TlsReportRecord::parse("v=TLSRPTv1; rua=mailto:a@x.example; x=1 "));
}

TEST_CASE("a TLSRPT record that breaks its grammar is refused") {
  for (const char* txt : {"",
                          "   ",
                          "v=TLSRPTv1",
                          "v=TLSRPTv1;",
                          "v=TLSRPTv1; x=1",
                          "v=TLSRPTv10; rua=mailto:a@x.example",
                          "V=TLSRPTv1; rua=mailto:a@x.example",
                          "v=TLSRPTv1; RUA=mailto:a@x.example",
                          "v=TLSRPTv1; rua=",
                          "v=TLSRPTv1; rua=a@x.example",
                          "v=TLSRPTv1; rua=1s:a",
                          "v=TLSRPTv1; rua=mailto:a@x.example,",
                          "v=TLSRPTv1; rua=mailto:a@x.example b",
                          "v=TLSRPTv1; rua=mailto:a@x.example!10m",
                          "v=TLSRPTv1; rua=https://x.example/%2",
                          "v=TLSRPTv1; rua=https://x.example/%zz",
                          "v=TLSRPTv1; rua=mailto:a@x.example;;",
                          "v=TLSRPTv1; rua=mailto:a@x.example; x=",
                          "v=TLSRPTv1; rua=mailto:a@x.example; x==",
                          "v=TLSRPTv1; rua=mailto:a@x.example; -x=1",
                          "v=TLSRPTv1; rua=mailto:a@x.example; a12345678901234567890123456789012=1",
                          "v=TLSRPTv1 rua=mailto:a@x.example",
                          "v=TLSRPTv1; rua=mailto:\xc3\xa9@x.example"}) {
    INFO(txt);
    const auto record = TlsReportRecord::parse(txt);
    REQUIRE_FALSE(record);
    CHECK(record.error().kind == ErrorKind::Malformed);
  }
}

TEST_CASE("a TLSRPT record stays within its limits") {
  std::string uris = "v=TLSRPTv1; rua=s:a";
  for (std::size_t i = 1; i < kMaxTlsReportUris; ++i) uris += ",s:a";
  CHECK(TlsReportRecord::parse(uris).value().rua.size() == kMaxTlsReportUris);
  CHECK_FALSE(TlsReportRecord::parse(uris + ",s:a"));
  std::string fields = "v=TLSRPTv1; rua=s:a";
  for (std::size_t i = 1; i < kMaxRecordFields; ++i) fields += ";x=1";
  CHECK(TlsReportRecord::parse(fields));
  CHECK_FALSE(TlsReportRecord::parse(fields + ";x=1"));
  const std::string begin = "v=TLSRPTv1; rua=s:";
  CHECK(TlsReportRecord::parse(begin + std::string(kMaxTlsReportRecordOctets - begin.size(), 'x')));
  CHECK_FALSE(TlsReportRecord::parse(begin + std::string(kMaxTlsReportRecordOctets - begin.size() + 1, 'x')));
}

TEST_CASE("exactly one TLSRPT record may be published") {
  const std::string good = "v=TLSRPTv1; rua=mailto:a@x.example";
  CHECK(select_tls_report_record({"v=spf1 -all", good, "v=TLSRPTv10; x=1", "v=TLSRPTv1"}));
  CHECK(select_tls_report_record({good, good}).error().kind == ErrorKind::NotFound);
  CHECK(select_tls_report_record({good, "v=TLSRPTv1; "}).error().kind == ErrorKind::NotFound);
  CHECK(select_tls_report_record({}).error().kind == ErrorKind::NotFound);
  CHECK(select_tls_report_record({"v=TLSRPTv1; rua="}).error().kind == ErrorKind::Malformed);
}
