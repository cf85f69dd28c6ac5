#include "transport/dns/dns_message.h"

#include <catch2/catch.hpp>

#include "transport/dns/dns_update.h"
#include "transport/dns/tsig.h"

namespace waxwing {
namespace {

constexpr WallTime kNow{Milliseconds(1'769'860'800'000)};

TEST_CASE("a query that is written reads back as it was meant") {
  const auto query = write_dns_query(0x1234, "S1._domainkey.sender.example", dns::kTypeTxt, 0);
  REQUIRE(query);
  const auto message = read_dns_message(*query);
  REQUIRE(message);
  CHECK(message->id == 0x1234);
  CHECK(message->name == "s1._domainkey.sender.example");
  CHECK(message->type == dns::kTypeTxt);
  CHECK_FALSE(message->has(dns::kFlagResponse));
  REQUIRE(message->additional.size() == 1);
  CHECK(message->additional.front().type == dns::kTypeOpt);
  CHECK(message->additional.front().record_class == 1'232);
}

TEST_CASE("names are written as they are read, and impossible ones not at all") {
  CHECK(*write_wire_name(".") == std::string(1, '\0'));
  CHECK(*write_wire_name("a\\046b.c") == std::string("\x03"
                                                     "a.b\x01"
                                                     "c\0",
                                                     7));
  for (const std::string& name : {std::string(), std::string("a..b"), std::string(64, 'a'), std::string("a\\99"),
                                  std::string("a\\999"), std::string("a.")}) {
    CAPTURE(name);
    CHECK_FALSE(write_wire_name(name));
  }
  std::string long_name = std::string(63, 'a');
  for (int i = 0; i < 3; ++i) long_name += "." + std::string(63, 'a');
  CHECK_FALSE(write_wire_name(long_name));
}

TEST_CASE("a text over 255 octets is several strings, and one again when it is read") {
  for (const std::size_t size : {0U, 1U, 255U, 256U, 510U, 511U, 3'000U}) {
    const std::string text(size, 'x');
    const auto update = write_txt_addition(1, "example", "s1._domainkey.sender.example", 60, text);
    REQUIRE(update);
    const auto message = read_dns_message(*update);
    REQUIRE(message);
    REQUIRE(message->authorities.size() == 1);
    CHECK(txt_of(*message, message->authorities.front()) == text);
  }
}

TEST_CASE("a message that is cut anywhere, or goes on, cannot be read") {
  const std::string good = *write_txt_replacement(1, "example", "s1.example", 60, "old", "new");
  REQUIRE(read_dns_message(good));
  for (std::size_t size = 0; size < good.size(); ++size) CHECK_FALSE(read_dns_message(good.substr(0, size)));
  CHECK_FALSE(read_dns_message(good + '\0'));
}

TEST_CASE("an update says what must be there, and touches one record only") {
  const auto addition = read_dns_message(*write_txt_addition(1, "example", "s1.example", 60, "ours"));
  REQUIRE(addition);
  CHECK(addition->flags == dns::kOpcodeUpdate);
  CHECK(addition->type == dns::kTypeSoa);
  REQUIRE(addition->answers.size() == 2);
  CHECK(addition->answers[0].record_class == dns::kClassNone);
  CHECK(addition->answers[1].type == dns::kTypeCname);
  const auto removal = read_dns_message(*write_txt_removal(1, "example", "s1.example", "ours"));
  REQUIRE(removal);
  REQUIRE(removal->authorities.size() == 1);
  CHECK(removal->authorities.front().record_class == dns::kClassNone);
  CHECK(removal->authorities.front().ttl == 0);
  CHECK(txt_of(*removal, removal->authorities.front()) == "ours");
  const auto replacement = read_dns_message(*write_txt_replacement(1, "example", "s1.example", 60, "ours", "new"));
  REQUIRE(replacement);
  CHECK(replacement->answers.size() == 1);
  CHECK(replacement->authorities.size() == 2);
}

TEST_CASE("TSIG keys are read in the spelling of BIND and of Knot") {
  const auto bind = TsigKey::parse(
      "# made by tsig-keygen\nkey \"Waxwing.\" {\n\talgorithm hmac-sha512;\n\tsecret \"c2VjcmV0\";\n};\n");
  REQUIRE(bind);
  CHECK(bind->name == "waxwing");
  CHECK(bind->algorithm == TsigKey::Algorithm::HmacSha512);
  CHECK(bind->secret == "secret");
  const auto knot =
      TsigKey::parse("# hmac-sha256:k:c2VjcmV0\nkey:\n- id: k\n  algorithm: hmac-sha256\n  secret: c2VjcmV0\n");
  REQUIRE(knot);
  CHECK(knot->name == "k");
  CHECK(knot->secret == "secret");
  const auto weak = TsigKey::parse("key k { algorithm hmac-md5; secret \"c2VjcmV0\"; };");
  REQUIRE_FALSE(weak);
  CHECK_THAT(weak.error().detail, Catch::Contains("hmac-sha256"));
  for (const std::string text :
       {"", "key k;", "key k { algorithm hmac-sha256; };", "key k { algorithm hmac-sha256; secret \"!\"; };"})
    CHECK_FALSE(TsigKey::parse(text));
}

// The reply of a server that has the key: the same question, signed over the request's MAC.
std::string reply_signed_with(const TsigKey& key, const SignedMessage& request, WallTime now) {
  auto writer = DnsWriter::begin(1, dns::kFlagResponse | dns::kOpcodeUpdate, "example", dns::kTypeSoa);
  // What a reply covers begins with the request's MAC (RFC 8945 §5.3.1), so that it is signed as if that came first.
  std::string covered;
  append_u16(covered, static_cast<std::uint16_t>(request.mac.size()));
  covered += request.mac;
  const auto over_both = sign_message_with_tsig(covered + writer->octets(), key, now);
  auto plain = sign_message_with_tsig(writer->octets(), key, now);
  plain->octets.replace(plain->octets.find(plain->mac), plain->mac.size(), over_both->mac);
  return plain->octets;
}

TEST_CASE("a reply to a signed update is believed only with its signature, in time, and unaltered") {
  for (const auto algorithm : {TsigKey::Algorithm::HmacSha256, TsigKey::Algorithm::HmacSha512}) {
    const TsigKey key{"k", algorithm, "secret"};
    const auto request = sign_message_with_tsig(*write_txt_removal(1, "example", "s1.example", "ours"), key, kNow);
    REQUIRE(request);
    CHECK(read_dns_message(request->octets)->additional.back().type == dns::kTypeTsig);
    CHECK(request->mac.size() == (algorithm == TsigKey::Algorithm::HmacSha256 ? 32 : 64));
    const std::string reply = reply_signed_with(key, *request, kNow);
    CHECK(verify_tsig_reply(reply, key, request->mac, kNow));
    CHECK(verify_tsig_reply(reply, key, request->mac, kNow + Seconds(300)));
    CHECK(verify_tsig_reply(reply, key, request->mac, kNow + Seconds(301)).error().kind == ErrorKind::Denied);
    CHECK(verify_tsig_reply(reply, key, "another", kNow).error().kind == ErrorKind::Denied);
    CHECK(verify_tsig_reply(reply, {"k", algorithm, "other"}, request->mac, kNow).error().kind == ErrorKind::Denied);
    const auto bare = DnsWriter::begin(1, dns::kFlagResponse, "example", dns::kTypeSoa);
    CHECK_THAT(verify_tsig_reply(bare->octets(), key, request->mac, kNow).error().detail,
               Catch::Contains("not signed"));
    for (std::size_t i = 0; i < reply.size(); ++i) {
      std::string altered = reply;
      altered[i] = static_cast<char>(altered[i] ^ 0x40);
      // The identifier on the wire is not covered, the original one is (RFC 8945 §4.3.2).
      CAPTURE(i);
      CHECK(verify_tsig_reply(altered, key, request->mac, kNow).has_value() == (i < 2));
    }
  }
}

}  // namespace
}  // namespace waxwing
