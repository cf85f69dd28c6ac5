#include "policy/tls_requirement.h"

#include <catch2/catch.hpp>

using namespace waxwing;
using Method = TlsRequirement::Method;
using Status = Answer::Status;

namespace {

TlsaRecord record(std::uint8_t usage) {
  return TlsaRecord{usage, 1, 1, std::string(32, 'x')};
}

TlsaFacts tlsa(Status status, std::vector<TlsaRecord> records) {
  TlsaFacts facts;
  facts.status = status;
  facts.base_domain = "mx.host.example";
  facts.records = std::move(records);
  return facts;
}

HostFacts secure_host(std::vector<TlsaRecord> records) {
  HostFacts host;
  host.mx_name = "mx.alias.example";
  host.expanded_name = "mx.host.example";
  host.next_hop_domain = "recipient.example";
  host.mx_status = host.address_status = Status::Secure;
  host.tlsa = tlsa(Status::Secure, std::move(records));
  return host;
}

HostFacts insecure_host() {
  HostFacts host;
  host.mx_name = host.expanded_name = "mx.alias.example";
  host.next_hop_domain = "recipient.example";
  return host;
}

StsFacts sts(StsMode mode, std::string pattern) {
  return StsFacts{StsPolicy{mode, 86400, {std::move(pattern)}}, "recipient.example"};
}

TlsRequirement decide(const HostFacts& host, const StsFacts& facts = {}, TlsLevel minimum = TlsLevel::Encrypted) {
  return decide_tls_requirement(host, facts, {minimum});
}

}  // namespace

TEST_CASE("a failed or bogus lookup defers the host, even where MTA-STS would allow it") {
  const StsFacts enforced = sts(StsMode::Enforce, "mx.alias.example");
  for (const Status broken : {Status::Bogus, Status::Failed}) {
    HostFacts mx = secure_host({record(3)});
    mx.mx_status = broken;
    CHECK(decide(mx, enforced).method == Method::Defer);
    HostFacts address = secure_host({record(3)});
    address.address_status = broken;
    CHECK(decide(address, enforced).method == Method::Defer);
    HostFacts records = secure_host({});
    records.tlsa = tlsa(broken, {});
    records.tlsa->detail = "SERVFAIL";
    CHECK(decide(records, enforced).method == Method::Defer);
    CHECK(decide(records, enforced).reason.find("SERVFAIL") != std::string::npos);
  }
}

TEST_CASE("TLSA records that were not asked for although the addresses are secure defer the host") {
  HostFacts host = secure_host({});
  host.tlsa.reset();
  CHECK(decide(host).method == Method::Defer);
}

TEST_CASE("a usable secure TLSA record makes DANE mandatory") {
  const TlsRequirement requirement = decide(secure_host({record(1), record(3)}));
  CHECK(requirement.method == Method::Dane);
  CHECK(requirement.level == TlsLevel::Authenticated);
  CHECK(requirement.tlsa == std::vector<TlsaRecord>{record(3)});
  CHECK(requirement.server_name == "mx.host.example");
  CHECK(requirement.reference_identifiers ==
        std::vector<std::string>{"mx.host.example", "mx.alias.example", "recipient.example"});
}

TEST_CASE("DANE under an insecure MX RRset stays mandatory but does not authenticate the domain") {
  HostFacts host = secure_host({record(3)});
  host.mx_status = Status::Insecure;
  const TlsRequirement requirement = decide(host);
  CHECK(requirement.method == Method::Dane);
  CHECK(requirement.level == TlsLevel::Verified);
  CHECK(requirement.reference_identifiers == std::vector<std::string>{"mx.host.example", "mx.alias.example"});
  CHECK(decide(host, {}, TlsLevel::Authenticated).method == Method::Defer);
  const TlsRequirement named = decide(host, sts(StsMode::Enforce, "mx.alias.example"), TlsLevel::Authenticated);
  CHECK(named.method == Method::Dane);
  CHECK(named.level == TlsLevel::Authenticated);
}

TEST_CASE(
    "DANE under an insecure MX RRset does not get around an enforced MTA-STS policy that does not list the host") {
  HostFacts host = secure_host({record(3)});
  host.mx_status = Status::Insecure;
  const TlsRequirement refused = decide(host, sts(StsMode::Enforce, "other.example"), TlsLevel::Plaintext);
  CHECK(refused.method == Method::Defer);
  CHECK(refused.reason ==
        "The MX records of recipient.example are not secured by DNSSEC, and its enforced MTA-STS policy does not list "
        "mx.alias.example (RFC 8461 §4.1).");
  CHECK(decide(host, sts(StsMode::Testing, "other.example")).method == Method::Dane);
  CHECK(decide(host, sts(StsMode::None, "other.example")).method == Method::Dane);
}

TEST_CASE("DANE under a secure MX RRset governs where an enforced MTA-STS policy does not list the host") {
  const TlsRequirement requirement = decide(secure_host({record(3)}), sts(StsMode::Enforce, "other.example"));
  CHECK(requirement.method == Method::Dane);
  CHECK(requirement.level == TlsLevel::Authenticated);
}

