#include "policy/route_requirement.h"

#include <catch2/catch.hpp>

using namespace waxwing;
using Method = TlsRequirement::Method;
using Status = Answer::Status;

namespace {

const std::string kHost = "smtp.smart.example";

// A host that the configuration names.
HostFacts configured_host(Status addresses = Status::Insecure) {
  HostFacts host;
  host.mx_name = host.expanded_name = host.next_hop_domain = kHost;
  host.mx_status = Status::Secure;
  host.address_status = addresses;
  if (addresses == Status::Secure) host.tlsa = TlsaFacts{Status::Secure, kHost, {}, 0, {}};
  return host;
}

HostFacts mx_host(Status mx) {
  HostFacts host = configured_host();
  host.next_hop_domain = "smart.example";
  host.mx_status = mx;
  return host;
}

HostFacts with_tlsa(HostFacts host) {
  host.tlsa->records = {TlsaRecord{3, 1, 1, std::string(32, 'x')}};
  return host;
}

TlsDemands minimum(TlsLevel level) {
  return {level, TlsRequest::None, {}};
}

TlsDemands exception(TlsLevel level) {
  TlsDemands demands;
  demands.exception = TlsException{level, "their key roll failed", WallTime(std::chrono::hours(24 * 365 * 60))};
  return demands;
}

RouteTls route() {
  return {.route = "out"};
}

RouteTls with_pin() {
  RouteTls result = route();
  result.pins = {std::string(32, 'p')};
  return result;
}

RouteTls by_mx(bool logs_in) {
  RouteTls result = route();
  result.by_mx = true;
  result.logs_in = logs_in;
  return result;
}

}  // namespace

TEST_CASE("a route demands a certificate of the host that it names, although nothing is published", "[route]") {
  const auto requirement = decide_route_requirement(configured_host(), {}, {}, route());
  CHECK(requirement.method == Method::Pkix);
  CHECK(requirement.level == TlsLevel::Verified);
  CHECK(requirement.reference_identifiers == std::vector<std::string>{kHost});
  CHECK(requirement.authorities == nullptr);
  CHECK(requirement.reason ==
        "Route 'out' demands a certificate of a public authority that is valid for smtp.smart.example (RFC 9525 §6).");
}

TEST_CASE("usable TLSA records of the host make DANE mandatory on a route without pins and authorities", "[route]") {
  const auto requirement = decide_route_requirement(with_tlsa(configured_host(Status::Secure)), {}, {}, route());
  CHECK(requirement.method == Method::Dane);
  CHECK(requirement.level == TlsLevel::Authenticated);
  CHECK(
      requirement.reason.starts_with("Route 'out' demands verified TLS. smtp.smart.example has 1 usable TLSA record"));
}

TEST_CASE("a pinned key goes before what the host publishes", "[route]") {
  const auto requirement = decide_route_requirement(with_tlsa(configured_host(Status::Secure)), {}, {}, with_pin());
  CHECK(requirement.method == Method::Pin);
  CHECK(requirement.level == TlsLevel::Authenticated);
  CHECK(requirement.pins == with_pin().pins);
  CHECK(requirement.reason == "Route 'out' demands that smtp.smart.example proves the pinned key.");
}

TEST_CASE("a lookup that failed defers on a route, too", "[route]") {
  const Status status = GENERATE(Status::Bogus, Status::Failed);
  CHECK(decide_route_requirement(configured_host(status), {}, {}, route()).method == Method::Defer);
  CHECK(decide_route_requirement(configured_host(status), {}, {}, with_pin()).method == Method::Defer);
  HostFacts host = configured_host(Status::Secure);
  host.tlsa->status = status;
  const auto requirement = decide_route_requirement(host, {}, {}, route());
  CHECK(requirement.method == Method::Defer);
  CHECK(requirement.reason.starts_with("Route 'out': The TLSA lookup of smtp.smart.example"));
  CHECK(decide_route_requirement(host, {}, {}, with_pin()).method == Method::Pin);  // it does not depend on TLSA
}

