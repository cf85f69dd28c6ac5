#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace waxwing {

/// Threads for work that would hold up an event loop: signatures and password hashes. Each kind has its own pool, so
/// that guessed passwords do not delay signatures. Thread-safe.
class WorkPool {
 public:
  /// @param max_waiting  tasks that may wait for a thread
  WorkPool(std::size_t threads, std::size_t max_waiting);
  ~WorkPool();  ///< stop()
  WorkPool(const WorkPool&) = delete;
  WorkPool& operator=(const WorkPool&) = delete;

  /// Runs `task` on one of the threads.
  /// @return  false: too much is waiting already, and `task` will not run
  [[nodiscard]] bool submit(std::function<void()> task);

  /// Finishes what is running, drops what waits, and takes no more.
  void stop();

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> waiting_;
  std::size_t max_waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace waxwing
