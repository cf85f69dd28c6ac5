#pragma once

#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/transport/delivery/fake_smtp_server.h"
#include "tests/transport/destination/scripted_dns.h"
#include "transport/delivery/delivery_agent.h"

namespace waxwing::testing {

/// Answers from a ScriptedDns, in a later turn of the loop.
class ScriptedResolver : public Resolver {
 public:
  ScriptedResolver(EventLoop& loop, const ScriptedDns& dns) : loop_(loop), dns_(dns) {}
  void resolve(const Question& question, OnAnswer on_answer) override {
    ++asked[question];
    loop_.post([this, question, on_answer = std::move(on_answer)] { on_answer(dns_.answer(question)); });
  }
  std::map<Question, int> asked;

 private:
  EventLoop& loop_;
  const ScriptedDns& dns_;
};

class MemoryStsCache : public StsCache {
 public:
  void find(const DomainName& domain, std::function<void(Result<std::optional<CachedStsPolicy>>)> on_found) override {
    if (unreadable) return on_found(fail(ErrorKind::Corrupt, "the cache is damaged"));
    const auto found = kept.find(domain.str());
    on_found(found == kept.end() ? std::optional<CachedStsPolicy>() : std::optional(found->second));
  }
  void keep(const DomainName& domain, const CachedStsPolicy& policy) override { kept[domain.str()] = policy; }
  std::map<std::string, CachedStsPolicy> kept;
  bool unreadable = false;  ///< every look fails
};

/// Content in pieces; fails at the piece `fail_at`.
class StringContent : public ContentSource {
 public:
  explicit StringContent(std::string text, std::optional<std::size_t> fail_at = {})
      : text_(std::move(text)), fail_at_(fail_at) {}
  std::uint64_t size_octets() const override { return text_.size(); }
  Result<std::string_view> next() override {
    if (fail_at_ && at_ >= *fail_at_) return fail(ErrorKind::Unavailable, "the spool file is gone");
    const std::string_view piece = std::string_view(text_).substr(at_, 65'536);
    at_ += piece.size();
    return piece;
  }
  Result<void> rewind() override {
    at_ = 0;
    return {};
  }

 private:
  std::string text_;
  std::optional<std::size_t> fail_at_;
  std::size_t at_ = 0;
};

inline constexpr const char* kReceiver = "receiver.example";
inline constexpr const char* kHost1 = "mx1.hosting.example";
inline constexpr const char* kHost2 = "mx2.hosting.example";

/// An agent, its DNS, and receiving hosts on 127.0.0.2, 127.0.0.3 … with one port for all.
class DeliveryWorld {
 public:
  DeliveryWorld() {
    const auto now = std::chrono::time_point_cast<Milliseconds>(std::chrono::system_clock::now());
    authority =
        test::make_self_signed({"Test Authority", {}, now - std::chrono::hours(1), now + std::chrono::hours(24), true});
    auto anchors = TrustAnchors::from_pem(authority.pem);
    REQUIRE(anchors);
    auto context = TlsClientContext::create(std::make_shared<const TrustAnchors>(std::move(*anchors)),
                                            [this] { return loop.wall_now(); });
    REQUIRE(context);
    tls = std::move(*context);
    options.port = 0;
    options.helo_name = "relay.example";
    options.allow_non_global_addresses = true;
    options.reply_timeout = Milliseconds(5'000);
  }

  /// A certificate of the test authority.
  test::TestCertificate certificate(const std::string& name) {
    const auto now = std::chrono::time_point_cast<Milliseconds>(std::chrono::system_clock::now());
    return test::issue({name, {name}, now - std::chrono::hours(1), now + std::chrono::hours(24)}, authority);
  }

  static std::shared_ptr<const TlsServerContext> server_context(const test::TestCertificate& certificate) {
    auto context = TlsServerContext::create(certificate.pem, certificate.key_pem);
    REQUIRE(context);
    return *context;
  }

  /// Starts a receiving host, with an address record in the given state.
  FakeSmtpServer& host(const std::string& name, std::vector<ServerScript> scripts = {ServerScript()},
                       Status status = Status::Insecure) {
    const std::string address = "127.0.0." + std::to_string(servers.size() + 2);
    certificates[name] = certificate(name);
    servers.push_back(std::make_unique<FakeSmtpServer>(loop, Endpoint{*IpAddress::parse(address), options.port},
                                                       server_context(certificates[name]), std::move(scripts)));
    options.port = servers.back()->endpoint().port;
    dns.a(name, status, {address}).aaaa(name, status, {});
    return *servers.back();
  }

  /// Publishes a TLSA record "3 1 1" for the key of a certificate.
  void publish_tlsa(const std::string& name, const test::TestCertificate& for_certificate) {
    dns.set("_" + std::to_string(options.port) + "._tcp." + name, RecordType::TLSA, Status::Secure,
            {TlsaRdata{std::string("\x03\x01\x01", 3) + test::sha256_octets(for_certificate.public_key)}});
  }

  DeliveryAgent& agent() {
    if (!agent_) agent_ = std::make_unique<DeliveryAgent>(loop, resolver, *tls, sts_cache, options);
    return *agent_;
  }
  void destroy_agent() { agent_.reset(); }

  static DeliveryJob job(const std::string& domain = kReceiver, std::size_t recipients = 1,
                         std::string content = "Subject: x\r\n\r\nbody\r\n") {
    DeliveryJob result{.id = "1", .domain = *DomainName::parse(domain)};
    result.reverse_path = address("sender@client.example");
    for (std::size_t i = 0; i < recipients; ++i) {
      result.recipients.push_back(address("user" + std::to_string(i) + "@" + domain));
    }
    result.content = std::make_unique<StringContent>(std::move(content));
    return result;
  }

  void start(DeliveryJob job) {
    ++started;
    agent().deliver(std::move(job), [this](DeliveryReport report) { reports.push_back(std::move(report)); });
  }

  /// Delivers one job and returns its report.
  DeliveryReport deliver(DeliveryJob job) {
    start(std::move(job));
    wait();
    return reports.back();
  }

  /// Waits for the reports of all started jobs.
  void wait() {
    run_until([this] { return reports.size() == started; });
  }

  void run_until(const std::function<bool()>& done) {
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

  void settle(Milliseconds time) {
    Timer timer(loop, [this] { loop.stop(); });
    timer.start(time);
    loop.run();
  }

  EventLoop loop;
  ScriptedDns dns;
  ScriptedResolver resolver{loop, dns};
  MemoryStsCache sts_cache;
  test::TestCertificate authority;
  std::unique_ptr<TlsClientContext> tls;
  DeliveryAgent::Options options;  ///< the port is that of the first host
  std::map<std::string, test::TestCertificate> certificates;
  std::vector<std::unique_ptr<FakeSmtpServer>> servers;
  std::vector<DeliveryReport> reports;
  std::size_t started = 0;

 private:
  std::unique_ptr<DeliveryAgent> agent_;
};

}  // namespace waxwing::testing
