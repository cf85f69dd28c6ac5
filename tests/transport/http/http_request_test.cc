#include "transport/http/http_request.h"

#include <catch2/catch.hpp>

using namespace waxwing;

TEST_CASE("a GET names its host, asks for no coding and closes the connection", "[http]") {
  CHECK(format_http_request({.host = "mta-sts.example",
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

TEST_CASE("a request with content is a POST that tells its type and length", "[http]") {
  CHECK(format_http_request({.host = "reports.example",
                             .path = "/v1",
                             .user_agent = "Waxwing",
                             .content_type = "application/tlsrpt+gzip",
                             .content = std::string("\0\r\n", 3)}) ==
        std::string("POST /v1 HTTP/1.1\r\n"
                    "Host: reports.example\r\n"
                    "User-Agent: Waxwing\r\n"
                    "Content-Type: application/tlsrpt+gzip\r\n"
                    "Content-Length: 3\r\n"
                    "Accept-Encoding: identity\r\n"
                    "Connection: close\r\n"
                    "\r\n") +
            std::string("\0\r\n", 3));
}
