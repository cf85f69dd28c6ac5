// Lives through many histories of the queue, each told by its seed, and says of which a promise was broken.

#include <fmt/format.h>
#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>

#include "tests/simulation/history.h"

namespace {

using waxwing::History;

constexpr std::size_t kMostShown = 5;

// In memory where there is such a folder: which octets survive is decided by the simulation alone.
std::string new_folder() {
  const bool in_memory = std::filesystem::is_directory("/dev/shm");
  std::string path = (in_memory ? "/dev/shm" : std::filesystem::temp_directory_path().string()) + "/waxwing-XXXXXX";
  return ::mkdtemp(path.data()) == nullptr ? std::string() : path;
}

History::Summary live_through(std::uint64_t seed, bool trace, bool lying_disk) {
  const std::string folder = new_folder();
  if (folder.empty()) {
    std::fputs("queue_simulation: cannot make a folder for the state\n", stderr);
    std::exit(2);
  }
  History::Summary summary = History({seed, folder, trace, lying_disk}).run();
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return summary;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t first = 1;
  std::uint64_t seeds = 100;
  bool trace = false;
  bool lying_disk = false;
  CLI::App app("Lives through simulated histories of the queue.");
  app.add_option("--first", first, "The first seed");
  app.add_option("--seeds", seeds, "How many seeds");
  app.add_flag("--trace", trace, "Log what happens, to standard error");
  app.add_flag("--lying-disk", lying_disk, "Lose what was synced: broken promises are expected");
  CLI11_PARSE(app, argc, argv);

  std::uint64_t failing = 0;
  History::Summary total;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    const History::Summary summary = live_through(seed, trace, lying_disk);
    total.delivered += summary.delivered;
    total.failed += summary.failed;
    total.repeated += summary.repeated;
    total.answered += summary.answered;
    total.deaths += summary.deaths;
    total.store_failures += summary.store_failures;
    if (summary.broken.empty()) continue;
    ++failing;
    for (std::size_t i = 0; i < summary.broken.size() && i < kMostShown; ++i)
      fmt::print("seed {}: {}\n", seed, summary.broken[i]);
    fmt::print("seed {}: {} broken promises; see it again with: {} --first {} --seeds 1 --trace\n", seed,
               summary.broken.size(), argv[0], seed);
  }
  fmt::print(
      "{} histories: {} delivered, {} failed, {} delivered again, {} answered while the client waited; {} deaths, {} "
      "times a failing disk; "
      "{} with broken promises\n",
      seeds, total.delivered, total.failed, total.repeated, total.answered, total.deaths, total.store_failures,
      failing);
  return failing == 0 ? 0 : 1;
}
