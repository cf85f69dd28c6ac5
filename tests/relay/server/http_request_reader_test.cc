#include "relay/server/http_request_reader.h"

#include <catch2/catch.hpp>
#include <string>

using namespace waxwing;
using State = HttpRequestReader::State;

namespace {

const std::string kHead = "POST /v1/messages HTTP/1.1\r\nHost: relay.example\r\n";

// What a request comes to, also when it comes octet by octet.
int status_of(const std::string& request) {
  HttpRequestReader whole;
  whole.on_bytes(request);
  HttpRequestReader slow;
  for (const char octet : request) slow.on_bytes(std::string(1, octet));
  CHECK(slow.state() == whole.state());
  CHECK(slow.failure_status() == whole.failure_status());
  return whole.state() == State::Invalid ? whole.failure_status() : 0;
}

}  // namespace

TEST_CASE("a request is read with its body, and the next one behind it") {
  HttpRequestReader reader;
  reader.on_bytes(kHead + "Content-Length: 4\r\nX-Y:  z \r\n\r\nbodyPOST /other HTTP/1.1\r\nHost: h\r\n\r\n");
  REQUIRE(reader.state() == State::Headed);
  CHECK(reader.head().method == "POST");
  CHECK(reader.head().target == "/v1/messages");
  CHECK(*reader.head().field("x-y") == "z");
  CHECK(reader.head().keep_alive);
  reader.read_body(4);
  REQUIRE(reader.state() == State::Complete);
  CHECK(reader.take_body() == "body");
  reader.next();
  REQUIRE(reader.state() == State::Headed);
  CHECK(reader.head().target == "/other");
  CHECK(reader.head().field("x-y") == nullptr);
}

TEST_CASE("a body may come in pieces, and not be too large") {
  HttpRequestReader reader;
  reader.on_bytes(kHead + "Content-Length: 4\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n");
  CHECK_FALSE(reader.head().keep_alive);
  CHECK(reader.head().awaits_continue);
  reader.read_body(10);
  reader.on_bytes("bo");
  CHECK(reader.state() == State::Body);
  reader.on_bytes("dy");
  CHECK(reader.state() == State::Complete);
  HttpRequestReader large;
  large.on_bytes(kHead + "Content-Length: 11\r\n\r\n");
  large.read_body(10);
  CHECK(large.failure_status() == 413);
}

TEST_CASE("what two programs could read differently is refused") {
  CHECK(status_of(kHead + "Content-Length: 4\r\nContent-Length: 4\r\n\r\n") == 400);
  CHECK(status_of(kHead + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == 501);
  CHECK(status_of(kHead + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n") == 501);
  for (const char* length : {"+4", "-4", "0x4", "4,4", "4 4", "", "99999999999999999999"}) {
    CAPTURE(length);
    CHECK(status_of(kHead + "Content-Length: " + length + "\r\n\r\n") == 400);
  }
  for (const char* field : {"Content-Length : 4", " folded: x", "no colon", ": x", "a b: x", "X: \x01", "X: a\rb",
                            "X: \xc3\xa4", "Connection: upgrade"}) {
    CAPTURE(field);
    CHECK(status_of(kHead + field + "\r\n\r\n") == 400);
  }
  CHECK(status_of("POST /v1/messages HTTP/1.1\r\n\r\n") == 400);
  CHECK(status_of(kHead + "Host: other\r\n\r\n") == 400);
  CHECK(status_of(kHead + "X: y\n\r\n\r\n") == 400);
  CHECK(status_of("POST / HTTP/9.9\n\r\nHost: h\r\n\r\n") ==
        400);  // whatever else is wrong, as when it comes in pieces
  CHECK(status_of("POST /v1/messages HTTP/1.1\nHost: h\n\n") == 400);
  CHECK(status_of(kHead + "Expect: more\r\n\r\n") == 417);
}

TEST_CASE("request lines are of HTTP/1.1, and bounded") {
  for (const char* line : {"POST", "POST /", "POST  HTTP/1.1", " POST / HTTP/1.1", "PO ST / HTTP/1.1",
                           "EHLO app.example", "POST /a\tb HTTP/1.1", "POST / http/1.1"}) {
    CAPTURE(line);
    CHECK(status_of(std::string(line) + "\r\nHost: h\r\n\r\n") == 400);
  }
  CHECK(status_of("POST / HTTP/1.0\r\nHost: h\r\n\r\n") == 505);
  CHECK(status_of("PRI * HTTP/2.0\r\n\r\n") == 505);
  CHECK(status_of("POST /" + std::string(kMaxHttpTargetOctets, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n") == 414);
  CHECK(status_of(kHead + "X: " + std::string(kMaxHttpHeadOctets, 'a')) == 431);
  std::string many = kHead;
  for (std::size_t i = 0; i < kMaxHttpRequestFields; ++i) many += "X" + std::to_string(i) + ": y\r\n";
  CHECK(status_of(many + "\r\n") == 431);
}

TEST_CASE("what a client proves itself with is handed over, once, and is no field like others") {
  HttpRequestReader reader;
  reader.on_bytes(kHead + "Authorization:  Bearer wx_token \r\n\r\n");
  REQUIRE(reader.state() == State::Headed);
  CHECK(reader.head().field("authorization") == nullptr);
  const auto authorization = reader.take_authorization();
  REQUIRE(authorization);
  CHECK(authorization->reveal() == "Bearer wx_token");
  CHECK_FALSE(reader.take_authorization());
  CHECK(status_of(kHead + "Authorization: a\r\nAUTHORIZATION: a\r\n\r\n") == 400);
}

TEST_CASE("a client that does not wait for its answer is bounded") {
  HttpRequestReader reader;
  reader.on_bytes(kHead + "\r\n");
  REQUIRE(reader.state() == State::Headed);
  reader.on_bytes(std::string(kMaxWaitingHttpOctets + 1, 'x'));
  CHECK(reader.state() == State::Invalid);
}