TEST_CASE("unusable TLSA records make TLS mandatory and leave MTA-STS in force") {
  const HostFacts host = secure_host({record(1)});
  const TlsRequirement alone = decide(host, {}, TlsLevel::Plaintext);
  CHECK(alone.method == Method::Opportunistic);
  CHECK(alone.level == TlsLevel::Encrypted);
  CHECK(alone.reason.find("usable") != std::string::npos);
  CHECK(decide(host, sts(StsMode::Enforce, "mx.alias.example")).method == Method::Pkix);
  HostFacts malformed = secure_host({});
  malformed.tlsa->malformed = 1;
  CHECK(decide(malformed, {}, TlsLevel::Plaintext).level == TlsLevel::Encrypted);
}

TEST_CASE("an insecure TLSA RRset is not relied on") {
  HostFacts host = secure_host({record(3)});
  host.tlsa->status = Status::Insecure;
  CHECK(decide(host).method == Method::Opportunistic);
}

TEST_CASE("an enforced MTA-STS policy asks for a certificate of the MX name") {
  const TlsRequirement requirement = decide(insecure_host(), sts(StsMode::Enforce, "*.alias.example"));
  CHECK(requirement.method == Method::Pkix);
  CHECK(requirement.level == TlsLevel::Authenticated);
  CHECK(requirement.server_name == "mx.alias.example");
  CHECK(requirement.reference_identifiers == std::vector<std::string>{"mx.alias.example"});
}

TEST_CASE("an enforced MTA-STS policy refuses an MX outside its list") {
  const TlsRequirement requirement = decide(insecure_host(), sts(StsMode::Enforce, "other.example"));
  CHECK(requirement.method == Method::Defer);
  CHECK(requirement.reason.find("does not list mx.alias.example") != std::string::npos);
}

TEST_CASE("MTA-STS in testing mode changes nothing about delivery") {
  const TlsRequirement requirement = decide(insecure_host(), sts(StsMode::Testing, "other.example"));
  CHECK(requirement.method == Method::Opportunistic);
  CHECK(requirement.level == TlsLevel::Encrypted);
  CHECK(requirement.reason.find("mode testing") != std::string::npos);
  CHECK(requirement.reference_identifiers == std::vector<std::string>{"mx.alias.example"});  // for reports
  CHECK(decide(insecure_host()).reference_identifiers.empty());
}

TEST_CASE("a minimum raises what nobody published") {
  CHECK(decide(insecure_host(), {}, TlsLevel::Encrypted).method == Method::Opportunistic);
  const TlsRequirement verified = decide(insecure_host(), {}, TlsLevel::Verified);
  CHECK(verified.method == Method::Pkix);
  CHECK(verified.level == TlsLevel::Verified);
  CHECK(decide(insecure_host(), {}, TlsLevel::Authenticated).method == Method::Defer);
  CHECK(decide(insecure_host(), sts(StsMode::Enforce, "mx.alias.example"), TlsLevel::Authenticated).method ==
        Method::Pkix);
}

TEST_CASE("a minimum of plaintext gives up TLS only where no policy is published") {
  CHECK(decide(insecure_host(), {}, TlsLevel::Plaintext).level == TlsLevel::Plaintext);
  CHECK(decide(secure_host({record(3)}), {}, TlsLevel::Plaintext).method == Method::Dane);
  CHECK(decide(insecure_host(), sts(StsMode::Enforce, "mx.alias.example"), TlsLevel::Plaintext).method == Method::Pkix);
}

TEST_CASE("the sharing key tells requirements apart and ignores the order of records") {
  const TlsaRecord other{3, 1, 1, std::string(32, 'y')};
  const std::string key = decide(secure_host({record(3), other})).sharing_key();
  CHECK(key == decide(secure_host({other, record(3)})).sharing_key());
  CHECK(key != decide(secure_host({record(3)})).sharing_key());
  CHECK(decide(insecure_host()).sharing_key() != decide(insecure_host(), {}, TlsLevel::Verified).sharing_key());
}

TEST_CASE("domains share a host that DANE-EE proves, and not one that DANE-TA proves by name") {
  const auto key = [](std::uint8_t usage, const std::string& domain) {
    HostFacts host = secure_host({record(usage)});
    host.next_hop_domain = domain;
    return decide(host).sharing_key();
  };
  CHECK(key(3, "one.example") == key(3, "two.example"));
  CHECK(key(2, "one.example") != key(2, "two.example"));
}

