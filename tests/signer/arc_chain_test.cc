#include "signer/arc_chain.h"

#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <string>

#include "policy/tag_list.h"
#include "signer/arc_sealer.h"
#include "signer/body_hasher.h"
#include "signer/message_verifier.h"
#include "tests/keys/rfc8463_keys.h"
#include "tests/signer/signed_message.h"

namespace waxwing {
namespace {

using test::KeyRecords;

constexpr std::string_view kMessage =
    "From: joe@football.example.com\r\nTo: suzie@shopping.example.net\r\nSubject: dinner\r\n\r\nHi.\r\n";

const KeyRecords kRecords{{"arc._domainkey.lists.example", std::string(test::kRfc8463RsaRecord)},
                          {"ed._domainkey.lists.example", std::string(test::kRfc8463Ed25519Record)}};

StoredKey rsa_key() {
  static const auto key = std::make_shared<const SigningKey>(SigningKey::from_pem(test::kRfc8463Rsa).value());
  return {DomainName::parse("lists.example").value(), "arc", key, {}};
}

StoredKey ed25519_key() {
  static const auto key = std::make_shared<const SigningKey>(SigningKey::from_pem(test::kRfc8463Ed25519).value());
  return {DomainName::parse("lists.example").value(), "ed", key, {}};
}

ArcVerdict validated(std::string_view message, const KeyRecords& records = kRecords) {
  return test::verify_message(message, records, test::kRfc8463Time, 1'000).arc;
}

/// The message as it leaves a host that has found `chain` on it.
std::string sealed_after(std::string_view message, const ArcVerdict& chain, const StoredKey& key = rsa_key()) {
  const std::size_t header_end = message.find("\r\n\r\n") + 2;
  BodyHasher hasher(Canonicalization::Relaxed);
  hasher.update(message.substr(header_end + 2));
  const auto header = parse_header_block(message.substr(0, header_end)).value();
  const AuthenticationResults results{"lists.example",
                                      {{"arc", std::string(arc_result_name(chain.result)), "", "", {}}}};
  ArcSealingOptions options;
  options.now = test::kRfc8463Time;
  return seal_message(header, hasher.finish(), chain, results, key, options).value() + std::string(message);
}

std::string sealed(std::string_view message, const StoredKey& key = rsa_key()) {
  return sealed_after(message, validated(message), key);
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// Removes the first field of that name, folds included.
std::string without_field(std::string text, std::string_view name) {
  const std::size_t begin = text.find(name);
  REQUIRE(begin != std::string::npos);
  std::size_t end = text.find("\r\n", begin) + 2;
  while (text[end] == ' ') end = text.find("\r\n", end) + 2;
  return text.erase(begin, end - begin);
}

TEST_CASE("a message without ARC fields has no chain", "[arc_chain]") {
  const auto verdict = validated(kMessage);
  CHECK(verdict.result == ArcResult::None);
  CHECK(verdict.instances == 0);
}

TEST_CASE("what we seal validates, hop after hop", "[arc_chain]") {
  std::string message(kMessage);
  for (unsigned hop = 1; hop <= 5; ++hop) {
    message = sealed(message, hop % 2 == 0 ? ed25519_key() : rsa_key());
    const auto verdict = validated(message);
    INFO(verdict.detail);
    REQUIRE(verdict.result == ArcResult::Pass);
    CHECK(verdict.instances == hop);
    CHECK(verdict.oldest_pass == 0);
    CHECK(verdict.sealer == "lists.example");
  }
}

TEST_CASE("the fields of a set stand in tags of alphabetical order, and folds between them only", "[arc_chain]") {
  const std::string message = sealed(kMessage);
  const auto fields = parse_header_block(std::string_view(message).substr(0, message.find("\r\nFrom:") + 2)).value();
  REQUIRE(fields.size() == 3);
  const auto names = [](std::string_view value) {
    std::string text;
    const auto tags = TagList::parse(value).value();
    for (const TagList::Tag& tag : tags.tags()) {
      CHECK(tag.value.find("\r\n") == std::string::npos);
      text += tag.name + " ";
    }
    return text;
  };
  CHECK(names(fields[0].value) == "a b cv d i s t ");
  CHECK(names(fields[1].value) == "a b bh c d h i s t ");
  CHECK(fields[2].raw == "ARC-Authentication-Results: i=1; lists.example; arc=none\r\n");
}

TEST_CASE("a message that an earlier hop changed passes from the last change on", "[arc_chain]") {  // RFC 8617 §5.2
  const std::string first = sealed(kMessage);
  const auto chain = validated(first);
  const std::string second = sealed_after(replaced(first, "Subject: ", "Subject: [list] "), chain);
  const auto verdict = validated(second);
  INFO(verdict.detail);
  CHECK(verdict.result == ArcResult::Pass);
  CHECK(verdict.oldest_pass == 2);
}

TEST_CASE("a change after the last seal breaks the chain", "[arc_chain]") {
  const std::string message = sealed(sealed(kMessage));
  CHECK(validated(replaced(message, "Hi.", "Ho.")).result == ArcResult::Fail);
  CHECK(validated(replaced(message, "dinner", "supper")).result == ArcResult::Fail);
  CHECK(validated(replaced(message, "arc=none", "arc=pass")).result == ArcResult::Fail);
  CHECK(validated(replaced(message, "Subject:", "Subject: another\r\nSubject:")).result == ArcResult::Fail);
}

TEST_CASE("a chain whose structure is broken fails without a lookup", "[arc_chain]") {  // RFC 8617 §5.2 step 3
  const std::string one = sealed(kMessage);
  const std::string two = sealed(one);
  const std::string message = GENERATE_COPY(
      without_field(one, "ARC-Seal"), without_field(one, "ARC-Message-Signature"),
      without_field(one, "ARC-Authentication-Results"), without_field(two, "ARC-Seal"),
      without_field(two, "ARC-Authentication-Results"), "ARC-Seal: i=1; a=rsa-sha256\r\n" + one,
      "ARC-Authentication-Results: i=1; x; none\r\n" + one, replaced(one, "cv=none", "cv=pass"),
      replaced(one, "cv=none", "cv=None"), replaced(one, "cv=none; ", ""), replaced(two, "cv=pass", "cv=none"),
      replaced(one, "i=1; s=arc", "i=0; s=arc"), replaced(one, "i=1; s=arc", "i=51; s=arc"),
      replaced(one, "i=1; s=arc", "i=2; s=arc"), replaced(one, "i=1; s=arc", "s=arc"),
      replaced(one, "i=1; lists", "i=1 lists"), replaced(one, "i=1; lists", "lists"),
      replaced(one, "cv=none", "h=from; cv=none"), replaced(one, "a=rsa-sha256;", "a=rsa-sha1;"),
      replaced(one, "t=1528637909", "t="), std::string("ARC-Seal: nonsense\r\n") + std::string(kMessage));
  const auto verdict = validated(message, {});
  INFO(message << verdict.detail);
  CHECK(verdict.result == ArcResult::Fail);
  CHECK_FALSE(verdict.detail.empty());
  CHECK(verdict.detail.find("there is no key") == std::string::npos);
}

TEST_CASE("a signature over ARC-Seal is refused", "[arc_chain]") {  // RFC 8617 §4.1.2
  ArcSealingOptions options;
  options.now = test::kRfc8463Time;
  options.signed_fields.emplace_back("ARC-Seal");
  const auto header = parse_header_block("From: joe@football.example.com\r\n").value();
  const std::string hash = BodyHasher(Canonicalization::Relaxed).finish();
  const std::string once =
      seal_message(header, hash, {}, {"lists.example", {}}, rsa_key(), {.now = options.now}).value();
  const std::string message = once + "From: joe@football.example.com\r\n\r\n";
  const auto chain = validated(message);
  REQUIRE(chain.result == ArcResult::Pass);
  const std::string sealed_header = once + "From: joe@football.example.com\r\n";
  const auto both = parse_header_block(sealed_header).value();
  const std::string twice =
      seal_message(both, hash, chain, {"lists.example", {}}, rsa_key(), options).value() + message;
  const auto verdict = validated(twice);
  CHECK(verdict.result == ArcResult::Fail);
  CHECK(verdict.detail == "ARC-Message-Signature of instance 2: h= of the signature names ARC-Seal");
}

TEST_CASE("a key that cannot be looked up fails the chain for now", "[arc_chain]") {  // RFC 8617 §5.2.1
  const auto verdict = validated(sealed(kMessage), {{"arc._domainkey.lists.example", ""}});
  CHECK(verdict.result == ArcResult::Fail);
  CHECK(verdict.temporary);
  CHECK_FALSE(validated(sealed(kMessage), {}).temporary);
}

TEST_CASE("a broken chain is sealed as broken, and nothing is added after that", "[arc_chain]") {  // RFC 8617 §5.1
  const std::string broken = replaced(sealed(kMessage), "Hi.", "Ho.");
  const std::string closed = sealed(broken);
  CHECK(closed.find("cv=fail; d=lists.example; i=2;") != std::string::npos);
  const auto verdict = validated(closed, {});
  CHECK(verdict.result == ArcResult::Fail);
  CHECK(verdict.closed);
  CHECK(sealed_after(closed, verdict) == closed);
}

TEST_CASE("the seal of a broken chain covers its own set alone", "[arc_chain]") {  // RFC 8617 §5.1.2
  ArcVerdict broken;
  broken.result = ArcResult::Fail;
  broken.instances = 1;
  const std::string first = sealed(kMessage);
  const std::string seal = sealed_after(first, broken).substr(0, 400);
  CHECK(sealed_after(without_field(first, "ARC-Seal"), broken).substr(0, 400) == seal);
}

TEST_CASE("fifty sets are the most", "[arc_chain]") {  // RFC 8617 §4.2.1
  std::string message(kMessage);
  for (unsigned hop = 0; hop < kMaxArcInstance; ++hop) message = sealed(message, ed25519_key());
  const auto verdict = validated(message);
  INFO(verdict.detail);
  CHECK(verdict.result == ArcResult::Pass);
  CHECK(verdict.instances == kMaxArcInstance);
  const std::string header_block = message.substr(0, message.find("\r\n\r\n") + 2);
  const auto header = parse_header_block(header_block).value();
  const auto more = seal_message(header, std::string(32, 'x'), verdict, {"a.example", {}}, rsa_key(), {});
  REQUIRE_FALSE(more);
  CHECK(more.error().kind == ErrorKind::Denied);
}

TEST_CASE("a list of fields that fills no line is folded at colons", "[arc_chain]") {
  std::string header = "From: joe@football.example.com\r\n";
  for (int i = 0; i < 100; ++i) header += "Resent-Message-ID: <a@b.example>\r\n";
  const std::string message = sealed(header + "\r\nHi.\r\n");
  CHECK(validated(message).result == ArcResult::Pass);
  for (std::size_t at = 0; at < message.size(); at = message.find("\r\n", at) + 2)
    CHECK(message.find("\r\n", at) - at <= 998);
}

}  // namespace
}  // namespace waxwing
