#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <catch2/catch.hpp>

#include "policy/dane.h"
#include "tests/policy/conformance_data.h"

using namespace waxwing;
using waxwing::testing::conformance_data;

namespace {

std::string der_of(const std::string& pem) {
  bssl::UniquePtr<BIO> input(BIO_new_mem_buf(pem.data(), static_cast<ossl_ssize_t>(pem.size())));
  char* name = nullptr;
  char* header = nullptr;
  std::uint8_t* data = nullptr;
  long length = 0;
  REQUIRE(PEM_read_bio(input.get(), &name, &header, &data, &length) == 1);
  std::string der(reinterpret_cast<char*>(data), static_cast<std::size_t>(length));
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_free(data);
  return der;
}

std::string from_hex(const std::string& hex) {
  std::string octets;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    octets += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return octets;
}

std::vector<TlsaRecord> records_of(const nlohmann::json& tlsa) {
  std::vector<TlsaRecord> records;
  for (const auto& record : tlsa) {
    records.push_back({record.at("usage").get<std::uint8_t>(), record.at("selector").get<std::uint8_t>(),
                       record.at("mtype").get<std::uint8_t>(), from_hex(record.at("data").get<std::string>())});
  }
  return records;
}

}  // namespace

TEST_CASE("OpenSSL's DANE vectors are judged as RFC 7672 says", "[conformance]") {
  const auto data = conformance_data("dane/dane-openssl/cases.json");
  if (!data) return;
  for (const auto& entry : data->at("cases")) {
    INFO(entry.at("id") << " " << entry.at("note"));
    const auto records = records_of(entry.at("tlsa"));
    std::vector<std::string> chain;
    for (const auto& pem : entry.at("chain")) chain.push_back(der_of(pem.get<std::string>()));
    const auto expected = entry.at("smtp_expect").get<std::string>();
    CHECK(std::ranges::any_of(records, &TlsaRecord::usable) == !expected.starts_with("unusable"));
    const std::vector<std::string> names = {entry.at("base_domain").get<std::string>()};
    const auto verdict = verify_dane(chain, records, names, WallTime{Seconds{1'750'000'000}});
    INFO(verdict.detail);
    CHECK((verdict.result == CertificateResult::Accepted) == (expected == "authenticated"));
  }
}
