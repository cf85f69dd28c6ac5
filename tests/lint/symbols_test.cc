// Two TLS libraries live in one process: BoringSSL inside the program and the OpenSSL that getdns brings. Neither may
// be bound to the other's functions; a program in which they are crashes at the first handshake.

#include <dlfcn.h>
#include <getdns/getdns_extra.h>
#include <openssl/ssl.h>

#include <catch2/catch.hpp>
#include <string>

#ifndef OPENSSL_IS_BORINGSSL
#error "the headers in use are not BoringSSL's"
#endif

namespace {

std::string file_of(const void* address) {
  Dl_info info{};
  return dladdr(address, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : "";
}

}  // namespace

TEST_CASE("our calls of TLS functions reach the BoringSSL inside the program") {
  Dl_info own{};
  REQUIRE(dladdr(reinterpret_cast<const void*>(&file_of), &own) != 0);
  CHECK(file_of(reinterpret_cast<const void*>(&SSL_CTX_new)) == own.dli_fname);
  SSL_CTX* context = SSL_CTX_new(TLS_method());
  CHECK(context != nullptr);
  SSL_CTX_free(context);
}

TEST_CASE("shared libraries find OpenSSL and not the BoringSSL inside the program") {
  REQUIRE(getdns_get_version() != nullptr);
  const void* visible = dlsym(RTLD_DEFAULT, "SSL_CTX_new");
  REQUIRE(visible != nullptr);
  CHECK(file_of(visible).find("/libssl.so.3") != std::string::npos);
  CHECK(visible != reinterpret_cast<const void*>(&SSL_CTX_new));
}
