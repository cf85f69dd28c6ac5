#include "signer/dkim_signer.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "policy/base64.h"
#include "signer/body_hasher.h"
#include "signer/message_reader.h"
#include "tests/keys/rfc8463_keys.h"

namespace waxwing {
namespace {

constexpr std::string_view kHeader =
    "From: Joe SixPack <joe@football.example.com>\r\n"
    "To: Suzie Q <suzie@shopping.example.net>\r\n"
    "Subject: Is dinner ready?\r\n"
    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n";

const DomainName kDomain = DomainName::parse("football.example.com").value();

std::string body_hash() {
  return decode_base64("2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=").value();
}

DkimSigningOptions options_at(std::int64_t seconds) {
  DkimSigningOptions options;
  options.now = WallTime(Seconds(seconds));
  return options;
}

DkimSignatureDraft draft_of(std::string_view header, const DkimSigningOptions& options = options_at(1'528'637'909)) {
  const auto fields = parse_header_block(header).value();
  const SignedHeader chosen = choose_signed_header(fields, options).value();
  return prepare_dkim_signature(chosen, body_hash(), kDomain, "brisbane", DkimKeyType::Ed25519, options);
}

/// The value of a tag without white space, "" when the tag is absent.
std::string tag(std::string_view field, std::string_view name) {
  std::string text(field.substr(field.find(':') + 1));
  std::erase_if(text, [](char c) { return c == ' ' || c == '\r' || c == '\n'; });
  text = ";" + text;
  const std::size_t at = text.find(";" + std::string(name) + "=");
  if (at == std::string::npos) return "";
  const std::size_t begin = at + name.size() + 2;
  return text.substr(begin, text.find(';', begin) - begin);
}

std::size_t count(const std::string& names, const std::string& name) {
  std::size_t found = 0;
  const std::string list = ":" + names + ":";
  for (std::size_t at = list.find(":" + name + ":"); at != std::string::npos; at = list.find(":" + name + ":", at + 1))
    ++found;
  return found;
}

/// What the two signatures of RFC 8463 §A.3 are made over: fields, then the signature field with an empty b=.
std::string rfc8463_octets(std::string_view algorithm, std::string_view selector) {
  std::string octets;
  const auto fields = parse_header_block(kHeader).value();
  for (const HeaderField& field : fields) {
    append_canonical_field(field.raw, Canonicalization::Relaxed, octets);
  }
  std::string signature =
      "DKIM-Signature: v=1; a=" + std::string(algorithm) +
      "; c=relaxed/relaxed;\r\n d=football.example.com; i=@football.example.com;\r\n q=dns/txt; s=" +
      std::string(selector) + "; t=1528637909; h=from : to :\r\n subject : date : message-id : from : subject : date;" +
      "\r\n bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n b=";
  append_canonical_field(signature, Canonicalization::Relaxed, octets);
  octets.resize(octets.size() - 2);
  return octets;
}

TEST_CASE("the signatures of RFC 8463 are reproduced octet by octet", "[dkim_signer]") {  // RFC 8463 §A.3
  const auto ed25519 = SigningKey::from_pem(test::kRfc8463Ed25519).value();
  CHECK(encode_base64(ed25519.sign(rfc8463_octets("ed25519-sha256", "brisbane")).value()) ==
        "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==");
  const auto rsa = SigningKey::from_pem(test::kRfc8463Rsa).value();
  CHECK(encode_base64(rsa.sign(rfc8463_octets("rsa-sha256", "test")).value()) ==
        "F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3DhCVlUrSjV4BwcVcOF6+"
        "FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz"
        "dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=");
}

TEST_CASE("the draft has the tags of the options and none that are unsafe", "[dkim_signer]") {
  const std::string field = draft_of(kHeader).field;
  CHECK(field.starts_with("DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;"));
  CHECK(tag(field, "d") == "football.example.com");
  CHECK(tag(field, "s") == "brisbane");
  CHECK(tag(field, "t") == "1528637909");
  CHECK(tag(field, "x") == std::to_string(1'528'637'909 + 14 * 86'400));
  CHECK(tag(field, "bh") == "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
  CHECK(tag(field, "l").empty());
  CHECK(tag(field, "i").empty());
  CHECK(field.ends_with(" b="));
}

TEST_CASE("without lifetime there is no expiry", "[dkim_signer]") {
  DkimSigningOptions options = options_at(5);
  options.lifetime = Seconds(0);
  CHECK(tag(draft_of(kHeader, options).field, "x").empty());
}

TEST_CASE("each oversigned field stands once more than it occurs", "[dkim_signer]") {
  const std::string names = tag(draft_of(std::string(kHeader) + "To: another@shopping.example.net\r\n").field, "h");
  for (const char* name : {"From", "Subject", "Date", "Message-ID"}) CHECK(count(names, name) == 2);
  CHECK(count(names, "To") == 3);
  for (const char* name : {"Cc", "Reply-To", "Sender", "In-Reply-To", "References", "MIME-Version", "Content-Type",
                           "Content-Transfer-Encoding", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Id"}) {
    CHECK(count(names, name) == 1);
  }
}

TEST_CASE("fields that may be added later are signed only where they occur", "[dkim_signer]") {
  CHECK(count(tag(draft_of(kHeader).field, "h"), "Resent-From") == 0);
  CHECK(count(tag(draft_of(std::string(kHeader) + "Resent-From: a@b.example\r\n").field, "h"), "Resent-From") == 1);
}

TEST_CASE("fields that are not named are not signed", "[dkim_signer]") {
  const DkimSignatureDraft draft = draft_of("Received: from x\r\n" + std::string(kHeader) + "X-Mailer: y\r\n");
  CHECK(draft.octets_to_sign == draft_of(kHeader).octets_to_sign);
}

TEST_CASE("several instances of a field are taken from the bottom up", "[dkim_signer]") {
  DkimSigningOptions options = options_at(5);
  options.oversigned_fields = {"to"};
  options.signed_fields = {"TO", "from"};
  const DkimSignatureDraft draft = draft_of("To: 1\r\nFrom: a@b.example\r\nTo: 2\r\nto: 3\r\n", options);
  CHECK(draft.octets_to_sign.starts_with("to:3\r\nto:2\r\nto:1\r\nfrom:a@b.example\r\ndkim-signature:"));
  CHECK(tag(draft.field, "h") == "to:to:to:to:from");
}

TEST_CASE("From is signed even when the options leave it out", "[dkim_signer]") {
  DkimSigningOptions options = options_at(5);
  options.oversigned_fields = {};
  options.signed_fields = {"Subject"};
  CHECK(tag(draft_of(kHeader, options).field, "h") == "From:Subject");
}

TEST_CASE("the signature field itself is signed without its value and final line end", "[dkim_signer]") {
  DkimSigningOptions options = options_at(5);
  options.header_canonicalization = Canonicalization::Simple;
  const DkimSignatureDraft draft = draft_of(kHeader, options);
  CHECK(draft.octets_to_sign.ends_with(draft.field));
  CHECK(draft.octets_to_sign.ends_with(" b="));
}

TEST_CASE("a message without From is not signed", "[dkim_signer]") {
  const auto fields = parse_header_block("To: a@b.example\r\n").value();
  const auto chosen = choose_signed_header(fields, options_at(5));
  REQUIRE_FALSE(chosen);
  CHECK(chosen.error().kind == ErrorKind::Malformed);
}

TEST_CASE("names in the options that would break h= are refused", "[dkim_signer]") {
  const auto fields = parse_header_block(kHeader).value();
  DkimSigningOptions options = options_at(5);
  options.signed_fields = {GENERATE(as<std::string>(), "", "a b", "a:b", "a;b", "a\r\nb", "\xc3\xa9")};
  CHECK_FALSE(choose_signed_header(fields, options));
}

TEST_CASE("the completed field is folded at 78 columns and its signature can be read back", "[dkim_signer]") {
  const std::string signature(GENERATE(1U, 64U, 128U, 256U, 512U), '\x5a');
  const std::string field = complete_dkim_signature(draft_of(kHeader), signature);
  CHECK(field.ends_with("\r\n"));
  const auto parsed = parse_header_block(field).value();
  REQUIRE(parsed.size() == 1);
  for (std::size_t at = 0; at < field.size();) {
    const std::size_t end = field.find("\r\n", at);
    CHECK(end - at <= 78);
    CHECK(field.find_first_not_of(' ', at) < end);
    at = end + 2;
  }
  CHECK(decode_base64(tag(field, "b")).value() == signature);
}

TEST_CASE("a name too long for a line stays whole", "[dkim_signer]") {
  const std::string label(60, 'd');
  const auto domain = DomainName::parse(label + "." + label + ".example").value();
  const auto fields = parse_header_block(kHeader).value();
  const DkimSigningOptions options = options_at(5);
  const SignedHeader chosen = choose_signed_header(fields, options).value();
  const auto draft = prepare_dkim_signature(chosen, body_hash(), domain, "s", DkimKeyType::Rsa, options);
  CHECK(draft.field.find("\r\n d=" + domain.str() + ";") != std::string::npos);
}

TEST_CASE("a message is signed with every key, in their order", "[dkim_signer]") {
  const auto rsa = std::make_shared<const SigningKey>(SigningKey::from_pem(test::kRfc8463Rsa).value());
  const auto ed25519 = std::make_shared<const SigningKey>(SigningKey::from_pem(test::kRfc8463Ed25519).value());
  const std::vector<StoredKey> keys{{kDomain, "test", rsa, {}}, {kDomain, "brisbane", ed25519, {}}};
  const auto header = parse_header_block(kHeader).value();
  const std::string both = sign_message(header, body_hash(), keys, options_at(5)).value();
  const auto fields = parse_header_block(both).value();
  REQUIRE(fields.size() == 2);
  CHECK(tag(fields[0].raw, "a") == "rsa-sha256");
  CHECK(tag(fields[0].raw, "s") == "test");
  CHECK(tag(fields[1].raw, "a") == "ed25519-sha256");

  const auto draft = draft_of(kHeader, options_at(5));
  CHECK(fields[1].raw == complete_dkim_signature(draft, ed25519->sign(draft.octets_to_sign).value()));
}

TEST_CASE("a thousand fields of one name are all signed", "[dkim_signer]") {
  std::string header = "From: a@b.example\r\n";
  for (int i = 0; i < 999; ++i) header += "To: c@d.example\r\n";
  CHECK(count(tag(draft_of(header).field, "h"), "To") == 1'000);
}

}  // namespace
}  // namespace waxwing
