#include "transport/delivery/racing_connect.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "tests/transport/delivery/delivery_world.h"
#include "transport/io/listener.h"

using namespace waxwing;
using namespace waxwing::testing;

namespace {

Endpoint loopback(std::uint16_t port) {
  return {*IpAddress::parse("127.0.0.1"), port};
}

/// A port that refuses: it is taken, and nobody listens.
class RefusingAddress {
 public:
  RefusingAddress() {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(socket_, name(), length_) == 0);
    REQUIRE(::getsockname(socket_, name(), &length_) == 0);
  }
  ~RefusingAddress() { ::close(socket_); }
  RefusingAddress(const RefusingAddress&) = delete;
  RefusingAddress& operator=(const RefusingAddress&) = delete;

  [[nodiscard]] Endpoint endpoint() const { return loopback(ntohs(address_.sin_port)); }

 protected:
  sockaddr* name() { return reinterpret_cast<sockaddr*>(&address_); }

  int socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address_{};
  socklen_t length_ = sizeof address_;
};

/// One that neither accepts nor refuses: its queue is full, so that the kernel drops what comes.
class SilentAddress : public RefusingAddress {
 public:
  SilentAddress() {
    REQUIRE(::listen(socket_, 0) == 0);
    for (int& client : clients_) {
      client = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      (void)::connect(client, name(), length_);
    }
  }
  ~SilentAddress() {
    for (const int client : clients_) ::close(client);
  }

 private:
  std::array<int, 4> clients_{};
};

/// A loop with an address that accepts everything.
struct Course {
  Course() {
    auto opened = Listener::open(loop, loopback(0), [](std::unique_ptr<Connection>) {});
    REQUIRE(opened);
    good = std::move(*opened);
  }

  void start(const std::vector<Endpoint>& endpoints, Milliseconds stagger) {
    std::vector<RacingConnect::Candidate> candidates;
    for (const Endpoint& endpoint : endpoints) candidates.push_back({endpoint, std::nullopt});
    race = std::make_unique<RacingConnect>(
        loop, candidates, stagger,
        [this](std::unique_ptr<Connection> connection, std::size_t candidate) {
          winner = candidate;
          reached = connection->peer().str();
          race.reset();
          loop.stop();
        },
        [this](const Error& error) {
          failure = error.detail;
          race.reset();
          loop.stop();
        });
  }

  /// Runs a race to its end.
  void run(const std::vector<Endpoint>& endpoints, Milliseconds stagger) {
    start(endpoints, stagger);
    CHECK_FALSE(winner);
    CHECK(failure.empty());
    loop.run();
  }

  EventLoop loop;
  std::unique_ptr<Listener> good;
  std::unique_ptr<RacingConnect> race;
  std::optional<std::size_t> winner;
  std::string reached;
  std::string failure;
};

constexpr Milliseconds kNever{3'600'000};

}  // namespace

TEST_CASE("the first address wins when it answers, and the second is not tried") {
  Course course;
  const SilentAddress other;
  course.run({course.good->endpoint(), other.endpoint()}, kNever);
  CHECK(course.winner == 0);
  CHECK(course.reached == course.good->endpoint().str());
}

TEST_CASE("an address that refuses hands over to the next at once") {
  Course course;
  const RefusingAddress refusing;
  course.run({refusing.endpoint(), course.good->endpoint()}, kNever);
  CHECK(course.winner == 1);
  CHECK(course.reached == course.good->endpoint().str());
}

TEST_CASE("an address that says nothing is overtaken by the next") {
  Course course;
  const SilentAddress silent;
  course.run({silent.endpoint(), course.good->endpoint()}, Milliseconds(5));
  CHECK(course.winner == 1);
}

TEST_CASE("when none answers, the failure tells of each") {
  Course course;
  const RefusingAddress first;
  const RefusingAddress second;
  course.run({first.endpoint(), second.endpoint()}, kNever);
  CHECK_FALSE(course.winner);
  CHECK(course.failure.find("; ") != std::string::npos);
}

TEST_CASE("a race that is given up is silent") {
  Course course;
  const SilentAddress silent;
  course.start({silent.endpoint(), course.good->endpoint()}, Milliseconds(1));
  course.race.reset();
  Timer end(course.loop, [&] { course.loop.stop(); });
  end.start(Milliseconds(20));
  course.loop.run();
  CHECK_FALSE(course.winner);
  CHECK(course.failure.empty());
}

TEST_CASE("a host that cannot be reached by IPv6 gets its mail by IPv4, over the same connection of the pool") {
  DeliveryWorld world;
  FakeSmtpServer& server = world.host(kHost1);
  world.dns.mx(kReceiver, Answer::Status::Insecure, {{10, kHost1}}).aaaa(kHost1, Answer::Status::Insecure, {"::1"});
  const auto report = world.deliver(DeliveryWorld::job());
  CHECK(report.recipients[0].kind == RecipientOutcome::Kind::Delivered);
  CHECK(report.peer == "127.0.0.2:" + std::to_string(world.options.port));
  CHECK(server.connections() == 1);
}
