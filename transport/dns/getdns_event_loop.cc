#include "transport/dns/getdns_event_loop.h"

#include <uv.h>

#include <limits>
#include <optional>
#include <utility>

#include "transport/io/loop_handle.h"

namespace waxwing {
namespace {

constexpr std::uint64_t kNoTimeout = std::numeric_limits<std::uint64_t>::max();

// What waits on behalf of one getdns event. clear() may free the getdns event during its own callback; this object
// stays until libuv has closed the handle.
class Watch final : public LoopHandle {
 public:
  explicit Watch(getdns_eventloop_event& event) : event_(event) {}

  [[nodiscard]] bool watch_descriptor(EventLoop& loop, int descriptor) {
    const int wanted = (event_.read_cb != nullptr ? UV_READABLE : 0) | (event_.write_cb != nullptr ? UV_WRITABLE : 0);
    if (wanted == 0) return true;
    if (uv_poll_init(loop.native(), &handle_, descriptor) != 0) return false;
    handle_.data = static_cast<LoopHandle*>(this);
    polling_ = true;
    return uv_poll_start(&handle_, wanted, [](uv_poll_t* handle, int status, int happened) {
             static_cast<Watch*>(static_cast<LoopHandle*>(handle->data))->forward(status, happened);
           }) == 0;
  }

  void start_timer(EventLoop& loop, std::uint64_t timeout_ms) {
    timer_.emplace(loop, [this] { event_.timeout_cb(event_.userarg); });
    timer_->start(Milliseconds(timeout_ms));
  }

  // Ends the watch, now for getdns and in a later turn for libuv.
  void release() {
    cleared_ = true;
    timer_.reset();
    if (!polling_ || closed_) {
      delete this;
    } else if (uv_is_closing(reinterpret_cast<uv_handle_t*>(&handle_)) == 0) {
      abandon();
    }
  }

  void abandon() override {
    uv_close(reinterpret_cast<uv_handle_t*>(&handle_), [](uv_handle_t* handle) {
      auto* watch = static_cast<Watch*>(static_cast<LoopHandle*>(handle->data));
      watch->closed_ = true;
      if (watch->cleared_) delete watch;
    });
  }

 private:
  ~Watch() = default;

  // A socket with an error is given to whoever waits for it, who will meet the error.
  void forward(int status, int happened) {
    if (status < 0) happened = UV_READABLE | UV_WRITABLE;
    if ((happened & UV_READABLE) != 0 && event_.read_cb != nullptr) event_.read_cb(event_.userarg);
    if (!cleared_ && (happened & UV_WRITABLE) != 0 && event_.write_cb != nullptr) event_.write_cb(event_.userarg);
  }

  getdns_eventloop_event& event_;  // not to be touched once cleared_
  uv_poll_t handle_{};
  std::optional<Timer> timer_;
  bool polling_ = false;
  bool cleared_ = false;
  bool closed_ = false;
};

void do_nothing(getdns_eventloop*) {}
void do_nothing_once(getdns_eventloop*, int) {}

}  // namespace

GetdnsEventLoop::GetdnsEventLoop(EventLoop& loop) {
  // Only getdns's synchronous functions would run the loop themselves.
  static getdns_eventloop_vmt functions = {do_nothing, schedule, clear, do_nothing, do_nothing_once};
  extension_ = {.base = {.vmt = &functions}, .loop = &loop};
}

getdns_return_t GetdnsEventLoop::schedule(getdns_eventloop* base, int descriptor, std::uint64_t timeout_ms,
                                          getdns_eventloop_event* event) {
  EventLoop& loop = *reinterpret_cast<Extension*>(base)->loop;
  auto* watch = new Watch(*event);
  if (descriptor >= 0 && !watch->watch_descriptor(loop, descriptor)) {
    watch->release();
    return GETDNS_RETURN_GENERIC_ERROR;
  }
  if (timeout_ms != kNoTimeout && event->timeout_cb != nullptr) watch->start_timer(loop, timeout_ms);
  event->ev = watch;
  return GETDNS_RETURN_GOOD;
}

getdns_return_t GetdnsEventLoop::clear(getdns_eventloop*, getdns_eventloop_event* event) {
  if (event->ev == nullptr) return GETDNS_RETURN_GOOD;
  static_cast<Watch*>(std::exchange(event->ev, nullptr))->release();
  return GETDNS_RETURN_GOOD;
}

}  // namespace waxwing
