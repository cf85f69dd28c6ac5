#include "relay/daemon/seal_anew.h"

#include <catch2/catch.hpp>

namespace waxwing {
namespace {

TEST_CASE("only the signatures at the top of a header are ours") {
  CHECK(
      without_own_signatures("DKIM-Signature: v=1;\r\n\ta=rsa-sha256\r\nDKIM-Signature: v=1;\r\n b=x\r\nReceived: x\r\n"
                             "DKIM-Signature: theirs\r\nFrom: a@b.example\r\n") ==
      "Received: x\r\nDKIM-Signature: theirs\r\nFrom: a@b.example\r\n");
  CHECK(without_own_signatures("Received: x\r\nDKIM-Signature: theirs\r\n") ==
        "Received: x\r\nDKIM-Signature: theirs\r\n");
}

TEST_CASE("a header of nothing but signatures, whole or cut, leaves nothing") {
  CHECK(without_own_signatures("dkim-signature: a\r\n b\r\n").empty());
  CHECK(without_own_signatures("DKIM-Signature: a").empty());
  CHECK(without_own_signatures("").empty());
}

}  // namespace
}  // namespace waxwing
