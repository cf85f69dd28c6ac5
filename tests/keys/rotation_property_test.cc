#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>
#include <thread>

#include "tests/keys/rotation_world.h"

namespace waxwing {
namespace {

constexpr std::uint64_t kHistories = 100'000;
constexpr int kHappenings = 6;
constexpr std::uint64_t kThreads = 2;

// Every fortieth history is followed to its end after the last fault, and every hundredth lasts forty times as long.
std::string play(std::uint64_t seed, RotationWorld& world) {
  const int happenings = seed % 100 == 0 ? 40 * kHappenings : kHappenings;
  for (int i = 0; i < happenings && world.broken.empty(); ++i) world.happen();
  if (seed % 40 == 0 && world.broken.empty()) world.converge();
  return world.broken;
}

TEST_CASE("in 100,000 random histories no signature lacks its record, a key is ready, and every crash is mended") {
  std::atomic<std::uint64_t> signatures = 0;
  std::atomic<std::uint64_t> rotations = 0;
  std::atomic<std::uint64_t> crashes = 0;
  std::mutex mutex;
  std::string broken;
  std::vector<std::thread> threads;
  for (std::uint64_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (std::uint64_t seed = thread; seed < kHistories; seed += kThreads) {
        RotationWorld world(seed);
        const std::string what = play(seed, world);
        signatures += world.signatures;
        rotations += world.rotations;
        crashes += world.crashes;
        if (what.empty()) continue;
        const std::lock_guard lock(mutex);
        if (broken.empty()) broken = "history " + std::to_string(seed) + ": " + what;
        return;
      }
    });
  }
  for (std::thread& each : threads) each.join();
  CHECK(broken == "");
  // The histories must have been worth living.
  CHECK(signatures > kHistories);
  CHECK(rotations > kHistories / 4);
  CHECK(crashes > kHistories / 4);
  WARN(kHistories << " histories: " << signatures << " signatures, " << rotations << " changes of the active key, "
                  << crashes << " crashes");
}

}  // namespace
}  // namespace waxwing