TEST_CASE("rules of the relay raise what a route demands, and never lower it", "[route]") {
  CHECK(decide_route_requirement(configured_host(), {}, minimum(TlsLevel::Encrypted), route()).method == Method::Pkix);
  const auto strict = decide_route_requirement(configured_host(), {}, minimum(TlsLevel::Authenticated), route());
  CHECK(strict.method == Method::Defer);
  CHECK(strict.reason.starts_with("A rule of this relay asks for level authenticated, but on route 'out' "));
  CHECK(decide_route_requirement(configured_host(), {}, minimum(TlsLevel::Authenticated), with_pin()).method ==
        Method::Pin);
}

TEST_CASE("TLS-Required: No takes nothing from what the operator demands", "[route]") {
  TlsDemands demands;
  demands.request = TlsRequest::Optional;
  CHECK(decide_route_requirement(configured_host(), {}, demands, route()).method == Method::Pkix);
}

TEST_CASE("an exception of the recipient domain lowers a route, but never one with a login", "[route]") {
  const auto excepted = decide_route_requirement(configured_host(), {}, exception(TlsLevel::Encrypted), route());
  CHECK(excepted.method == Method::Opportunistic);
  CHECK(excepted.reason.find("their key roll failed") != std::string::npos);
  CHECK(excepted.reason.find("route 'out'") != std::string::npos);
  RouteTls login = route();
  login.logs_in = true;
  CHECK(decide_route_requirement(configured_host(), {}, exception(TlsLevel::Encrypted), login).method == Method::Pkix);
  CHECK(decide_route_requirement(configured_host(), {}, exception(TlsLevel::Verified), route()).method == Method::Pkix);
  TlsDemands required = exception(TlsLevel::Encrypted);
  required.request = TlsRequest::Required;
  CHECK(decide_route_requirement(configured_host(), {}, required, route()).method == Method::Pkix);
}

TEST_CASE("a name from MX records gets a login or REQUIRETLS only where the domain vouches for it", "[route]") {
  TlsDemands required;
  required.request = TlsRequest::Required;
  CHECK(decide_route_requirement(mx_host(Status::Insecure), {}, {}, by_mx(false)).method == Method::Pkix);
  CHECK(decide_route_requirement(mx_host(Status::Insecure), {}, required, by_mx(false)).method == Method::Defer);
  const auto login = decide_route_requirement(mx_host(Status::Insecure), {}, {}, by_mx(true));
  CHECK(login.method == Method::Defer);
  CHECK(login.reason.starts_with("Route 'out' logs in, and neither DNSSEC nor"));
  CHECK(decide_route_requirement(mx_host(Status::Secure), {}, {}, by_mx(true)).method == Method::Pkix);
  CHECK(decide_route_requirement(mx_host(Status::Secure), {}, required, by_mx(true)).method == Method::Pkix);
  StsFacts sts{StsPolicy{StsMode::Enforce, 86'400, {kHost}}, "smart.example"};
  CHECK(decide_route_requirement(mx_host(Status::Insecure), sts, {}, by_mx(true)).level == TlsLevel::Authenticated);
  RouteTls pinned = by_mx(true);
  pinned.pins = {std::string(32, 'p')};
  CHECK(decide_route_requirement(mx_host(Status::Insecure), {}, {}, pinned).method == Method::Pin);
}

TEST_CASE("an enforced policy of the next-hop domain keeps a route from hosts outside its list", "[route]") {
  const StsFacts sts{StsPolicy{StsMode::Enforce, 86'400, {"other.smart.example"}}, "smart.example"};
  CHECK(decide_route_requirement(mx_host(Status::Insecure), sts, {}, by_mx(false)).method == Method::Defer);
}

TEST_CASE("requirements with other pins or authorities share neither connections nor sessions", "[route]") {
  const auto key = [](const RouteTls& tls) {
    return decide_route_requirement(configured_host(), {}, {}, tls).sharing_key();
  };
  RouteTls other_pin = with_pin();
  other_pin.pins = {std::string(32, 'q')};
  CHECK(key(with_pin()) != key(other_pin));
  CHECK(key(with_pin()) != key(route()));
  CHECK(key(with_pin()) == key(with_pin()));
}
