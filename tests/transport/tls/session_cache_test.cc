#include "transport/tls/session_cache.h"

#include <catch2/catch.hpp>
#include <string>

using namespace waxwing;

namespace {

struct World {
  bssl::UniquePtr<SSL_CTX> context{SSL_CTX_new(TLS_method())};
  bssl::UniquePtr<SSL_SESSION> session(std::uint16_t version) const {
    bssl::UniquePtr<SSL_SESSION> session(SSL_SESSION_new(context.get()));
    SSL_SESSION_set_protocol_version(session.get(), version);
    return session;
  }
};

}  // namespace

TEST_CASE("a TLS 1.2 session can be taken again and again, a TLS 1.3 session once", "[tls]") {
  const World world;
  SessionCache cache(10, 4);
  cache.put("old", world.session(TLS1_2_VERSION));
  cache.put("new", world.session(TLS1_3_VERSION));
  CHECK(cache.take("old") != nullptr);
  CHECK(cache.take("old") != nullptr);
  CHECK(cache.take("new") != nullptr);
  CHECK(cache.take("new") == nullptr);
}

TEST_CASE("of one key only the newest sessions are kept", "[tls]") {
  const World world;
  SessionCache cache(10, 2);
  auto newest = world.session(TLS1_3_VERSION);
  const SSL_SESSION* expected = newest.get();
  cache.put("peer", world.session(TLS1_3_VERSION));
  cache.put("peer", world.session(TLS1_3_VERSION));
  cache.put("peer", std::move(newest));
  CHECK(cache.take("peer").get() == expected);
  CHECK(cache.take("peer") != nullptr);
  CHECK(cache.take("peer") == nullptr);
}

TEST_CASE("the least recently used key is forgotten first", "[tls]") {
  const World world;
  SessionCache cache(2, 4);
  cache.put("a", world.session(TLS1_2_VERSION));
  cache.put("b", world.session(TLS1_2_VERSION));
  REQUIRE(cache.take("a") != nullptr);
  cache.put("c", world.session(TLS1_2_VERSION));
  CHECK(cache.take("b") == nullptr);
  CHECK(cache.take("a") != nullptr);
  CHECK(cache.take("c") != nullptr);
}
