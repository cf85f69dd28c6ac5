#include "transport/delivery/provider_connections.h"

#include <catch2/catch.hpp>
#include <thread>
#include <vector>

#include "tests/transport/delivery/delivery_world.h"

using namespace waxwing;
using namespace waxwing::testing;
using Status = Answer::Status;
using Kind = RecipientOutcome::Kind;

TEST_CASE("hosts under one registered domain are one provider, and a host under none is its own") {
  const ProviderConnections connections(1);
  CHECK(connections.provider_of("aspmx.l.google.com") == "google.com");
  CHECK(connections.provider_of("alt1.aspmx.l.google.com") == "google.com");
  CHECK(connections.provider_of("mx.shop.co.uk") == "shop.co.uk");
  CHECK(connections.provider_of("com") == "com");
  CHECK(connections.provider_of("not a name") == "not a name");
}

TEST_CASE("a provider has as many connections as it may, and others are not concerned") {
  ProviderConnections connections(2);
  CHECK(connections.take("a.example"));
  CHECK(connections.take("a.example"));
  CHECK_FALSE(connections.take("a.example"));
  CHECK(connections.take("b.example"));
  connections.give_back("a.example");
  CHECK(connections.count("a.example") == 1);
  CHECK(connections.take("a.example"));
}

TEST_CASE("many threads together never have more than the most") {
  ProviderConnections connections(3);
  std::atomic<int> open = 0;
  std::atomic<bool> too_many = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 2'000; ++round) {
        if (!connections.take("a.example")) continue;
        if (++open > 3) too_many = true;
        --open;
        connections.give_back("a.example");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_FALSE(too_many);
  CHECK(connections.count("a.example") == 0);
}

TEST_CASE("domains behind different hosts of one provider share its connections, and all mail gets through") {
  DeliveryWorld world;
  FakeSmtpServer& first = world.host(kHost1);
  FakeSmtpServer& second = world.host(kHost2);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  world.dns.mx("other.example", Status::Insecure, {{10, kHost2}});
  world.options.providers = std::make_shared<ProviderConnections>(1);
  world.options.idle_timeout = Milliseconds(15'000);
  std::size_t most = 0;
  for (int i = 0; i < 20; ++i) world.start(DeliveryWorld::job(i % 2 == 0 ? kReceiver : "other.example"));
  world.run_until([&] {
    most = std::max(most, world.options.providers->count("hosting.example"));
    return world.reports.size() == world.started;
  });
  for (const auto& report : world.reports) CHECK(report.recipients[0].kind == Kind::Delivered);
  CHECK(most == 1);
  CHECK(first.messages().size() == 10);
  CHECK(second.messages().size() == 10);
  world.destroy_agent();
  CHECK(world.options.providers->count("hosting.example") == 0);
}

TEST_CASE("a job waits while another loop has all connections of the provider, and goes when one is given back") {
  DeliveryWorld world;
  FakeSmtpServer& server = world.host(kHost1);
  world.dns.mx(kReceiver, Status::Insecure, {{10, kHost1}});
  world.options.providers = std::make_shared<ProviderConnections>(1);
  REQUIRE(world.options.providers->take("hosting.example"));
  world.start(DeliveryWorld::job());
  world.settle(Milliseconds(300));
  CHECK(server.connections() == 0);
  world.options.providers->give_back("hosting.example");
  world.wait();
  CHECK(world.reports[0].recipients[0].kind == Kind::Delivered);
}
