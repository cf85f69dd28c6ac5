#include "transport/io/event_loop.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <csignal>
#include <iterator>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "transport/io/loop_handle.h"

namespace waxwing {
namespace {

constexpr std::size_t kReadBufferOctets = 65'536;

void ignore_sigpipe() {
  struct sigaction current {};
  if (sigaction(SIGPIPE, nullptr, &current) != 0 || current.sa_handler != SIG_DFL) return;
  current.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &current, nullptr);
}

}  // namespace

struct EventLoop::State {
  void run_posted();
  void release_handles();

  uv_loop_t loop{};
  uv_async_t wake{};                       ///< for tasks of other threads
  uv_idle_t turn{};                        ///< runs while there are own tasks: waking oneself costs two system calls
  std::vector<std::function<void()>> own;  ///< posted by the loop's thread while it runs
  std::atomic<std::thread::id> runs_on;    ///< no thread: run() is not under way
  std::array<char, kReadBufferOctets> read_buffer{};

  std::mutex mutex;  ///< guards what follows
  std::vector<std::function<void()>> posted;
  bool stopping = false;
  bool dying = false;
};

// What the loop's thread posted before run() stands with the tasks of others, so these come first.
void EventLoop::State::run_posted() {
  std::vector<std::function<void()>> tasks;
  bool stop_now = false;
  {
    const std::lock_guard lock(mutex);
    tasks.swap(posted);
    stop_now = std::exchange(stopping, false);
  }
  tasks.insert(tasks.end(), std::move_iterator(own.begin()), std::move_iterator(own.end()));
  own.clear();
  uv_idle_stop(&turn);
  for (std::function<void()>& task : tasks) std::exchange(task, nullptr)();
  if (stop_now) uv_stop(&loop);
}

void EventLoop::State::release_handles() {
  const auto release = [](uv_handle_t* handle, void*) {
    if (uv_is_closing(handle) != 0) return;
    if (handle->data == nullptr) {
      uv_close(handle, nullptr);
    } else {
      static_cast<LoopHandle*>(handle->data)->abandon();
    }
  };
  uv_walk(&loop, release, nullptr);
  uv_run(&loop, UV_RUN_DEFAULT);
}

EventLoop::EventLoop() : state_(std::make_unique<State>()) {
  ignore_sigpipe();
  [[maybe_unused]] int failed = uv_loop_init(&state_->loop);
  assert(failed == 0);
  state_->loop.data = state_.get();
  failed = uv_async_init(&state_->loop, &state_->wake,
                         [](uv_async_t* wake) { static_cast<State*>(wake->loop->data)->run_posted(); });
  assert(failed == 0);
  uv_idle_init(&state_->loop, &state_->turn);  // cannot fail
}

EventLoop::~EventLoop() {
  std::vector<std::function<void()>> unrun = std::exchange(state_->own, {});
  {
    const std::lock_guard lock(state_->mutex);
    state_->dying = true;
    std::move(state_->posted.begin(), state_->posted.end(), std::back_inserter(unrun));
    state_->posted.clear();
  }
  unrun.clear();  // before the handles: a task may own a connection
  while (uv_loop_close(&state_->loop) == UV_EBUSY) state_->release_handles();
}

void EventLoop::run() {
  state_->runs_on = std::this_thread::get_id();
  uv_run(&state_->loop, UV_RUN_DEFAULT);
  state_->runs_on = std::thread::id();
}

void EventLoop::stop() {
  const std::lock_guard lock(state_->mutex);
  if (state_->dying) return;
  state_->stopping = true;
  uv_async_send(&state_->wake);
}

void EventLoop::post(std::function<void()> task) {
  if (state_->runs_on.load(std::memory_order_relaxed) == std::this_thread::get_id()) {
    state_->own.push_back(std::move(task));
    uv_idle_start(&state_->turn, [](uv_idle_t* turn) { static_cast<State*>(turn->loop->data)->run_posted(); });
    return;
  }
  const std::lock_guard lock(state_->mutex);
  if (state_->dying) return;
  state_->posted.push_back(std::move(task));
  // Inside the lock: outside, the loop could run this task, stop and be destroyed before the wake-up is sent.
  if (state_->posted.size() == 1) uv_async_send(&state_->wake);
}

MonotonicTime EventLoop::now() const {
  return MonotonicTime(Milliseconds(uv_now(&state_->loop)));
}

WallTime EventLoop::wall_now() const {
  return std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
}

uv_loop_t* EventLoop::native() {
  return &state_->loop;
}

std::span<char> EventLoop::read_buffer() {
  return state_->read_buffer;
}

}  // namespace waxwing
