#include "transport/destination/host_discovery.h"

#include <fmt/format.h>

#include <algorithm>

#include "transport/destination/destination_plan.h"
#include "transport/destination/shuffle.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxNameOctets = 253;

std::vector<IpAddress> shuffled_addresses(const Answer& answer, std::mt19937_64& random) {
  std::vector<IpAddress> addresses;
  for (const RecordData& data : answer.records) {
    if (const auto* address = std::get_if<IpAddress>(&data)) addresses.push_back(*address);
  }
  std::ranges::sort(addresses);
  const auto repeated = std::ranges::unique(addresses);
  addresses.erase(repeated.begin(), repeated.end());
  shuffle_runs(
      addresses, [](const IpAddress&, const IpAddress&) { return true; }, random);
  if (addresses.size() > kMaxAddressesPerHost) addresses.resize(kMaxAddressesPerHost);
  return addresses;
}

// IPv6 first, then in turn, so that a family that does not work costs one attempt (RFC 8305 §4).
std::vector<IpAddress> interleave(const std::vector<IpAddress>& v6, const std::vector<IpAddress>& v4) {
  std::vector<IpAddress> result;
  for (std::size_t i = 0; i < std::max(v6.size(), v4.size()); ++i) {
    if (i < v6.size()) result.push_back(v6[i]);
    if (i < v4.size()) result.push_back(v4[i]);
  }
  return result;
}

void read_addresses(const Answer& v4, const Answer& v6, std::mt19937_64& random, DiscoveredHost& host) {
  const Answer& worse = v4.status > v6.status ? v4 : v6;  // the enumerators go from the best to the worst
  host.facts.address_status = worse.status;
  host.facts.address_detail = worse.detail;
  const Answer& named = v4.records.empty() && !v6.records.empty() ? v6 : v4;
  host.facts.expanded_name =
      named.usable() && !named.canonical_name.empty() ? named.canonical_name : host.facts.mx_name;
  const std::vector<IpAddress> v6_addresses = shuffled_addresses(v6, random);
  host.addresses = interleave(v6_addresses, shuffled_addresses(v4, random));
}

TlsaFacts read_tlsa(const std::string& base_domain, const Answer& answer) {
  TlsaFacts facts;
  facts.status = answer.status;
  facts.base_domain = base_domain;
  facts.detail = answer.detail;
  for (const RecordData& data : answer.records) {
    const auto* rdata = std::get_if<TlsaRdata>(&data);
    if (rdata == nullptr) continue;
    if (auto record = TlsaRecord::from_rdata(rdata->octets)) {
      facts.records.push_back(std::move(*record));
    } else {
      ++facts.malformed;
    }
  }
  return facts;
}

// A lookup that failed is as final as one that found records: the next name must not paper over it.
bool settles(const TlsaFacts& facts) {
  if (facts.status == Answer::Status::Bogus || facts.status == Answer::Status::Failed) return true;
  return facts.status == Answer::Status::Secure && (!facts.records.empty() || facts.malformed > 0);
}

std::optional<TlsaFacts> find_tlsa(const std::string& base_domain, std::uint16_t port, Answers& answers) {
  const std::string name = fmt::format("_{}._tcp.{}", port, base_domain);
  if (name.size() > kMaxNameOctets) {  // such a name cannot exist, which is as good as a proof
    TlsaFacts none;
    none.status = Answer::Status::Secure;
    none.base_domain = base_domain;
    return none;
  }
  const Answer* answer = answers.find({name, RecordType::TLSA});
  if (answer == nullptr) return std::nullopt;
  return read_tlsa(base_domain, *answer);
}

// Names at which TLSA records count, in order; no value: something has to be asked first. A failed question about the
// alias goes to `broken`.
std::optional<std::vector<std::string>> tlsa_base_domains(const HostFacts& facts, Answers& answers,
                                                          std::optional<TlsaFacts>& broken) {
  const bool alias = facts.expanded_name != facts.mx_name;
  if (facts.address_status == Answer::Status::Secure) {
    if (!alias) return std::vector{facts.mx_name};
    return std::vector{facts.expanded_name, facts.mx_name};
  }
  if (facts.address_status != Answer::Status::Insecure || !alias) return std::vector<std::string>();
  const Answer* cname = answers.find({facts.mx_name, RecordType::CNAME});
  if (cname == nullptr) return std::nullopt;
  if (!cname->usable()) {
    broken = TlsaFacts{cname->status, facts.mx_name, {}, 0, "the alias itself: " + cname->detail};
    return std::vector<std::string>();
  }
  if (cname->status != Answer::Status::Secure) return std::vector<std::string>();
  return std::vector{facts.mx_name};
}

}  // namespace

std::optional<DiscoveredHost> discover_host(HostFacts facts, std::uint16_t port, Answers& answers,
                                            std::mt19937_64& random) {
  const Answer* v6 = answers.find({facts.mx_name, RecordType::AAAA});
  const Answer* v4 = answers.find({facts.mx_name, RecordType::A});
  if (v6 == nullptr || v4 == nullptr) return std::nullopt;
  DiscoveredHost host;
  host.facts = std::move(facts);
  read_addresses(*v4, *v6, random, host);
  if (host.addresses.empty()) return host;

  const auto names = tlsa_base_domains(host.facts, answers, host.facts.tlsa);
  if (!names) return std::nullopt;
  for (const std::string& name : *names) {
    host.facts.tlsa = find_tlsa(name, port, answers);
    if (!host.facts.tlsa) return std::nullopt;
    if (settles(*host.facts.tlsa)) break;
  }
  return host;
}

}  // namespace waxwing
