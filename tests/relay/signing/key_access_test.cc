#include "relay/signing/key_access.h"

#include <catch2/catch.hpp>

namespace waxwing {
namespace {

TEST_CASE("keys are where the configuration says, or where the process that signs keeps its own", "[key_access]") {
  Config config;
  config.state_directory = "/srv/waxwing";
  CHECK(keys_directory(config) == "/srv/waxwing/keys");
  CHECK(keys_parent(config) == "/srv/waxwing");
  config.signer_socket = "/run/waxwing-signer/socket";
  CHECK(keys_directory(config) == kSignerKeysDirectory);
  CHECK(keys_parent(config) == "/var/lib/waxwing-signer");
  config.keys_directory = "/keys";
  CHECK(keys_directory(config) == "/keys");
  CHECK(keys_parent(config) == "/");
}

TEST_CASE("a store that should seal does not open without its secret", "[key_access]") {
  Config config;
  config.keys_directory = "/nonexistent/keys";
  CHECK(open_keys(config));
  config.key_sealing = GENERATE(KeySealingMode::Key, KeySealingMode::Passphrase);
  config.sealing_file = "/nonexistent/secret";
  CHECK(open_keys(config).error().kind == ErrorKind::NotFound);
}

}  // namespace
}  // namespace waxwing
