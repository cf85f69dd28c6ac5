#include "transport/dns/recursing_resolver.h"

#include <stdlib.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <optional>
#include <thread>
#include <vector>

using namespace waxwing;
using Status = Answer::Status;

namespace {

// A file of trust anchors, removed at the end.
class AnchorFile {
 public:
  explicit AnchorFile(const std::string& text =
                          ". 3600 IN DS 20326 8 2 "
                          "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n") {
    REQUIRE(::mkstemp(path_.data()) >= 0);
    std::ofstream(path_) << text;
  }
  ~AnchorFile() { ::unlink(path_.c_str()); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/waxwing-anchor-XXXXXX";
};

// Nobody is a name server there.
RecursingResolver::Options nowhere(const AnchorFile& anchors) {
  return {.roots = {.trust_anchor_file = anchors.path(), .root_servers = {*IpAddress::parse("127.0.0.99")}},
          .timeout = Milliseconds(300)};
}

Answer ask_nowhere(const AnchorFile& anchors) {
  EventLoop loop;
  auto resolver = RecursingResolver::create(loop, nowhere(anchors));
  REQUIRE(resolver);
  std::optional<Answer> result;
  (*resolver)->resolve({"name.example", RecordType::A}, [&](const Answer& answer) {
    result = answer;
    loop.stop();
  });
  CHECK_FALSE(result);  // never inside resolve()
  loop.run();
  return *result;
}

}  // namespace

TEST_CASE("recursion that reaches no server is Failed", "[recursing_resolver]") {
  const AnchorFile anchors;
  const Answer answer = ask_nowhere(anchors);
  CHECK(answer.status == Status::Failed);
  CHECK_FALSE(answer.detail.empty());
}

TEST_CASE("recursion without trust anchors is refused, since it would find everything insecure",
          "[recursing_resolver]") {
  const std::string text =
      GENERATE(std::string(), std::string("; nothing but a comment\n"), std::string("example. 3600 IN A 192.0.2.1\n"));
  const AnchorFile anchors(text);
  EventLoop loop;
  const auto resolver = RecursingResolver::create(loop, nowhere(anchors));
  REQUIRE_FALSE(resolver);
  CHECK(resolver.error().kind == ErrorKind::Unavailable);
  CHECK_THAT(resolver.error().detail, Catch::Contains(anchors.path()));
}

TEST_CASE("more lookups than may be in flight are all answered", "[recursing_resolver]") {
  const AnchorFile anchors;
  EventLoop loop;
  auto resolver = RecursingResolver::create(loop, nowhere(anchors));
  REQUIRE(resolver);
  constexpr int kLookups = 30;
  int answered = 0;
  for (int i = 0; i < kLookups; ++i) {
    (*resolver)->resolve({"n" + std::to_string(i) + ".example", RecordType::A}, [&](const Answer&) {
      if (++answered == kLookups) loop.stop();
    });
  }
  loop.run();
  CHECK(answered == kLookups);
}

TEST_CASE("a recursing resolver may be destroyed inside a callback and with lookups outstanding",
          "[recursing_resolver]") {
  const AnchorFile anchors;
  EventLoop loop;
  auto resolver = RecursingResolver::create(loop, nowhere(anchors));
  REQUIRE(resolver);
  int calls = 0;
  for (int i = 0; i < 20; ++i) {
    (*resolver)->resolve({"n" + std::to_string(i) + ".example", RecordType::A}, [&](const Answer&) {
      ++calls;
      resolver->reset();
      loop.stop();
    });
  }
  loop.run();
  CHECK(calls == 1);
}

TEST_CASE("recursing resolvers in several threads do not disturb each other", "[recursing_resolver][threads]") {
  const AnchorFile anchors;
  std::vector<std::thread> threads;
  std::vector<Status> results(4, Status::Secure);
  for (Status& result : results) {
    threads.emplace_back([&result, &anchors] {
      EventLoop loop;
      auto resolver = RecursingResolver::create(loop, nowhere(anchors));
      if (!resolver) return;
      (*resolver)->resolve({"name.example", RecordType::A}, [&](const Answer& answer) {
        result = answer.status;
        loop.stop();
      });
      loop.run();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Status result : results) CHECK(result == Status::Failed);
}
