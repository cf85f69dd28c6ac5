#include <utility>

#include "transport/io/connection_state.h"
#include "transport/io/socket_error.h"

namespace waxwing {

void Connection::State::write(std::string_view octets) {
  if (phase == Phase::Lingering || phase == Phase::Closed || write_broken || octets.empty()) return;
  if (session != nullptr) {
    write_to_session(octets);
  } else {
    send(octets);
  }
  if (callbacks == nullptr || !callbacks->on_drained || std::exchange(drain_due, true)) return;
  if (all_sent()) defer(&State::report_drained);
}

void Connection::State::send(std::string_view octets) {
  if (octets.empty() || write_broken) return;
  if (phase != Phase::Connecting && queued.empty() && in_flight.empty()) {
    const uv_buf_t buffer = uv_buf_init(const_cast<char*>(octets.data()), static_cast<unsigned>(octets.size()));
    const int sent = uv_try_write(stream(), &buffer, 1);
    if (sent < 0 && sent != UV_EAGAIN) {
      on_write_failed(sent);
      return;
    }
    if (sent > 0) octets.remove_prefix(static_cast<std::size_t>(sent));
  }
  queued.append(octets);
  start_write();
}

void Connection::State::start_write() {
  if (queued.empty() || !in_flight.empty() || phase == Phase::Connecting || phase == Phase::Closed) return;
  in_flight = std::exchange(queued, {});
  const uv_buf_t buffer = uv_buf_init(in_flight.data(), static_cast<unsigned>(in_flight.size()));
  const int status = uv_write(&write_request, stream(), &buffer, 1,
                              [](uv_write_t* request, int result) { of(request->handle->data).on_written(result); });
  if (status == 0) return;
  in_flight.clear();
  on_write_failed(status);
}

void Connection::State::on_written(int status) {
  in_flight = {};  // gives the memory back
  if (phase == Phase::Closed) return;
  if (status != 0) {
    on_write_failed(status);
    return;
  }
  start_write();
  if (!all_sent()) return;
  if (phase == Phase::Lingering) {
    send_fin();
  } else {
    report_drained();
  }
}

void Connection::State::on_write_failed(int status) {
  write_broken = true;
  drain_due = false;
  queued = {};
  before_secured = {};
  if (phase == Phase::Lingering) {
    abandon();
    return;
  }
  // A peer that says why and hangs up resets us while we still write; what it said is read before the end is met.
  const bool reset = status == UV_EPIPE || status == UV_ECONNRESET;
  if (!reset || !reading) end_stream(stream_error(status, peer));
}

void Connection::State::report_drained() {
  if (!drain_due || !all_sent() || phase != Phase::Open) return;
  drain_due = false;
  const auto current = callbacks;
  if (current != nullptr && current->on_drained) current->on_drained();
}

void Connection::State::send_fin() {
  const auto sent = [](uv_shutdown_t* request, int status) {
    State& state = of(request->handle->data);
    state.fin_sent = true;
    if (status != 0 || state.peer_finished) state.abandon();
  };
  if (uv_shutdown(&shutdown_request, stream(), sent) != 0) abandon();
}

}  // namespace waxwing