TEST_CASE("REQUIRETLS asks for a host that the domain vouches for and that proves its name") {
  const auto required = [](const HostFacts& host, const StsFacts& facts = {}) {
    return decide_tls_requirement(host, facts, {TlsLevel::Encrypted, TlsRequest::Required});
  };
  SECTION("DANE under a secure MX RRset") {
    CHECK(required(secure_host({record(3)})).method == Method::Dane);
    CHECK(required(secure_host({record(3)})).level == TlsLevel::Authenticated);
  }
  SECTION("a public authority under a secure MX RRset, where nothing else asks for a certificate") {
    CHECK(decide(secure_host({})).method == Method::Opportunistic);
    const TlsRequirement requirement = required(secure_host({}));
    CHECK(requirement.method == Method::Pkix);
    CHECK(requirement.reference_identifiers == std::vector<std::string>{"mx.alias.example"});
  }
  SECTION("an enforced MTA-STS policy, not one in testing") {
    CHECK(required(insecure_host(), sts(StsMode::Enforce, "mx.alias.example")).level == TlsLevel::Authenticated);
    CHECK(required(insecure_host(), sts(StsMode::Testing, "mx.alias.example")).method == Method::Defer);
  }
  SECTION("nothing of that") {
    const TlsRequirement requirement = required(insecure_host());
    CHECK(requirement.method == Method::Defer);
    CHECK(requirement.reason.find("RFC 8689 §4.2.1") != std::string::npos);
    HostFacts forgeable = secure_host({record(3)});
    forgeable.mx_status = Status::Insecure;
    CHECK(required(forgeable).method == Method::Defer);
  }
  SECTION("a lookup that failed proves nothing") {
    HostFacts broken = secure_host({record(3)});
    broken.tlsa->status = Status::Bogus;
    CHECK(required(broken).method == Method::Defer);
  }
}

TEST_CASE("an exception gives up what the domain publishes and what the relay demands, never TLS, and says why") {
  const WallTime expires = std::chrono::sys_days(std::chrono::year(2027) / 1 / 31);
  TlsDemands demands{TlsLevel::Authenticated, TlsRequest::None,
                     TlsException{TlsLevel::Encrypted, "their key roll failed", expires}};
  const StsFacts enforced = sts(StsMode::Enforce, "other.example");
  HostFacts bogus_tlsa = secure_host({record(3)});
  bogus_tlsa.tlsa->status = Status::Bogus;
  for (const HostFacts& host : {secure_host({record(3)}), insecure_host(), bogus_tlsa}) {
    demands.exception->level = TlsLevel::Encrypted;
    for (const TlsRequest request : {TlsRequest::None, TlsRequest::Optional}) {
      demands.request = request;
      const TlsRequirement any_session = decide_tls_requirement(host, enforced, demands);
      CHECK(any_session.method == Method::Opportunistic);
      CHECK(any_session.level == TlsLevel::Encrypted);
      CHECK(any_session.reason.find("expires on 2027-01-31 (their key roll failed)") != std::string::npos);
    }
    demands.exception->level = TlsLevel::Verified;
    const TlsRequirement verified = decide_tls_requirement(host, enforced, demands);
    CHECK(verified.method == Method::Pkix);
    CHECK(verified.reference_identifiers == std::vector<std::string>{host.mx_name});
    demands.request = TlsRequest::Required;
    CHECK(decide_tls_requirement(host, enforced, demands).reason.find("exception") == std::string::npos);
  }
  demands.request = TlsRequest::None;
  HostFacts unknown_place = secure_host({});
  unknown_place.address_status = Status::Failed;
  CHECK(decide_tls_requirement(unknown_place, {}, demands).method == Method::Defer);
}

TEST_CASE("TLS-Required: No gives up what the domain publishes, never what the relay demands, and never TLS") {
  const auto optional = [](const HostFacts& host, const StsFacts& facts, TlsLevel minimum) {
    return decide_tls_requirement(host, facts, {minimum, TlsRequest::Optional});
  };
  const StsFacts enforced = sts(StsMode::Enforce, "other.example");
  HostFacts bogus_tlsa = secure_host({record(3)});
  bogus_tlsa.tlsa->status = Status::Bogus;
  for (const HostFacts& host : {secure_host({record(3)}), insecure_host(), bogus_tlsa}) {
    for (const TlsLevel minimum : {TlsLevel::Plaintext, TlsLevel::Encrypted}) {
      const TlsRequirement requirement = optional(host, enforced, minimum);
      CHECK(requirement.method == Method::Opportunistic);
      CHECK(requirement.level == TlsLevel::Encrypted);
      CHECK(requirement.reason.find("TLS-Required: No") != std::string::npos);
    }
    CHECK(optional(host, enforced, TlsLevel::Verified).method == Method::Pkix);
    CHECK(optional(host, enforced, TlsLevel::Authenticated).method == Method::Defer);
  }
  HostFacts unknown_place = secure_host({});
  unknown_place.address_status = Status::Failed;
  CHECK(optional(unknown_place, {}, TlsLevel::Encrypted).method == Method::Defer);
  HostFacts unknown_host = secure_host({});
  unknown_host.mx_status = Status::Bogus;
  CHECK(optional(unknown_host, {}, TlsLevel::Encrypted).method == Method::Defer);
}
