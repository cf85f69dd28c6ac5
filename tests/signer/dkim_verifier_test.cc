#include "signer/dkim_verifier.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "policy/base64.h"
#include "signer/body_hasher.h"
#include "signer/dkim_signer.h"
#include "signer/message_verifier.h"
#include "tests/keys/rfc8463_keys.h"
#include "tests/signer/signed_message.h"

namespace waxwing {
namespace {

using test::KeyRecords;
using test::kRfc8463Body;
using test::kRfc8463Ed25519Signature;
using test::kRfc8463Header;
using test::kRfc8463RsaSignature;
using test::rfc8463_records;

const std::string kTestKey = "test._domainkey.football.example.com";

std::string message_with(std::string_view signatures, std::string_view body = kRfc8463Body) {
  return std::string(signatures) + std::string(kRfc8463Header) + "\r\n" + std::string(body);
}

DkimVerdict sole_verdict(const std::string& message, const KeyRecords& records = rfc8463_records(),
                         WallTime now = test::kRfc8463Time) {
  const auto verdicts = test::verify_message(message, records, now).dkim;
  REQUIRE(verdicts.size() == 1);
  return verdicts.front();
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// A message signed by ourselves with the RSA key of RFC 8463.
std::string signed_message(std::string_view header, std::string_view body, const DkimSigningOptions& options) {
  BodyHasher hasher(options.body_canonicalization);
  hasher.update(body);
  const auto fields = parse_header_block(header).value();
  const StoredKey key{DomainName::parse("football.example.com").value(),
                      "test",
                      std::make_shared<const SigningKey>(SigningKey::from_pem(test::kRfc8463Rsa).value()),
                      {}};
  return sign_message(fields, hasher.finish(), {&key, 1}, options).value() + std::string(header) + "\r\n" +
         std::string(body);
}

DkimSigningOptions options_now() {
  DkimSigningOptions options;
  options.now = test::kRfc8463Time;
  return options;
}

/// The RSA signature of RFC 8463 with some tag changed or added, which breaks it; for faults that come before the key.
std::string with_tag(std::string_view from, std::string_view to) {
  return message_with(replaced(std::string(kRfc8463RsaSignature), from, to));
}

TEST_CASE("both signatures of RFC 8463 verify", "[dkim_verifier]") {  // RFC 8463 §A.3
  const std::string both = std::string(kRfc8463Ed25519Signature) + std::string(kRfc8463RsaSignature);
  const auto verdicts = test::verify_message(message_with(both), rfc8463_records()).dkim;
  REQUIRE(verdicts.size() == 2);
  CHECK(verdicts[0].result == DkimResult::Pass);
  CHECK(verdicts[0].signature.algorithm == "ed25519-sha256");
  CHECK(verdicts[0].key_bits == 256);
  CHECK(verdicts[1].result == DkimResult::Pass);
  CHECK(verdicts[1].signature.domain == "football.example.com");
  CHECK(verdicts[1].signature.selector == "test");
  CHECK(verdicts[1].signature.identity == "@football.example.com");
  CHECK(verdicts[1].key_bits == 1'024);
}

TEST_CASE("how a message is cut does not change its verdicts", "[dkim_verifier]") {
  const std::size_t chunk = GENERATE(1U, 2U, 3U, 64U, 10'000U);
  const auto verdicts =
      test::verify_message(message_with(kRfc8463RsaSignature), rfc8463_records(), test::kRfc8463Time, chunk).dkim;
  CHECK(verdicts.at(0).result == DkimResult::Pass);
}

TEST_CASE("what we sign we verify, in every canonical form", "[dkim_verifier]") {
  DkimSigningOptions options = options_now();
  options.header_canonicalization = GENERATE(Canonicalization::Simple, Canonicalization::Relaxed);
  options.body_canonicalization = GENERATE(Canonicalization::Simple, Canonicalization::Relaxed);
  const std::string body = GENERATE(as<std::string>(), "", "\r\n\r\n", "a  b \t\r\n\r\n\r\n", "no end", "\xc3\xa4\r\n");
  const std::string header = "To: x\r\nFrom: a@football.example.com\r\nSubject:  folded\r\n\t twice \r\n";
  CHECK(sole_verdict(signed_message(header, body, options)).result == DkimResult::Pass);
}

TEST_CASE("an unsigned message has no verdicts", "[dkim_verifier]") {
  CHECK(test::verify_message(message_with(""), {}).dkim.empty());
}

TEST_CASE("a changed body fails without a lookup", "[dkim_verifier]") {
  const auto verdict = sole_verdict(message_with(kRfc8463RsaSignature, "Hi!\r\n"), {});
  CHECK(verdict.result == DkimResult::Fail);
  CHECK(verdict.detail == "the body was changed");
}

TEST_CASE("a changed, added or removed signed field fails", "[dkim_verifier]") {
  const std::string message = message_with(kRfc8463RsaSignature);
  CHECK(sole_verdict(replaced(message, "dinner", "supper")).result == DkimResult::Fail);
  CHECK(sole_verdict(replaced(message, "\r\n\r\n", "\r\nSubject: another\r\n\r\n")).result == DkimResult::Fail);
  CHECK(sole_verdict(replaced(message, "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n", "")).result ==
        DkimResult::Fail);
}

TEST_CASE("a signature that breaks the grammar is a permanent error", "[dkim_verifier]") {
  const auto [from, to] = GENERATE(table<std::string, std::string>({
      {"v=1; ", ""},
      {"v=1;", "v=2;"},
      {"a=rsa-sha256", "a=rsa-md5"},
      {"a=rsa-sha256", "A=rsa-sha256"},
      {"c=relaxed/relaxed", "c=future/relaxed"},
      {"c=relaxed/relaxed", "c="},
      {"d=football.example.com;", "d=foot_ball..com;"},
      {"d=football.example.com;", "d=com;"},
      {"i=@football.example.com", "i=@example.com"},
      {"i=@football.example.com", "i=joe"},
      {"q=dns/txt", "q=http"},
      {"s=test;", "s=;"},
      {"s=test;", "s=a b;"},
      {"t=1528637909", "t=icecream"},
      {"t=1528637909", "t=-1"},
      {"t=1528637909;", "t=1528637909; x=1528637909;"},
      {"h=from :", "h=fram :"},
      {"message-id : from", "message-id : fram"},
      {"bh=2jUSOH9N", "bh=2jUS"},
      {"bh=2jUSOH9N", "xh=2jUSOH9N"},
      {"b=F45dVWDf", "b=F45dVWD!"},
      {"v=1;", "v=1; v=1;"},
      {"v=1;", "v=1;;"},
      {"v=1;", "v=1; l=99999999999999999999999;"},
      {"v=1;", "v=1; l=1000000;"},
  }));
  // One From is left in h= for the two rows that take the other away.
  std::string signature(kRfc8463RsaSignature);
  if (to == "h=fram :") signature = replaced(signature, "message-id : from", "message-id");
  const auto verdict = sole_verdict(message_with(replaced(signature, from, to)));
  INFO(from << " -> " << to << ": " << verdict.detail);
  if (to == "message-id : fram") {
    CHECK(verdict.result == DkimResult::Fail);  // From is signed once still, but h= is not what was signed
  } else {
    CHECK(verdict.result == DkimResult::PermError);
    CHECK_FALSE(verdict.detail.empty());
  }
}

TEST_CASE("rsa-sha1 proves nothing", "[dkim_verifier]") {  // RFC 8301 §3.1
  const auto verdict = sole_verdict(with_tag("a=rsa-sha256", "a=rsa-sha1"));
  CHECK(verdict.result == DkimResult::Policy);
  CHECK(verdict.signature.domain == "football.example.com");
}

TEST_CASE("an expired signature does not count", "[dkim_verifier]") {
  DkimSigningOptions options = options_now();
  options.lifetime = Seconds(100);
  const std::string message = signed_message("From: a@football.example.com\r\n", "b\r\n", options);
  CHECK(sole_verdict(message, rfc8463_records(), options.now + Seconds(100)).result == DkimResult::Pass);
  CHECK(sole_verdict(message, rfc8463_records(), options.now + Seconds(101)).result == DkimResult::Policy);
  CHECK(sole_verdict(message, rfc8463_records(), options.now - std::chrono::days(365)).result == DkimResult::Pass);
}

TEST_CASE("a key record that does not allow the signature is a permanent error", "[dkim_verifier]") {
  const std::string key = std::string(test::kRfc8463RsaRecord.substr(test::kRfc8463RsaRecord.find("p=")));
  const std::string record = GENERATE_COPY(as<std::string>(), "v=DKIM1; p=", "v=DKIM2; " + key, "k=dsa; " + key,
                                           "h=sha1; " + key, "s=tlsrpt; " + key, "p=AAAA", "v=spf1 -all",
                                           std::string(test::kRfc8463Ed25519Record), key + "; v=DKIM1");
  const auto verdict = sole_verdict(message_with(kRfc8463RsaSignature), {{kTestKey, record}});
  INFO(record << ": " << verdict.detail);
  CHECK(verdict.result == DkimResult::PermError);
}

TEST_CASE("tags of a key record that do not concern the signature do not harm", "[dkim_verifier]") {
  const std::string key = std::string(test::kRfc8463RsaRecord.substr(test::kRfc8463RsaRecord.find("p=")));
  const std::string record = GENERATE_COPY(as<std::string>(), key, "k=rsa; h=sha1:sha256; s=*; " + key,
                                           "g=nobody; n=x; " + key, "s=email : other; t=s; " + key + ";");
  CHECK(sole_verdict(message_with(kRfc8463RsaSignature), {{kTestKey, record}}).result == DkimResult::Pass);
}

TEST_CASE("t=s wants i= to be the domain itself", "[dkim_verifier]") {  // RFC 6376 §3.6.1
  const KeyRecords strict{{kTestKey, std::string(test::kRfc8463RsaRecord) + "; t=s"}};
  CHECK(sole_verdict(message_with(kRfc8463RsaSignature), strict).result == DkimResult::Pass);
  const auto verdict = sole_verdict(with_tag("i=@foot", "i=@team.foot"), strict);
  CHECK(verdict.result == DkimResult::PermError);
  CHECK(verdict.detail == "the key does not allow subdomains in i= (t=s)");
}

TEST_CASE("t=y is told and changes nothing", "[dkim_verifier]") {
  const auto verdict =
      sole_verdict(message_with(kRfc8463RsaSignature), {{kTestKey, std::string(test::kRfc8463RsaRecord) + "; t=y:s"}});
  CHECK(verdict.result == DkimResult::Pass);
  CHECK(verdict.testing);
}

TEST_CASE("a key that is missing is a permanent error, one that cannot be looked up a temporary one",
          "[dkim_verifier]") {
  CHECK(sole_verdict(message_with(kRfc8463RsaSignature), {}).result == DkimResult::PermError);
  CHECK(sole_verdict(message_with(kRfc8463RsaSignature), {{kTestKey, ""}}).result == DkimResult::TempError);
}

TEST_CASE("of several key records the one that fits is found", "[dkim_verifier]") {  // RFC 6376 §6.1.2
  const KeyRecords records{{kTestKey, "v=spf1 -all"},
                           {kTestKey, "p="},
                           {kTestKey, std::string(test::kRfc8463Ed25519Record)},
                           {kTestKey, std::string(test::kRfc8463RsaRecord)}};
  CHECK(sole_verdict(message_with(kRfc8463RsaSignature), records).result == DkimResult::Pass);
}

TEST_CASE("a key under 1024 bits proves nothing", "[dkim_verifier]") {  // RFC 8301 §3.2
  const KeyRecords records{{kTestKey,
                            "p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKmgNGZcIHPFKLsEpwRMpuSDAQQuLCTxZ9VXKmjPgDNqDKDhiaJD"
                            "K8Fy3r0VNBaCWuWUcA6D8QXXp1U9iZoPgeMCAwEAAQ=="}};
  const auto verdict = sole_verdict(message_with(kRfc8463RsaSignature), records);
  CHECK(verdict.result == DkimResult::Policy);
  CHECK(verdict.key_bits == 512);
}

TEST_CASE("l= lets a body grow, and the verdict says so", "[dkim_verifier]") {  // RFC 6376 §3.4.5
  // Signing never uses l=; made with the key of RFC 8463 for the first five octets of the canonical body.
  const auto key = SigningKey::from_pem(test::kRfc8463Rsa).value();
  BodyDigests digests;
  const std::size_t hash = digests.request(Canonicalization::Simple, 5);
  digests.update("Hi.\r\nAdded later.\r\n");
  digests.finish();
  const std::string field = "DKIM-Signature: v=1; a=rsa-sha256; d=football.example.com; s=test; h=from; l=5; bh=" +
                            encode_base64(digests.digest(hash).sha256) + "; b=";
  const std::string signature = encode_base64(key.sign("From: joe@football.example.com\r\n" + field).value());
  const auto message = [&](std::string_view body) {
    return field + signature + "\r\nFrom: joe@football.example.com\r\n\r\n" + std::string(body);
  };
  const auto verdict = sole_verdict(message("Hi.\r\nAnd so on, for ever.\r\n"));
  CHECK(verdict.result == DkimResult::Pass);
  CHECK(verdict.detail == "only 5 of 27 octets of the body are signed (l=5)");
  CHECK(sole_verdict(message("Hi.\r\n")).detail.empty());
  CHECK(sole_verdict(message("Hi!\r\nAnd so on\r\n")).result == DkimResult::Fail);
  CHECK(sole_verdict(message("Hi")).result == DkimResult::PermError);
}

TEST_CASE("no more than five keys are looked up for one message", "[dkim_verifier]") {
  std::string signatures;
  for (int i = 0; i < 10; ++i) signatures += kRfc8463RsaSignature;
  const auto verdicts = test::verify_message(message_with(signatures), rfc8463_records()).dkim;
  REQUIRE(verdicts.size() == 10);
  CHECK(verdicts[kMaxSignaturesVerified - 1].result == DkimResult::Pass);
  CHECK(verdicts[kMaxSignaturesVerified].result == DkimResult::Neutral);
}

TEST_CASE("signatures that cannot count do not use up the lookups", "[dkim_verifier]") {
  std::string signatures;
  for (int i = 0; i < 20; ++i) signatures += replaced(std::string(kRfc8463RsaSignature), "bh=2jUSOH9N", "bh=2jUSOH9M");
  const auto verdicts =
      test::verify_message(message_with(signatures + std::string(kRfc8463RsaSignature)), rfc8463_records()).dkim;
  CHECK(verdicts.front().result == DkimResult::Fail);
  CHECK(verdicts.back().result == DkimResult::Pass);
}

TEST_CASE("of hundreds of signatures only the first are read", "[dkim_verifier]") {
  std::string signatures;
  for (int i = 0; i < 400; ++i) signatures += "DKIM-Signature: v=1\r\n";
  const auto verdicts = test::verify_message(message_with(signatures), {}).dkim;
  REQUIRE(verdicts.size() == 400);
  CHECK(verdicts[kMaxSignaturesRead - 1].result == DkimResult::PermError);
  CHECK(verdicts[kMaxSignaturesRead].result == DkimResult::Neutral);
}

TEST_CASE("domains and selectors in U-labels are looked up in A-labels", "[dkim_verifier]") {  // RFC 8616 §4
  const auto verdict = sole_verdict(with_tag("d=football.example.com; i=@football.example.com;\r\n q=dns/txt; s=test;",
                                             "d=m\xc3\xb8x.example; s=\xc3\xa4;"),
                                    {{"xn--4ca._domainkey.xn--mx-lka.example", std::string(test::kRfc8463RsaRecord)}});
  CHECK(verdict.signature.domain == "xn--mx-lka.example");
  CHECK(verdict.signature.selector == "xn--4ca");
  CHECK(verdict.key_bits == 1'024);
}

}  // namespace
}  // namespace waxwing
