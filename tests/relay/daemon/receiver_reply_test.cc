#include "relay/daemon/receiver_reply.h"

#include <catch2/catch.hpp>
#include <string>

namespace waxwing {
namespace {

FirstOutcome outcome(std::string status, std::string reply) {
  return {FirstOutcome::Kind::Refused, "mx.far.example", std::move(status), std::move(reply), "our own sentence"};
}

TEST_CASE("a client that waits gets code, status and text of its receiver") {
  CHECK(receiver_refusal(outcome("5.1.1", "553 5.1.1 no such user")).str() ==
        "553 5.1.1 no such user (mx.far.example)\r\n");
  CHECK(receiver_acceptance(outcome("2.6.0", "250 2.6.0 Ok: queued as 4F2"), QueueId(7)).str() ==
        "250 2.6.0 Ok: queued as 4F2 (mx.far.example); queued here as 0000000000007\r\n");
}

TEST_CASE("a receiver without statuses loses nothing of its text") {
  CHECK(receiver_refusal(outcome("5.0.0", "550 1.2 million reasons")).str() ==
        "550 5.0.0 1.2 million reasons (mx.far.example)\r\n");
  CHECK(receiver_refusal(outcome("5.0.0", "554")).str() == "554 5.0.0  (mx.far.example)\r\n");
}

TEST_CASE("where no host refused it, the client gets our sentence") {
  CHECK(receiver_refusal(outcome("5.1.10", "")).str() == "550 5.1.10 our own sentence\r\n");
  CHECK(receiver_refusal(outcome("4.1.1", "250 ok")).str() == "550 5.0.0 our own sentence\r\n");
}

TEST_CASE("nothing that a receiver says makes more than one line of a reply") {
  const std::string text(5'000, 'x');
  const std::string reply = receiver_refusal(outcome("5.1.1", "550 5.1.1 a\r\n250 forged \xff" + text)).str();
  CHECK(reply.size() <= 512);
  CHECK(reply.find('\n') == reply.size() - 1);
  CHECK(reply.starts_with("550 5.1.1 a"));
}

}  // namespace
}  // namespace waxwing
