#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/transport/delivery/delivery_world.h"
#include "tests/transport/delivery/https_peer.h"
#include "transport/dns/caching_resolver.h"
#include "transport/dns/validation_gate.h"
#include "transport/dns/validation_probe.h"

namespace waxwing::testing {

/// Who vouches for a certificate.
enum class Issuer { Public, Private, Itself };
enum class Dates { Valid, Expired };

/// A certificate of a scenario.
struct Identity {
  std::vector<std::string> names{};  ///< subjectAltName; empty: none
  Issuer issuer = Issuer::Public;
  Dates dates = Dates::Valid;
  std::string common_name = "whoever.example";
  test::TestKeyKind key_kind = test::TestKeyKind::P256;
  bool sends_issuer = false;
};

inline constexpr const char* kMx1 = "mx1.hosting.example";
inline constexpr const char* kMx2 = "mx2.hosting.example";

/// A scripted world under virtual time: DNS with its states below the real gate and cache, receiving hosts, a host of
/// MTA-STS policies, and a delivery agent. The peers watch: whatever a scenario expects, no command but EHLO and STARTTLS
/// may come outside TLS, and no host but the one that the scenario names may hear MAIL.
class TlsWorld {
 public:
  TlsWorld();
  ~TlsWorld();

  // What is published.

  struct Host {
    std::string name;
    test::TestCertificate certificate;
    std::unique_ptr<FakeSmtpServer> server;
  };

  /// Starts a receiving host on the next address, with address records in the given state.
  Host& host(const std::string& name, const Identity& identity, Status addresses = Status::Insecure,
             ServerScript script = {});
  /// With a certificate of a public authority for its own name.
  Host& good_host(const std::string& name, Status addresses = Status::Insecure, ServerScript script = {});

  void mx(Status status, const std::vector<std::string>& hosts, const std::string& domain = kReceiver);

  enum class Matching { Exact = 0, Sha256 = 1, Sha512 = 2 };
  /// rdata of a record for a certificate.
  [[nodiscard]] static std::string tlsa(int usage, int selector, Matching matching,
                                        const test::TestCertificate& certificate);
  [[nodiscard]] static std::string wrong_tlsa(int usage = 3, int selector = 1, Matching matching = Matching::Sha256);
  /// Publishes records of a host in the given state.
  void publish_tlsa(const std::string& base, const std::vector<std::string>& rdata, Status status = Status::Secure);
  /// One host kMx1 under a secure MX with these records.
  Host& dane_host(const Identity& identity, ServerScript script = {});

  /// Starts the policy host of kReceiver and publishes a record with that id.
  HttpsPeer& policy_host(const std::string& id = "1");
  void policy_record(const std::string& text, Status status = Status::Insecure);
  [[nodiscard]] std::shared_ptr<const TlsServerContext> context(const Identity& identity);

  // What happens.

  /// Lets one job be delivered and tells what came of it in one line, such as
  ///     delivered to mx1.hosting.example by dane, authenticated | tlsa success
  ///     deferred 4.7.5 | tlsa certificate-not-trusted
  /// where what follows the bar are the sessions that a TLS report counts, in order.
  [[nodiscard]] std::string deliver(DeliveryJob job);
  [[nodiscard]] std::string deliver(TlsRequest request = TlsRequest::None, TlsLevel minimum = TlsLevel::Encrypted,
                                    const std::string& domain = kReceiver);
  [[nodiscard]] static DeliveryJob job(const std::string& domain = kReceiver);

  /// The next message may be offered to this host although it does not take it.
  void expects_mail(const Host& host) { expected_ = &host; }
  /// Moves the clocks; cached answers, plans, policies and certificates grow old.
  void pass(Seconds time) { ahead_ += time; }
  /// Ends all connections that are kept, so that the next message needs a new one.
  void hang_up();
  /// What the resolver says about the name by which it is probed.
  void probe_again();

  [[nodiscard]] int asked(const std::string& name, RecordType type) { return scripted_.asked[{name, type}]; }
  [[nodiscard]] const DeliveryReport& report() const { return reports_.back(); }
  DeliveryAgent& agent();
  [[nodiscard]] WallTime wall_now() const { return loop.wall_now() + ahead_; }

  EventLoop loop;
  ScriptedDns dns;
  MemoryStsCache sts_cache;
  DeliveryAgent::Options options;
  test::TestCertificate public_authority;
  test::TestCertificate private_authority;

 private:
  [[nodiscard]] test::TestCertificate make(const Identity& identity);
  [[nodiscard]] std::shared_ptr<const TlsServerContext> serve(const Identity& identity,
                                                              const test::TestCertificate& certificate);
  [[nodiscard]] MonotonicTime now() const { return loop.now() + ahead_; }
  void check_peers(const DeliveryReport& report);
  void run_until(const std::function<bool()>& done);

  Milliseconds ahead_{0};
  ScriptedResolver scripted_{loop, dns};
  ValidationProbe probe_;
  ValidationGate gate_;
  CachingResolver resolver_;
  std::unique_ptr<TlsClientContext> tls_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::map<const Host*, std::size_t> mails_;
  const Host* expected_ = nullptr;
  std::unique_ptr<HttpsPeer> policy_host_;
  std::vector<DeliveryReport> reports_;
  std::unique_ptr<DeliveryAgent> agent_;
};

/// A server that offers more than EHLO's usual after STARTTLS.
[[nodiscard]] ServerScript offering_requiretls();
[[nodiscard]] ServerScript without_starttls();

}  // namespace waxwing::testing
