#include "signer/service/signed_octets.h"

#include <catch2/catch.hpp>
#include <string>

#include "signer/arc_sealer.h"
#include "tests/signer/service/signing_samples.h"

namespace waxwing {
namespace {

using test::domain;

const SigningName kKey{domain("sender.example"), "s1", DkimKeyType::Ed25519};

Result<void> check(const std::string& octets, const std::optional<DomainName>& forwarding = std::nullopt) {
  return check_signed_octets(octets, kKey, forwarding);
}

void check_denied(const std::string& octets, const std::string& word) {
  const auto result = check(octets, domain("sender.example"));
  CAPTURE(octets);
  REQUIRE_FALSE(result);
  CAPTURE(result.error().detail);
  CHECK(result.error().kind == ErrorKind::Denied);
  CHECK(result.error().detail.find(word) != std::string::npos);
}

std::string sample() {
  return test::octets_to_sign(test::stored_key());
}

std::string changed(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

TEST_CASE("what the relay signs may be signed") {
  CHECK(check(sample()));
  CHECK(check(test::octets_to_sign(test::stored_key(), "Ann <ann@news.sender.example>")));
}

TEST_CASE("mail of another author is not signed") {
  check_denied(test::octets_to_sign(test::stored_key(), "ann@other.example"), "its author is of other.example");
  check_denied(test::octets_to_sign(test::stored_key(), "a@sender.example, b@other.example"), "other.example");
  check_denied(test::octets_to_sign(test::stored_key(), "a@notsender.example"), "notsender.example");
  check_denied(changed(sample(), "from:ann", "from:ann@sender.example\r\nfrom:ann"), "exactly one From");
  check_denied(changed(sample(), "from:ann", "x:ann"), "exactly one From");
  check_denied(changed(sample(), "from:ann@sender.example", "from:"), "no author");
}

TEST_CASE("a signature in another key's name is not made") {
  check_denied(changed(sample(), "d=sender.example", "d=other.example"), "name another key");
  check_denied(changed(sample(), "s=s1", "s=s2"), "name another key");
  check_denied(changed(sample(), "a=ed25519-sha256", "a=rsa-sha256"), "algorithm");
  check_denied(changed(sample(), "a=ed25519-sha256", "a=ed25519-sha1"), "algorithm");
}

TEST_CASE("tags that weaken a signature are refused") {
  check_denied(changed(sample(), "v=1;", "v=1; l=0;"), "l=");
  check_denied(changed(sample(), "v=1;", "v=1; i=ceo@sender.example;"), "i=");
  check_denied(changed(sample(), "v=1;", ""), "version 1");
  check_denied(changed(sample(), "bh=", "bh=AAAA"), "bh=");
  check_denied(changed(sample(), "c=relaxed", "c=simple"), "relaxed");
  check_denied(sample() + "AAAA", "b= is not empty");
}

TEST_CASE("octets that are no header to sign are refused") {
  check_denied("", "no header");
  check_denied("anything", "no header");
  check_denied(std::string(32, '\xAB'), "no header");
  check_denied("from:ann@sender.example", "no signature");
  check_denied(sample() + "\r\nx:y", "no signature");
  check_denied(changed(sample(), "subject:", std::string("subject:\0", 9)), "no header");
  check_denied(changed(sample(), "subject:", "subject:\n"), "no header");
  std::string many;
  for (int i = 0; i < 5'000; ++i) many += "x:y\r\n";
  check_denied(many + sample(), "too many");
}

TEST_CASE("a chain is sealed with the key of the forwarding domain, and no other") {
  const auto fields = parse_header_block("From: a@elsewhere.example\r\n").value();
  ArcSealingOptions options;
  options.now = test::kSigningTime;
  BodyHasher hasher(Canonicalization::Relaxed);
  AuthenticationResults results;
  results.authserv_id = "relay.example";
  auto draft = ArcSetDraft::begin(fields, hasher.finish(), ArcVerdict{}, results, kKey.domain, "s1",
                                  DkimKeyType::Ed25519, options)
                   .value();
  const std::string message = draft.message_octets();
  const std::string seal = draft.seal_octets("signature");
  for (const std::string& octets : {message, seal}) {
    CHECK(check(octets, domain("sender.example")));
    CHECK(check(octets).error().kind == ErrorKind::Denied);
    CHECK(check(octets, domain("other.example")).error().kind == ErrorKind::Denied);
  }
  check_denied(changed(message, "bh=", "l=0; bh="), "l=");
  check_denied(changed(seal, "cv=none;", ""), "no seal");
}

}  // namespace
}  // namespace waxwing
