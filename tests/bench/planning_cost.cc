// Times the planning of destinations from a cold cache (MX, addresses, TLSA, MTA-STS record), what a lookup from memory
// costs, and whether memory stays flat:
//
//   planning_cost [--json]
//
// The resolver on loopback is a process of its own (dns_responder.h), whose CPU time does not count. Exits 1 when a goal
// is missed.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/bench/cpu_time.h"
#include "tests/bench/dns_responder.h"
#include "transport/delivery/destination_planner.h"
#include "transport/dns/caching_resolver.h"
#include "transport/dns/getdns_resolver.h"
#include "transport/dns/validation_gate.h"
#include "transport/dns/validation_probe.h"

using namespace waxwing;

namespace {

constexpr int kDomains = 10'000;
constexpr int kAllDomains = 100'000;
constexpr int kAtOnce = 200;  // destinations being planned
constexpr int kWarmLookups = 500'000;
constexpr double kLeastPlansPerSecond = 1'500;
constexpr double kMostWarmMicroseconds = 5;
constexpr double kMostGrowth = 1.05;  // of memory, over the second half of all domains

/// One figure, and the goal that it must reach.
struct Figure {
  std::string name;
  double value;
  std::string unit;
  double goal;
  bool met;
};

class NoStsCache final : public StsCache {
 public:
  void find(const DomainName&, std::function<void(Result<std::optional<CachedStsPolicy>>)> on_found) override {
    on_found(std::optional<CachedStsPolicy>());
  }
  void keep(const DomainName&, const CachedStsPolicy&) override {}
};

double resident_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::atof(line.c_str() + 6) / 1'024;
  }
  return 0;
}

template <class Made>
Made must(Result<Made> made) {
  if (made) return std::move(*made);
  std::fprintf(stderr, "%s\n", made.error().detail.c_str());
  std::exit(2);
}

/// The stack of a worker, from the resolver to the planner.
class Planning {
 public:
  explicit Planning(std::uint16_t port)
      : stub_(must(GetdnsResolver::create(loop_, {.server = *IpAddress::parse("127.0.0.1"), .port = port}))),
        probe_(*stub_, {}, [](Milliseconds) {}),
        gate_(*stub_, probe_, "127.0.0.1"),
        resolver_(
            gate_, CachingResolver::Options(), [this] { return loop_.now(); },
            [this](std::function<void()> task) { loop_.post(std::move(task)); }),
        tls_(must(TlsClientContext::create(nullptr, [this] { return loop_.wall_now(); }))),
        planner_(std::make_shared<DestinationPlanner>(
            loop_, resolver_, *tls_, sts_cache_,
            DestinationPlanner::Options{.allow_non_global_addresses = true, .sts = {}})) {
    probe_.probe();
  }

  /// Plans the domains from the next one up to `end`; aborts when a plan is not what it must be.
  void plan_up_to(int end) {
    end_ = end;
    for (int i = 0; i < kAtOnce && next_ < end_; ++i) plan_next();
    loop_.run();
  }

  /// Asks `count` times for what is in memory.
  void ask_again(int count) {
    std::vector<Question> questions;
    for (int domain = next_ - 1'000; domain < next_; ++domain) {
      questions.push_back({"d" + std::to_string(domain) + ".example", RecordType::MX});
    }
    int left = count;
    std::function<void()> ask = [&] {
      constexpr int kInOneTurn = 100;
      for (int i = 0; i < kInOneTurn; ++i) {
        resolver_.resolve(questions[static_cast<std::size_t>(left + i) % questions.size()], [&](const Answer& answer) {
          if (answer.status != Answer::Status::Secure) std::abort();
          --left;
        });
      }
      left > 0 ? loop_.post(ask) : loop_.stop();
    };
    loop_.post(ask);
    loop_.run();
  }

 private:
  void plan_next() {
    const std::string domain = "d" + std::to_string(next_++) + ".example";
    ++outstanding_;
    planner_->plan(*DomainName::parse(domain), {}, nullptr,
                   [this](const std::shared_ptr<const PlannedDestination>& planned) {
                     const bool good = planned->plan.outcome == DestinationPlan::Outcome::Deliver &&
                                       planned->plan.hosts[0].requirement.method == TlsRequirement::Method::Dane;
                     if (!good) {
                       std::fprintf(stderr, "%s\n", planned->plan.reason.c_str());
                       std::abort();
                     }
                     --outstanding_;
                     if (next_ < end_) return plan_next();
                     if (outstanding_ == 0) loop_.stop();
                   });
  }

  EventLoop loop_;
  NoStsCache sts_cache_;
  std::unique_ptr<GetdnsResolver> stub_;
  ValidationProbe probe_;
  ValidationGate gate_;
  CachingResolver resolver_;
  std::unique_ptr<TlsClientContext> tls_;
  std::shared_ptr<DestinationPlanner> planner_;
  int next_ = 0;
  int end_ = 0;
  int outstanding_ = 0;
};

double wall_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::vector<Figure> measure(nlohmann::json& details) {
  const bench::DnsResponder responder;
  Planning planning(responder.port());
  const double cpu = bench::cpu_ms();
  const double wall = wall_ms();
  planning.plan_up_to(kDomains);
  const double spent_cpu = bench::cpu_ms() - cpu;
  details["wall_ms"] = wall_ms() - wall;
  details["cpu_ms"] = spent_cpu;
  details["responder_cpu_ms"] = responder.cpu_ms();

  const double warm = bench::cpu_ms();
  planning.ask_again(kWarmLookups);
  const double warm_us = (bench::cpu_ms() - warm) * 1'000 / kWarmLookups;

  planning.plan_up_to(kAllDomains / 2);
  const double half_way = resident_mib();
  planning.plan_up_to(kAllDomains);
  details["resident_mib"] = resident_mib();
  const double growth = resident_mib() / half_way;

  const double rate = kDomains * 1'000 / spent_cpu;
  return {
      {"plan destinations from a cold cache", rate, "a CPU second", kLeastPlansPerSecond, rate >= kLeastPlansPerSecond},
      {"look up from memory", warm_us, "µs", kMostWarmMicroseconds, warm_us < kMostWarmMicroseconds},
      {"memory after 100,000 destinations", growth, "of that after 50,000", kMostGrowth, growth <= kMostGrowth}};
}

}  // namespace

int main(int count, char** words) {
  nlohmann::json report;
  bool met = true;
  const std::vector<Figure> figures = measure(report["details"]);
  for (const Figure& figure : figures) {
    met = met && figure.met;
    report["figures"].push_back({{"name", figure.name},
                                 {"value", figure.value},
                                 {"unit", figure.unit},
                                 {"goal", figure.goal},
                                 {"met", figure.met}});
  }
  if (count > 1 && std::string(words[1]) == "--json") {
    std::cout << report.dump(2) << "\n";
  } else {
    for (const Figure& figure : figures) {
      std::printf("%-38s %10.2f %s, goal %.2f%s\n", figure.name.c_str(), figure.value, figure.unit.c_str(), figure.goal,
                  figure.met ? "" : "  MISSED");
    }
    std::cout << report["details"].dump() << "\n";
  }
  return met ? EXIT_SUCCESS : EXIT_FAILURE;
}
