#include "transport/http/https_uri.h"

#include <catch2/catch.hpp>

using namespace waxwing;

TEST_CASE("an https URI has a host, and a path with its query", "[http]") {
  CHECK(parse_https_uri("https://Reports.Example/v1/tlsrpt?x=1&y=%20") ==
        HttpsUri{"reports.example", "/v1/tlsrpt?x=1&y=%20"});
  CHECK(parse_https_uri("HTTPS://reports.example") == HttpsUri{"reports.example", "/"});
  CHECK(parse_https_uri("https://reports.example:443/a") == HttpsUri{"reports.example", "/a"});
  CHECK(parse_https_uri("https://reports.example?a#b") == HttpsUri{"reports.example", "/?a"});
}

TEST_CASE("a URI that could lead a request astray is refused", "[http]") {
  for (const char* text :
       {"http://reports.example/", "https:/reports.example/", "https://", "https:///a", "https://user@reports.example/",
        "https://a@b:443/", "https://reports.example:25/", "https://reports.example:/", "https://127.0.0.1/",
        "https://[::1]/", "https://reports.example/a b", "https://reports.example/a\r\nX: y",
        "https://reports.example/\xc3\xa9", "https://re\\ports.example/", "https://reports..example/"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_https_uri(text));
  }
  CHECK_FALSE(parse_https_uri("https://reports.example/" + std::string(kMaxHttpsUriOctets, 'a')));
}
