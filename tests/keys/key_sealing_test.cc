#include "keys/key_sealing.h"

#include <catch2/catch.hpp>
#include <string>

#include "policy/base64.h"

namespace waxwing {
namespace {

constexpr std::string_view kKeyText = "0123456789abcdef0123456789abcdef";
constexpr std::string_view kPassphrase = "correct horse battery staple";
constexpr std::string_view kName = "sender.example/2026a";
constexpr std::string_view kContent = "-----BEGIN PRIVATE KEY-----\nnot really\n-----END PRIVATE KEY-----\n";
constexpr std::string_view kBegin = "-----BEGIN WAXWING SEALED KEY-----\n";
constexpr std::string_view kEnd = "-----END WAXWING SEALED KEY-----\n";

KeySealing sealing(SealingSecretKind kind = SealingSecretKind::Key, std::string_view secret = kKeyText) {
  return {kind, Secret(secret)};
}

std::string octets_of(const std::string& sealed) {
  return decode_base64(std::string_view(sealed).substr(kBegin.size(), sealed.size() - kBegin.size() - kEnd.size()))
      .value();
}

std::string text_of(const std::string& octets) {
  return std::string(kBegin) + encode_base64(octets) + "\n" + std::string(kEnd);
}

TEST_CASE("what was sealed opens under its name, with either kind of secret", "[key_sealing]") {
  const auto kind = GENERATE(SealingSecretKind::Key, SealingSecretKind::Passphrase);
  const std::string_view secret = kind == SealingSecretKind::Key ? kKeyText : kPassphrase;
  auto maker = sealing(kind, secret);
  const std::string sealed = maker.seal(kName, kContent).value();
  CHECK(looks_sealed(sealed));
  CHECK_FALSE(looks_sealed(kContent));
  CHECK(sealed.find("PRIVATE") == std::string::npos);
  CHECK(octets_of(sealed).find(kContent.substr(30, 10)) == std::string::npos);
  // Another process, and one that is configured for the other kind.
  CHECK(sealing(kind, secret).open(kName, sealed).value().reveal() == kContent);
  CHECK(sealing(SealingSecretKind::Key, secret).open(kName, sealed).value().reveal() == kContent);
}

TEST_CASE("the same content is never sealed to the same octets", "[key_sealing]") {
  auto maker = sealing();
  CHECK(maker.seal(kName, kContent).value() != maker.seal(kName, kContent).value());
}

TEST_CASE("keys of one store share a salt, so that a passphrase is derived once", "[key_sealing]") {
  auto maker = sealing();
  const std::string first = maker.seal(kName, kContent).value();
  auto later = sealing();
  REQUIRE(later.open(kName, first));
  CHECK(octets_of(later.seal("other.example/a", kContent).value()).substr(5, 24) == octets_of(first).substr(5, 24));
}

TEST_CASE("a sealed key does not open under another name", "[key_sealing]") {
  const std::string sealed = sealing().seal(kName, kContent).value();
  const std::string name = GENERATE(as<std::string>(), "", "sender.example/2026b", "sender.example/2026a/", "other");
  CHECK(sealing().open(name, sealed).error().kind == ErrorKind::Corrupt);
}

TEST_CASE("another secret is told from damage", "[key_sealing]") {
  const std::string sealed = sealing().seal(kName, kContent).value();
  const auto opened = sealing(SealingSecretKind::Key, "another key of thirty-two octets").open(kName, sealed);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().kind == ErrorKind::Denied);
  CHECK(opened.error().detail.find("under another sealing key") != std::string::npos);
}

TEST_CASE("no octet of a sealed key can be changed", "[key_sealing]") {
  const std::string octets = octets_of(sealing().seal(kName, kContent).value());
  auto opener = sealing();
  for (std::size_t i = 0; i < octets.size(); ++i) {
    // A changed salt costs a derivation each, of which there may be few.
    if (i >= 5 && i < 21 && i != 5) continue;
    std::string changed = octets;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CAPTURE(i);
    CHECK_FALSE(opener.open(kName, text_of(changed)));
  }
  CHECK(opener.open(kName, text_of(octets)));
}

TEST_CASE("a sealed key that is cut off anywhere is refused", "[key_sealing]") {
  const std::string sealed = sealing().seal(kName, kContent).value();
  const std::string octets = octets_of(sealed);
  auto opener = sealing();
  for (std::size_t size = 0; size < octets.size(); ++size)
    CHECK_FALSE(opener.open(kName, text_of(octets.substr(0, size))));
  for (std::size_t size = 0; size + 1 < sealed.size(); ++size) CHECK_FALSE(opener.open(kName, sealed.substr(0, size)));
}

TEST_CASE("a later version is named, and not called damage", "[key_sealing]") {
  std::string octets = octets_of(sealing().seal(kName, kContent).value());
  octets[0] = 2;
  const auto opened = sealing().open(kName, text_of(octets));
  REQUIRE_FALSE(opened);
  CHECK(opened.error().detail.find("version 2") != std::string::npos);
}

TEST_CASE("a file cannot ask for more memory or time than sealing takes", "[key_sealing]") {
  auto maker = sealing(SealingSecretKind::Passphrase, kPassphrase);
  const std::string octets = octets_of(maker.seal(kName, kContent).value());
  const std::size_t at = GENERATE(as<std::size_t>(), 2, 3, 4);
  std::string costly = octets;
  costly[at] = static_cast<char>(costly[at] + 1);
  CHECK(maker.open(kName, text_of(costly)).error().kind == ErrorKind::Malformed);
}

TEST_CASE("salts are derived for up to a limit", "[key_sealing]") {
  auto opener = sealing();
  for (std::size_t i = 0; i < kMaxSealingSalts; ++i) CHECK(opener.open(kName, sealing().seal(kName, kContent).value()));
  CHECK(opener.open(kName, sealing().seal(kName, kContent).value()).error().kind == ErrorKind::Exhausted);
}

TEST_CASE("what is sealed already is told from what is to be sealed anew", "[key_sealing]") {
  const std::string sealed = sealing().seal(kName, kContent).value();
  CHECK(sealing().is_under_this_secret(sealed));
  CHECK_FALSE(sealing(SealingSecretKind::Passphrase).is_under_this_secret(sealed));
  CHECK_FALSE(sealing(SealingSecretKind::Key, "another key of thirty-two octets").is_under_this_secret(sealed));
  CHECK_FALSE(sealing().is_under_this_secret(kContent));
}

TEST_CASE("a secret is taken without its line end, and a short one is refused", "[key_sealing]") {
  CHECK(parse_sealing_secret(SealingSecretKind::Key, std::string(kKeyText) + "\r\n").value().reveal() == kKeyText);
  CHECK(parse_sealing_secret(SealingSecretKind::Passphrase, kPassphrase).value().reveal() == kPassphrase);
  CHECK(parse_sealing_secret(SealingSecretKind::Key, kPassphrase).error().kind == ErrorKind::Denied);
  CHECK(parse_sealing_secret(SealingSecretKind::Passphrase, "hunter2\n").error().kind == ErrorKind::Denied);
  CHECK(parse_sealing_secret(SealingSecretKind::Key, std::string(kMaxSealingSecretOctets + 1, 'x')).error().kind ==
        ErrorKind::Malformed);
}

}  // namespace
}  // namespace waxwing
