#include "signer/service/signing_session.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/signer/service/signing_samples.h"

namespace waxwing {
namespace {

using test::stored_key;

constexpr MonotonicTime kNow{Milliseconds(1'000'000)};

std::vector<SigningFrame<SigningAnswer>> answers_in(std::string_view octets) {
  FrameReader reader;
  reader.append(octets);
  std::vector<SigningFrame<SigningAnswer>> answers;
  while (const auto frame = reader.next().value()) answers.push_back(decode_answer(*frame).value());
  return answers;
}

struct Connected {
  Connected() { service.set_keys({key}); }
  StoredKey key = stored_key();
  SigningService service{{}};
  SigningSession session{service};

  std::string send(std::string_view octets, MonotonicTime now) {
    std::string answers;
    session.append(octets);
    while (const auto answer = session.next(now)) answers += *answer;
    return answers;
  }
};

TEST_CASE("requests and answers survive the wire") {
  Connected peer;
  const SignRequest sign{test::domain("sender.example"), "s1", "acme", "from:x"};
  const std::string text = encode_request(7, sign).substr(4);
  const auto read = decode_request(text).value();
  CHECK(read.id == 7);
  const auto& again = std::get<SignRequest>(read.content);
  CHECK(again.domain == sign.domain);
  CHECK(again.selector == "s1");
  CHECK(again.tenant == "acme");
  CHECK(again.octets == "from:x");
  const auto list =
      std::get<ListRequest>(decode_request(encode_request(8, ListRequest{5, 6}).substr(4)).value().content);
  CHECK((list.known_generation == 5 && list.first == 6));
  const Error error{ErrorKind::Exhausted, "too much"};
  const auto refused =
      std::get<RefusedAnswer>(decode_answer(encode_answer(9, RefusedAnswer{error}).substr(4)).value().content);
  CHECK((refused.error.kind == error.kind && refused.error.detail == error.detail));
}

TEST_CASE("requests that were sent without waiting are answered in order, however they arrive") {
  Connected peer;
  std::string wire;
  for (std::uint32_t id = 1; id <= 5; ++id) wire += encode_request(id, test::sign_request(peer.key));
  wire += encode_request(6, ListRequest{});
  const std::size_t step = GENERATE(as<std::size_t>(), 1, 7, 100'000);
  std::string sent;
  for (std::size_t at = 0; at < wire.size(); at += step) sent += peer.send(wire.substr(at, step), kNow);
  const auto answers = answers_in(sent);
  REQUIRE(answers.size() == 6);
  for (std::uint32_t id = 1; id <= 6; ++id) CHECK(answers[id - 1].id == id);
  CHECK(std::holds_alternative<SignatureAnswer>(answers[4].content));
  CHECK(std::get<ListAnswer>(answers[5].content).keys.size() == 1);
  CHECK_FALSE(peer.session.is_over());
  CHECK(peer.session.take_refusals().empty());
}

TEST_CASE("a refused request is told to both sides, and the connection goes on") {
  Connected peer;
  const std::string wire = encode_request(1, test::sign_request(peer.key, "ann@other.example")) +
                           encode_request(2, test::sign_request(peer.key));
  const auto answers = answers_in(peer.send(wire, kNow));
  REQUIRE(answers.size() == 2);
  CHECK(std::get<RefusedAnswer>(answers[0].content).error.kind == ErrorKind::Denied);
  CHECK(std::holds_alternative<SignatureAnswer>(answers[1].content));
  const auto refusals = peer.session.take_refusals();
  REQUIRE(refusals.size() == 1);
  CHECK(refusals[0].domain == "sender.example");
  CHECK(peer.session.take_refusals().empty());
}

TEST_CASE("what is no frame ends the connection, and nothing after it is looked at") {
  Connected peer;
  const std::string good = encode_request(1, test::sign_request(peer.key));
  std::string later_version = good;
  later_version[4] = 2;
  std::string unknown_kind = good;
  unknown_kind[5] = 77;
  const std::string bad =
      GENERATE_COPY(std::string("GET / HTTP/1.1\r\n\r\n"), std::string("\x00\x00\x00\x05hello", 9),
                    std::string("\xFF\xFF\xFF\xFFx", 5), std::string("\x00\x00\x00\x06\x01\x01\x00\x00\x00\x01", 10),
                    later_version, unknown_kind, encode_request(1, ListRequest{}).replace(3, 1, "\x13") + "x");
  const auto answers = answers_in(peer.send(good + bad + good, kNow));
  REQUIRE(answers.size() == 2);
  CHECK(std::holds_alternative<SignatureAnswer>(answers[0].content));
  CHECK(std::get<RefusedAnswer>(answers[1].content).error.kind == ErrorKind::Malformed);
  CHECK(answers[1].id == 0);
  CHECK(peer.session.is_over());
  CHECK(peer.send(good, kNow).empty());
}

TEST_CASE("refusals of a flood are kept up to a limit") {
  Connected peer;
  std::string wire;
  for (std::uint32_t id = 0; id < 100; ++id)
    wire += encode_request(id, test::sign_request(peer.key, "a@other.example"));
  CHECK(answers_in(peer.send(wire, kNow)).size() == 100);
  CHECK(peer.session.take_refusals().size() == SigningSession::kMaxKeptRefusals);
}

TEST_CASE("names that are not spelled as ours are refused") {
  Connected peer;
  std::string wire = encode_request(1, test::sign_request(peer.key));
  wire[11] = 'S';  // of "sender.example"
  const auto answers = answers_in(peer.send(wire, kNow));
  CHECK(std::get<RefusedAnswer>(answers.at(0).content).error.kind == ErrorKind::Malformed);
}

TEST_CASE("an answer that is no answer is refused") {
  const std::string good = encode_answer(1, SignatureAnswer{std::string(64, 'x')}).substr(4);
  CHECK(decode_answer(good));
  CHECK_FALSE(decode_answer(good.substr(0, 6)));
  CHECK_FALSE(decode_answer(good + std::string(2'000, 'x')));
  const ListedKey key{
      test::domain("sender.example"), "s1", DkimKeyType::Rsa, 2'048, std::string(32, 'k'), test::kSigningTime};
  const std::string list = encode_answer(1, ListAnswer{1, 1, {key}}).substr(4);
  CHECK(std::get<ListAnswer>(decode_answer(list).value().content).keys.at(0).size_bits == 2'048);
  for (std::size_t size = 0; size < list.size(); ++size) CHECK_FALSE(decode_answer(list.substr(0, size)));
  CHECK_FALSE(decode_answer(list + "x"));
}

}  // namespace
}  // namespace waxwing
