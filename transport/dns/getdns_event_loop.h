#pragma once

#include <getdns/getdns_extra.h>

#include "transport/io/event_loop.h"

namespace waxwing {

/// Lets a getdns context wait for its sockets and timers on one of our loops; the adapter that Debian ships for libuv
/// exports nothing as a shared library and crashes on TCP as a static one. Outlives every context it was given to.
class GetdnsEventLoop {
 public:
  explicit GetdnsEventLoop(EventLoop& loop);
  GetdnsEventLoop(const GetdnsEventLoop&) = delete;
  GetdnsEventLoop& operator=(const GetdnsEventLoop&) = delete;

  /// For getdns_context_set_eventloop().
  [[nodiscard]] getdns_eventloop* native() { return &extension_.base; }

 private:
  // getdns hands a pointer to `base` back, which is at the start of the extension.
  struct Extension {
    getdns_eventloop base;
    EventLoop* loop;
  };
  static getdns_return_t schedule(getdns_eventloop* base, int descriptor, std::uint64_t timeout_ms,
                                  getdns_eventloop_event* event);
  static getdns_return_t clear(getdns_eventloop* base, getdns_eventloop_event* event);

  Extension extension_;
};

}  // namespace waxwing
