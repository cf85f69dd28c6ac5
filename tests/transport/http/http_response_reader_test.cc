#include "transport/http/http_response_reader.h"

#include <catch2/catch.hpp>

using namespace waxwing;
using State = HttpResponseReader::State;

namespace {

constexpr std::size_t kMaxBody = 1'000;

/// Feeds in pieces, then ends the stream.
Result<HttpResponse> read(std::string_view octets, std::size_t piece = 100'000) {
  HttpResponseReader reader(kMaxBody);
  for (std::size_t at = 0; at < octets.size(); at += piece) reader.feed(octets.substr(at, piece));
  reader.end_of_stream();
  REQUIRE(reader.state() == State::Done);
  return reader.take_result();
}

const std::string kHead = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";

}  // namespace

TEST_CASE("a response with Content-Length is read, however the network cuts it", "[http]") {
  const auto response = read(
      "HTTP/1.1 200 OK\r\nServer: example\r\nContent-Type: Text/Plain; charset=utf-8\r\ncontent-length: 5\r\n\r\nhello",
      GENERATE(1U, 3U, 1'000U));
  REQUIRE(response);
  CHECK(response->status == 200);
  CHECK(response->media_type == "text/plain");
  CHECK(response->body == "hello");
}

TEST_CASE("a chunked response is read, with extensions and trailers passed over", "[http]") {
  const auto response = read(kHead +
                                 "Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n00A;name=\"value\"\r\n0123456789\r\n"
                                 "0\r\nContent-Length: 7\r\n\r\n",
                             GENERATE(1U, 3U, 1'000U));
  REQUIRE(response);
  CHECK(response->body == "hello0123456789");
}

TEST_CASE("a response without framing lasts until the end of the stream", "[http]") {
  HttpResponseReader reader(kMaxBody);
  CHECK(reader.feed("HTTP/1.0 200 OK\r\n\r\nversion: STSv1\r\n") == State::Reading);
  CHECK(reader.feed("mode: none\r\n") == State::Reading);
  CHECK(reader.end_of_stream() == State::Done);
  const auto response = reader.take_result();
  REQUIRE(response);
  CHECK(response->body == "version: STSv1\r\nmode: none\r\n");
  CHECK(response->media_type.empty());
}

TEST_CASE("a framed response is done before the stream ends, and what follows is dropped", "[http]") {
  HttpResponseReader reader(kMaxBody);
  CHECK(reader.feed(kHead + "Content-Length: 2\r\n\r\nokHTTP/1.1 500 second\r\n\r\n") == State::Done);
  CHECK(reader.feed("more") == State::Done);
  CHECK(reader.take_result()->body == "ok");
}

TEST_CASE("responses that never have a body end with their header", "[http]") {
  const auto* status = GENERATE("204 No Content", "304 Not Modified");
  HttpResponseReader reader(kMaxBody);
  CHECK(reader.feed("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: 5\r\n\r\n") == State::Done);
  CHECK(reader.take_result()->body.empty());
  CHECK(HttpResponseReader(kMaxBody).feed(kHead + "Content-Length: 0\r\n\r\n") == State::Done);
}

TEST_CASE("a few interim responses are passed over, and their fields mean nothing", "[http]") {
  const std::string early = "HTTP/1.1 103 Early Hints\r\nContent-Length: 99\r\nContent-Type: text/html\r\n\r\n";
  const auto response = read(early + early + kHead + "Content-Length: 2\r\n\r\nok");
  REQUIRE(response);
  CHECK(response->body == "ok");
  CHECK(response->media_type == "text/plain");
  CHECK_FALSE(read(early + early + early + early + early + kHead + "\r\n"));
  CHECK_FALSE(read("HTTP/1.1 101 Switching Protocols\r\n\r\n" + kHead + "\r\n"));
}

TEST_CASE("equal repeated Content-Length fields count once", "[http]") {
  CHECK(read(kHead + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok")->body == "ok");
  CHECK(read(kHead + "Content-Length: 2, 2\r\n\r\nok")->body == "ok");
}

TEST_CASE("a status line without a reason is read", "[http]") {
  CHECK(read("HTTP/1.1 200\r\n\r\nok")->status == 200);
  CHECK(read("HTTP/1.1 404 \r\n\r\nok")->status == 404);
}

TEST_CASE("what two readers could understand differently is refused", "[http]") {
  const std::string response = GENERATE_COPY(
      // line ends and octets
      std::string("HTTP/1.1 200 OK\nContent-Length: 2\n\nok"), kHead + "Content-Length: 2\r\n\nok",
      kHead + "X: a\rb\r\n\r\n", kHead + "X: a\r\r\n\r\n", kHead + std::string("X: a\0b\r\n\r\n", 10),
      kHead + "X: a\x01\r\n\r\n", kHead + "X: a\x7f\r\n\r\n",
      // fields
      kHead + "X: a\r\n folded\r\n\r\n", kHead + " X: a\r\n\r\n", kHead + "X : a\r\n\r\n", kHead + "no colon\r\n\r\n",
      kHead + ": no name\r\n\r\n", kHead + "X(: a\r\n\r\n", kHead + "Content-Type: text/html\r\n\r\n",
      std::string("HTTP/1.1 200 OK\r\nContent-Type: text\r\n\r\n"), kHead + "Content-Encoding: gzip\r\n\r\n",
      // framing
      kHead + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nok", kHead + "Content-Length: 2, 3\r\n\r\nok",
      kHead + "Content-Length: +2\r\n\r\nok", kHead + "Content-Length: -2\r\n\r\nok",
      kHead + "Content-Length: 0x2\r\n\r\nok", kHead + "Content-Length: \r\n\r\nok",
      kHead + "Content-Length: 2 2\r\n\r\nok", kHead + "Content-Length: 99999999999999999999999\r\n\r\nok",
      kHead + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      kHead + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", kHead + "Transfer-Encoding: identity\r\n\r\n",
      kHead + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      std::string("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
  INFO(response);
  const auto result = read(response, GENERATE(1U, 1'000U));
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::Malformed);
}

TEST_CASE("chunk framing that cannot be read is refused", "[http]") {
  const std::string body = GENERATE(as<std::string>(), "\r\n", "x\r\n", "-1\r\na\r\n", "0x1\r\na\r\n", " 1\r\na\r\n",
                                    "1 \r\na\r\n", "1\na\r\n", "1\r\nab\r\n", "1\r\na\n", "fffffffffffffffff\r\na\r\n",
                                    "1;a\x01\r\na\r\n", "0\r\nno colon\r\n\r\n", "0\r\n folded\r\n\r\n");
  INFO(body);
  const auto result = read(kHead + "Transfer-Encoding: chunked\r\n\r\n" + body);
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::Malformed);
}

TEST_CASE("what does not begin with an HTTP/1.x status line is refused", "[http]") {
  const std::string line =
      GENERATE(as<std::string>(), "", "220 mx.example ESMTP", "HTTP/2 200", "HTTP/1.2 200 OK", "http/1.1 200 OK",
               "HTTP/1.1  200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 +20 OK", "HTTP/1.1 099 OK",
               "HTTP/1.1 600 OK", "HTTP/1.1 200OK", "HTTP/1.1 200 \x01", " HTTP/1.1 200 OK");
  INFO(line);
  const auto result = read(line + "\r\n\r\n");
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::Malformed);
}

TEST_CASE("a response that ends too early is truncated, never taken for complete", "[http]") {
  const std::string whole =
      GENERATE_COPY(kHead + "Content-Length: 5\r\n\r\nhello",
                    kHead + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nTrailer: x\r\n\r\n");
  REQUIRE(read(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto result = read(std::string_view(whole).substr(0, size));
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::Unavailable);
  }
}

TEST_CASE("a body over the limit is refused before it is read or kept", "[http]") {
  HttpResponseReader announced(kMaxBody);
  CHECK(announced.feed(kHead + "Content-Length: 1001\r\n\r\n") == State::Done);
  CHECK(announced.take_result().error().kind == ErrorKind::Exhausted);
  CHECK(read(kHead + "Content-Length: 1000\r\n\r\n" + std::string(1'000, 'x')));
  const std::string large(1'001, 'x');
  CHECK(read(kHead + "\r\n" + large).error().kind == ErrorKind::Exhausted);
  CHECK(read(kHead + "Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + large + "\r\n0\r\n\r\n").error().kind ==
        ErrorKind::Exhausted);
}

TEST_CASE("lines, fields and chunks are bounded", "[http]") {
  CHECK_FALSE(read(kHead + "X: " + std::string(kMaxHttpLineOctets, 'x') + "\r\n\r\n"));
  std::string many = kHead;
  for (std::size_t i = 0; i < kMaxHttpFields; ++i) many += "X: y\r\n";
  CHECK_FALSE(read(many + "\r\n"));
  std::string extensions = kHead + "Transfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 100; ++i) extensions += "1;" + std::string(1'000, 'x') + "\r\na\r\n";
  CHECK_FALSE(read(extensions + "0\r\n\r\n"));
  HttpResponseReader endless(kMaxBody);
  std::size_t taken = 0;
  while (endless.state() == State::Reading && taken < 1'000'000) {
    endless.feed("HTTP/1.1 200 OK");
    taken += 15;
  }
  CHECK(endless.state() == State::Done);
  CHECK(taken <= kMaxHttpLineOctets + 15);
}
