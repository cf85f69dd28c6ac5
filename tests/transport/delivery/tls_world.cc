#include "tests/transport/delivery/tls_world.h"

#include <fmt/format.h>

#include <openssl/sha.h>

#include <utility>

namespace waxwing::testing {
namespace {

using Kind = RecipientOutcome::Kind;

constexpr const char* kPolicyHost = "mta-sts.receiver.example";

std::string sha512_octets(const std::string& octets) {
  std::string digest(SHA512_DIGEST_LENGTH, '\0');
  SHA512(reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size(),
         reinterpret_cast<std::uint8_t*>(digest.data()));
  return digest;
}

std::string describe(const DeliveryReport& report) {
  const RecipientOutcome& outcome = report.recipients.at(0);
  std::string text;
  if (outcome.kind == Kind::Delivered) {
    text = fmt::format("delivered to {} by {}, {}", report.mx_name, report.tls_method, tls_level_name(report.proven));
  } else {
    text = fmt::format("{} {}", outcome.kind == Kind::Bounced ? "bounced" : "deferred", outcome.status);
  }
  text += " |";
  for (const TlsSessionResult& result : report.tls_results) {
    text += fmt::format("{} {} {}", &result == report.tls_results.data() ? "" : ",",
                        tls_report_policy_type_name(result.policy.type),
                        result.failure ? tls_result_type_name(result.failure->type) : "success");
  }
  return text;
}

}  // namespace

ServerScript offering_requiretls() {
  ServerScript script;
  script.secured_ehlo = "250-mx.example\r\n250-PIPELINING\r\n250 REQUIRETLS\r\n";
  return script;
}

ServerScript without_starttls() {
  ServerScript script;
  script.ehlo = "250-mx.example\r\n250 PIPELINING\r\n";
  return script;
}

TlsWorld::TlsWorld()
    : probe_(scripted_, {}, [](Milliseconds) {}),
      gate_(scripted_, probe_, "127.0.0.1"),
      resolver_(
          gate_, CachingResolver::Options(), [this] { return now(); },
          [this](std::function<void()> task) { loop.post(std::move(task)); }) {
  const WallTime today = loop.wall_now();
  const auto authority = [today](const std::string& name) {
    return test::make_self_signed({name, {}, today - std::chrono::hours(1), today + std::chrono::hours(80'000), true});
  };
  public_authority = authority("Public Authority");
  private_authority = authority("Private Authority");
  auto anchors = TrustAnchors::from_pem(public_authority.pem);
  REQUIRE(anchors);
  auto context = TlsClientContext::create(std::make_shared<const TrustAnchors>(std::move(*anchors)),
                                          [this] { return wall_now(); });
  REQUIRE(context);
  tls_ = std::move(*context);
  options.port = 0;
  options.helo_name = "relay.example";
  options.allow_non_global_addresses = true;
  options.reply_timeout = Milliseconds(5'000);
  options.clock = {[this] { return now(); }, [this] { return wall_now(); }};
  dns.set(".", RecordType::A, Status::Secure, {});
  probe_.set_on_change([this](auto) {
    resolver_.clear();
    if (agent_) agent_->forget_plans();
  });
  probe_again();
}

TlsWorld::~TlsWorld() = default;

void TlsWorld::probe_again() {
  probe_.probe();
  bool known = false;
  loop.post([&known] { known = true; });  // after the answer, which is posted too
  run_until([&known] { return known; });
}

test::TestCertificate TlsWorld::make(const Identity& identity) {
  const WallTime today = loop.wall_now();
  test::CertificateSpec spec;
  spec.common_name = identity.common_name;
  spec.dns_names = identity.names;
  spec.not_before = today - std::chrono::hours(48);
  spec.not_after = today + std::chrono::hours(identity.dates == Dates::Valid ? 1'000 : -1);
  spec.key_kind = identity.key_kind;
  switch (identity.issuer) {
    case Issuer::Public:
      return test::issue(spec, public_authority);
    case Issuer::Private:
      return test::issue(spec, private_authority);
    case Issuer::Itself:
      break;
  }
  return test::make_self_signed(spec);
}

std::shared_ptr<const TlsServerContext> TlsWorld::serve(const Identity& identity,
                                                        const test::TestCertificate& certificate) {
  std::string chain = certificate.pem;
  if (identity.sends_issuer) {
    chain += identity.issuer == Issuer::Public ? public_authority.pem : private_authority.pem;
  }
  auto context = TlsServerContext::create(chain, certificate.key_pem);
  REQUIRE(context);
  return *context;
}

std::shared_ptr<const TlsServerContext> TlsWorld::context(const Identity& identity) {
  return serve(identity, make(identity));
}

TlsWorld::Host& TlsWorld::host(const std::string& name, const Identity& identity, Status addresses,
                               ServerScript script) {
  const std::string address = "127.0.0." + std::to_string(hosts_.size() + 2);
  auto host = std::make_unique<Host>();
  host->name = name;
  host->certificate = make(identity);
  host->server = std::make_unique<FakeSmtpServer>(loop, Endpoint{*IpAddress::parse(address), options.port},
                                                  serve(identity, host->certificate), std::vector{std::move(script)});
  options.port = host->server->endpoint().port;
  dns.a(name, addresses, {address}).aaaa(name, addresses, {});
  if (addresses == Status::Secure) publish_tlsa(name, {});
  hosts_.push_back(std::move(host));
  return *hosts_.back();
}

TlsWorld::Host& TlsWorld::good_host(const std::string& name, Status addresses, ServerScript script) {
  return host(name, {.names = {name}}, addresses, std::move(script));
}

TlsWorld::Host& TlsWorld::dane_host(const Identity& identity, ServerScript script) {
  mx(Status::Secure, {kMx1});
  return host(kMx1, identity, Status::Secure, std::move(script));
}

void TlsWorld::mx(Status status, const std::vector<std::string>& hosts, const std::string& domain) {
  std::vector<std::pair<int, std::string>> records;
  for (const std::string& name : hosts) records.emplace_back(10 * (static_cast<int>(records.size()) + 1), name);
  dns.mx(domain, status, std::move(records));
}

std::string TlsWorld::tlsa(int usage, int selector, Matching matching, const test::TestCertificate& certificate) {
  const std::string& data = selector == 0 ? certificate.der : certificate.public_key;
  std::string rdata{static_cast<char>(usage), static_cast<char>(selector), static_cast<char>(matching)};
  switch (matching) {
    case Matching::Exact:
      return rdata + data;
    case Matching::Sha256:
      return rdata + test::sha256_octets(data);
    case Matching::Sha512:
      break;
  }
  return rdata + sha512_octets(data);
}

std::string TlsWorld::wrong_tlsa(int usage, int selector, Matching matching) {
  test::TestCertificate nobody;
  nobody.der = nobody.public_key = "nobody has this";
  return tlsa(usage, selector, matching, nobody);
}

void TlsWorld::publish_tlsa(const std::string& base, const std::vector<std::string>& rdata, Status status) {
  std::vector<RecordData> records;
  for (const std::string& octets : rdata) records.push_back(TlsaRdata{octets});
  dns.set(fmt::format("_{}._tcp.{}", options.port, base), RecordType::TLSA, status, std::move(records));
}

HttpsPeer& TlsWorld::policy_host(const std::string& id) {
  policy_host_ = std::make_unique<HttpsPeer>(loop, context({.names = {kPolicyHost}}));
  options.sts_port = policy_host_->port();
  dns.a(kPolicyHost, Status::Insecure, {"127.0.0.1"}).aaaa(kPolicyHost, Status::Insecure, {});
  policy_record("v=STSv1; id=" + id + ";");
  return *policy_host_;
}

void TlsWorld::policy_record(const std::string& text, Status status) {
  dns.txt(std::string("_mta-sts.") + kReceiver, status, text.empty() ? std::vector<std::string>{} : std::vector{text});
}

DeliveryAgent& TlsWorld::agent() {
  if (!agent_) agent_ = std::make_unique<DeliveryAgent>(loop, resolver_, *tls_, sts_cache, options);
  return *agent_;
}

DeliveryJob TlsWorld::job(const std::string& domain) {
  return DeliveryWorld::job(domain);
}

std::string TlsWorld::deliver(TlsRequest request, TlsLevel minimum, const std::string& domain) {
  DeliveryJob made = job(domain);
  made.demands.request = request;
  made.demands.minimum = minimum;
  return deliver(std::move(made));
}

std::string TlsWorld::deliver(DeliveryJob its_job) {
  const std::size_t before = reports_.size();
  agent().deliver(std::move(its_job), [this](DeliveryReport report) { reports_.push_back(std::move(report)); });
  run_until([&] { return reports_.size() > before; });
  check_peers(reports_.back());
  return describe(reports_.back());
}

void TlsWorld::check_peers(const DeliveryReport& report) {
  for (const auto& host : hosts_) {
    CAPTURE(host->name);
    CHECK(host->server->in_clear().empty());
    const std::size_t mails = host->server->count("MAIL");
    const bool heard_mail = mails > std::exchange(mails_[host.get()], mails);
    const bool meant = report.recipients.at(0).kind == Kind::Delivered && report.peer == host->server->endpoint().str();
    CHECK(heard_mail == (meant || host.get() == expected_));
  }
  expected_ = nullptr;
}

void TlsWorld::hang_up() {
  for (const auto& host : hosts_) host->server->hang_up();
  run_until([this] {
    return std::ranges::all_of(hosts_, [](const auto& host) { return host->server->open_connections() == 0; });
  });
  Timer settled(loop, [this] { loop.stop(); });  // our end hears of it
  settled.start(Milliseconds(20));
  loop.run();
}

void TlsWorld::run_until(const std::function<bool()>& done) {
  bool late = false;
  Timer limit(loop, [&] {
    late = true;
    loop.stop();
  });
  limit.start(Milliseconds(20'000));
  Timer poll(loop, [&] {
    if (done()) return loop.stop();
    poll.start(Milliseconds(1));
  });
  poll.start(Milliseconds(0));
  loop.run();
  REQUIRE_FALSE(late);
}

}  // namespace waxwing::testing
