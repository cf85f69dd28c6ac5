#include "signer/named_keys.h"

#include <catch2/catch.hpp>

using namespace waxwing;

namespace {

using Names = std::set<std::string>;

Names named_by(std::string_view header) {
  Names names;
  add_named_keys(header, names);
  return names;
}

}  // namespace

TEST_CASE("each signature of a header names its key record", "[named_keys]") {
  CHECK(named_by("DKIM-Signature: v=1; a=rsa-sha256; d=Example.org;\r\n\ts=S1; h=from; bh=; b=AA\r\n"
                 "dkim-signature : a=ed25519-sha256; s=s2; v=1;\r\n d=example.org; h=from; bh=; b=AA\r\n"
                 "ARC-Seal: i=1; a=rsa-sha256; cv=none; d=arc.example; s=seal; b=AA\r\n"
                 "ARC-Message-Signature: i=1; a=rsa-sha256; d=arc.example; s=ams; h=from; bh=; b=AA\r\n"
                 "Subject: DKIM-Signature: d=no.example; s=no\r\n") ==
        Names{"s1._domainkey.example.org", "s2._domainkey.example.org", "seal._domainkey.arc.example",
              "ams._domainkey.arc.example"});
}

TEST_CASE("a field that cannot be read names nothing, and hides none after it", "[named_keys]") {
  CHECK(named_by("DKIM-Signature: nonsense\r\nno field\r\nDKIM-Signature: v=1; d=a.example\r\n"
                 "DKIM-Signature: v=1; a=rsa-sha256; d=b.example; s=s; h=from; bh=; b=\r\n") ==
        Names{"s._domainkey.b.example"});
  CHECK(named_by("").empty());
  CHECK(named_by("DKIM-Signature: v=1; a=rsa-sha256; d=b.example; s=s; h=from").empty());
}

TEST_CASE("a header may be longer than one that comes in", "[named_keys]") {
  std::string header;
  for (int i = 0; i < 2'000; ++i) header += "X-Padding: " + std::string(200, 'x') + "\r\n";
  header += "DKIM-Signature: v=1; a=rsa-sha256; d=b.example; s=s; h=from; bh=; b=\r\n";
  CHECK(named_by(header) == Names{"s._domainkey.b.example"});
}
