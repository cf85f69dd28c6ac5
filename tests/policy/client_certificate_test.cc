#include "policy/client_certificate.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "policy/base64.h"
#include "policy/sha256.h"
#include "tests/policy/certificate_maker.h"

using namespace waxwing;
using namespace waxwing::testing;

namespace {

const WallTime kNow{Seconds(kValidTime)};

Certificate make_authority() {
  return make_certificate({.subject = "authority", .dns_names = {}, .authority = true}, make_ec_key());
}

// A client's certificate with these names as openssl.cnf writes them ("email:a@b.example,DNS:c.example").
Certificate make_client(const Certificate& authority, const std::string& names, std::string usage = "clientAuth") {
  Certificate client = make_certificate({.subject = "client", .dns_names = {}}, make_ec_key(), &authority);
  if (!names.empty()) add_extension(client.x509.get(), NID_subject_alt_name, names);
  add_extension(client.x509.get(), NID_ext_key_usage, usage);
  X509_sign(client.x509.get(), authority.key.get(), EVP_sha256());
  return client;
}

ClientCertificate judge(const Certificate& client, const Certificate& authority, WallTime now = kNow) {
  const auto anchors = TrustAnchors::from_pem(authority.pem());
  const std::vector<std::string> chain{client.der()};
  return verify_client_certificate(chain, *anchors, now);
}

std::string key_of(const Certificate& certificate) {
  return "sha256:" + encode_base64(sha256(certificate.public_key_der()));
}

}  // namespace

TEST_CASE("a client's certificate stands for its key, addresses and host names") {
  const Certificate authority = make_authority();
  const Certificate client = make_client(authority, "email:Ann@SENDER.example,DNS:App.Sender.example,IP:192.0.2.1");
  const ClientCertificate judged = judge(client, authority);
  CHECK(judged.verdict.result == CertificateResult::Accepted);
  CHECK(judged.identities == CertificateIdentities{key_of(client), "Ann@sender.example", "app.sender.example"});
}

TEST_CASE("names that could be read as something else stand for nothing") {
  const Certificate authority = make_authority();
  for (const char* names : {"DNS:*.sender.example", "DNS:ann@sender.example", "email:sender.example",
                            "DNS:sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "URI:https://sender.example/"}) {
    CAPTURE(names);
    const Certificate client = make_client(authority, names);
    CHECK(judge(client, authority).identities == CertificateIdentities{key_of(client)});
  }
}

TEST_CASE("a certificate of another authority, for servers, or out of date stands for nobody") {
  const Certificate authority = make_authority();
  const Certificate client = make_client(authority, "DNS:app.example");
  CHECK(judge(client, make_authority()).identities.empty());
  CHECK(judge(client, authority, WallTime{Seconds(1'900'000'000)}).verdict.result == CertificateResult::Expired);
  CHECK(judge(client, authority, WallTime{Seconds(1'900'000'000)}).identities.empty());
  CHECK(judge(make_client(authority, "DNS:app.example", "serverAuth"), authority).identities.empty());
  const auto anchors = TrustAnchors::from_pem(authority.pem());
  CHECK(verify_client_certificate({}, *anchors, kNow).identities.empty());
  const std::vector<std::string> garbage{"no certificate"};
  CHECK(verify_client_certificate(garbage, *anchors, kNow).identities.empty());
}

TEST_CASE("what an operator writes for a certificate has one form") {
  const std::string digest = sha256("");
  const std::string key = "sha256:" + encode_base64(digest);
  CHECK(parse_certificate_identity("SHA256:" + encode_base64(digest)) == key);
  CHECK(parse_certificate_identity("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") == key);
  CHECK(parse_certificate_identity("sha256:E3:B0:C4:42:98:FC:1C:14:9A:FB:F4:C8:99:6F:B9:24:27:AE:41:E4:64:9B:93:4C:A4:"
                                   "95:99:1B:78:52:B8:55") == key);
  CHECK(parse_certificate_identity("App.Example.ORG") == "app.example.org");
  CHECK(parse_certificate_identity("Ann@Example.ORG") == "Ann@example.org");
  for (const char* wrong :
       {"", "sha256:", "sha256:AAAA", "sha256:e3b0", "*.example.org", "a b", "@example.org", "ann@"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_certificate_identity(wrong));
  }
}
