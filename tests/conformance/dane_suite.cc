#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/pem.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "policy/dane.h"
#include "tests/conformance/suites.h"

namespace waxwing::conformance {
namespace {

using nlohmann::json;

// Within the dates of the published certificates, but for those that are expired on purpose.
constexpr WallTime kNow{Seconds{1'750'000'000}};
constexpr int kHostMismatch = 62;  // X509_V_ERR_HOSTNAME_MISMATCH

std::string der_of(const std::string& pem) {
  bssl::UniquePtr<BIO> input(BIO_new_mem_buf(pem.data(), static_cast<ossl_ssize_t>(pem.size())));
  char* name = nullptr;
  char* header = nullptr;
  std::uint8_t* data = nullptr;
  long length = 0;
  if (PEM_read_bio(input.get(), &name, &header, &data, &length) != 1) throw std::invalid_argument("not PEM");
  std::string der(reinterpret_cast<char*>(data), static_cast<std::size_t>(length));
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_free(data);
  return der;
}

std::string from_hex(const std::string& hex) {
  std::string octets;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    octets += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return octets;
}

std::vector<TlsaRecord> records_of(const json& tlsa) {
  std::vector<TlsaRecord> records;
  for (const json& record : tlsa) {
    const char* matching = has(record, "mtype") ? "mtype" : "matching_type";
    records.push_back({record.at("usage").get<std::uint8_t>(), record.at("selector").get<std::uint8_t>(),
                       record.at(matching).get<std::uint8_t>(), from_hex(record.at("data").get<std::string>())});
  }
  return records;
}

enum class Expected { Authenticated, NotAuthenticated, Unusable, Unknown };

constexpr std::string_view name_of(Expected expected) {
  switch (expected) {
    case Expected::Authenticated:
      return "authenticated";
    case Expected::NotAuthenticated:
      return "not authenticated";
    case Expected::Unusable:
      return "unusable";
    case Expected::Unknown:
      break;
  }
  return "unknown";
}

// What RFC 7672 makes of a case: its own word, or what follows from the result of OpenSSL, which also knows usages 0
// and 1 and, unless told otherwise, compares names for usage 3.
Expected expectation_of(const json& entry, const std::vector<TlsaRecord>& records) {
  const std::string word = text_at(entry, "smtp_expect");
  if (word.starts_with("unusable")) return Expected::Unusable;
  if (!word.empty()) return word.starts_with("auth") ? Expected::Authenticated : Expected::NotAuthenticated;
  if (std::ranges::none_of(records, [](const TlsaRecord& r) { return r.usage == 2 || r.usage == 3; })) {
    return Expected::Unusable;
  }
  if (!has(entry, "expect_verify_error")) return Expected::Unknown;
  const int error = entry.at("expect_verify_error").get<int>();
  if (error == 0) return Expected::Authenticated;
  const bool names_matter = std::ranges::none_of(records, [](const TlsaRecord& r) { return r.usage == 3; });
  return error != kHostMismatch || names_matter ? Expected::NotAuthenticated : Expected::Unknown;
}

Verdict check_chain(const json& entry, const Document&) {
  const std::vector<TlsaRecord> records = records_of(entry.at("tlsa"));
  std::vector<std::string> chain;
  for (const std::string& pem : texts_at(entry, "chain")) chain.push_back(der_of(pem));
  const std::vector<std::string> names = {entry.at("base_domain").get<std::string>()};
  const Expected expected = expectation_of(entry, records);
  Expected got = Expected::Unusable;
  std::string detail;
  if (std::ranges::any_of(records, &TlsaRecord::usable)) {
    const CertificateVerdict verdict = verify_dane(chain, records, names, kNow);
    got = verdict.result == CertificateResult::Accepted ? Expected::Authenticated : Expected::NotAuthenticated;
    detail = verdict.detail;
  }
  if (expected == Expected::Unknown) return not_scored("the case does not say what SMTP makes of it");
  return {.good = expected == got,
          .expected = std::string(name_of(expected)),
          .got = fmt::format("{} {}", name_of(got), detail)};
}

Verdict check_lookup(const json&, const Document&) {
  return not_scored("needs a resolver with the zones of the suite");
}

}  // namespace

void run_dane(const Document& document, SuiteReport& report) {
  run_cases(document, {{{"tlsa", "chain", "base_domain"}, check_chain}, {{"name", "type", "expect"}, check_lookup}},
            report);
}

}  // namespace waxwing::conformance
