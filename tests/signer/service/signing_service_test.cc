#include "signer/service/signing_service.h"

#include <catch2/catch.hpp>
#include <string>

#include "keys/verifying_key.h"
#include "tests/signer/service/signing_samples.h"

namespace waxwing {
namespace {

using test::domain;
using test::stored_key;

constexpr MonotonicTime kStart{Milliseconds(1'000'000)};

std::optional<Error> refusal(const SigningAnswer& answer) {
  const auto* refused = std::get_if<RefusedAnswer>(&answer);
  return refused == nullptr ? std::optional<Error>() : refused->error;
}

TEST_CASE("the service signs with the key that was named") {
  SigningService service({});
  const StoredKey key = stored_key();
  service.set_keys({stored_key("other.example"), key, stored_key("sender.example", "s2")});
  const SignRequest request = test::sign_request(key);
  const SigningAnswer answer = service.answer(request, kStart);
  REQUIRE(std::holds_alternative<SignatureAnswer>(answer));
  DkimKeyRecord record;
  record.type = DkimKeyType::Ed25519;
  record.public_key = key.key->public_key();
  CHECK(
      VerifyingKey::from_record(record).value().verifies(request.octets, std::get<SignatureAnswer>(answer).signature));
}

TEST_CASE("a key that there is not, and mail of another domain, are refused") {
  SigningService service({});
  const StoredKey key = stored_key();
  service.set_keys({key});
  CHECK(refusal(service.answer(test::sign_request(stored_key("sender.example", "s2")), kStart))->kind ==
        ErrorKind::NotFound);
  CHECK(refusal(service.answer(test::sign_request(key, "ann@other.example"), kStart))->kind == ErrorKind::Denied);
  service.set_keys({});
  CHECK(refusal(service.answer(test::sign_request(key), kStart))->kind == ErrorKind::NotFound);
}

TEST_CASE("a domain signs so much in a minute, and other domains are not held up by it") {
  SigningService::Options options;
  options.max_signatures = 60;
  SigningService service(options);
  const StoredKey key = stored_key();
  const StoredKey other = stored_key("other.example");
  service.set_keys({key, other});
  for (int i = 0; i < 60; ++i) CHECK_FALSE(refusal(service.answer(test::sign_request(key), kStart)));
  CHECK(refusal(service.answer(test::sign_request(key), kStart))->kind == ErrorKind::Exhausted);
  CHECK_FALSE(refusal(service.answer(test::sign_request(other, "a@other.example"), kStart)));
  // One a second comes back, and after an idle hour no more than a minute's worth.
  CHECK_FALSE(refusal(service.answer(test::sign_request(key), kStart + Seconds(1))));
  CHECK(refusal(service.answer(test::sign_request(key), kStart + Seconds(1))));
  for (int i = 0; i < 60; ++i) CHECK_FALSE(refusal(service.answer(test::sign_request(key), kStart + Seconds(3'600))));
  CHECK(refusal(service.answer(test::sign_request(key), kStart + Seconds(3'600))));
}

TEST_CASE("refused requests use up nothing") {
  SigningService::Options options;
  options.max_signatures = 1;
  SigningService service(options);
  const StoredKey key = stored_key();
  service.set_keys({key});
  for (int i = 0; i < 10; ++i) CHECK(refusal(service.answer(test::sign_request(key, "ann@other.example"), kStart)));
  CHECK_FALSE(refusal(service.answer(test::sign_request(key), kStart)));
}

TEST_CASE("a domain with a rule signs for its tenants only, the longest domain deciding") {
  SigningService::Options options;
  options.rules = {{domain("example"), {"hoster"}}, {domain("sender.example"), {"acme", "shop"}}};
  SigningService service(options);
  const StoredKey key = stored_key();
  const StoredKey other = stored_key("other.example");
  service.set_keys({key, other});
  SignRequest request = test::sign_request(key);
  for (const char* tenant : {"acme", "shop", ""}) {
    request.tenant = tenant;
    CHECK_FALSE(refusal(service.answer(request, kStart)));
  }
  for (const char* tenant : {"hoster", "acm", "Acme"}) {
    request.tenant = tenant;
    CHECK(refusal(service.answer(request, kStart))->kind == ErrorKind::Denied);
  }
  SignRequest of_other = test::sign_request(other, "a@other.example");
  of_other.tenant = "hoster";
  CHECK_FALSE(refusal(service.answer(of_other, kStart)));
}

TEST_CASE("the public halves are listed in pages, under a generation that says whether they changed") {
  SigningService service({});
  std::vector<StoredKey> keys;
  for (std::size_t i = 0; i < kMaxListedKeys + 3; ++i)
    keys.push_back(stored_key("sender.example", "s" + std::to_string(i)));
  service.set_keys(keys);
  const auto first = std::get<ListAnswer>(service.answer(ListRequest{0, 0}, kStart));
  CHECK(first.total == keys.size());
  CHECK(first.keys.size() == kMaxListedKeys);
  CHECK(first.keys.front().public_key == keys.front().key->public_key());
  const auto rest = std::get<ListAnswer>(
      service.answer(ListRequest{first.generation, static_cast<std::uint32_t>(kMaxListedKeys)}, kStart));
  CHECK(rest.keys.size() == 3);
  CHECK(std::get<ListAnswer>(service.answer(ListRequest{first.generation, 0}, kStart)).keys.empty());
  CHECK(std::get<ListAnswer>(service.answer(ListRequest{0, 4'000'000'000U}, kStart)).keys.empty());

  service.set_keys(keys);
  CHECK(std::get<ListAnswer>(service.answer(ListRequest{}, kStart)).generation == first.generation);
  keys.pop_back();
  service.set_keys(keys);
  CHECK(std::get<ListAnswer>(service.answer(ListRequest{}, kStart)).generation != first.generation);
}

}  // namespace
}  // namespace waxwing
