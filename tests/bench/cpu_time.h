#pragma once

#include <ctime>

#include <algorithm>

namespace waxwing::bench {

/// CPU time that this thread has used.
inline double cpu_ms() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

/// CPU time of one call of `work`: the least of several rounds, since whatever else runs on the machine only adds.
template <class Work>
double least_ms(Work work, int rounds, int calls_per_round = 1) {
  double least = 1e300;
  for (int round = 0; round < rounds; ++round) {
    const double start = cpu_ms();
    for (int call = 0; call < calls_per_round; ++call) work();
    least = std::min(least, (cpu_ms() - start) / calls_per_round);
  }
  return least;
}

}  // namespace waxwing::bench
