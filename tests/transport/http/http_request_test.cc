#include "transport/http/http_request.h"

#include <catch2/catch.hpp>

using namespace waxwing;

TEST_CASE("a GET names its host, asks for no coding and closes the connection", "[http]") {
  CHECK(format_http_get({.host = "mta-sts.example",
                         .path = "/.well-known/mta-sts.txt",
                         .user_agent = "Waxwing",
                         .accept = "text/plain"}) ==
        "GET /.well-known/mta-sts.txt HTTP/1.1\r\n"
        "Host: mta-sts.example\r\n"
        "User-Agent: Waxwing\r\n"
        "Accept: text/plain\r\n"
        "Accept-Encoding: identity\r\n"
        "Connection: close\r\n"
        "\r\n");
}
