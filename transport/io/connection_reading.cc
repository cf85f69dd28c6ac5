#include <fmt/format.h>

#include <utility>

#include "policy/wipe.h"
#include "transport/io/connection_state.h"
#include "transport/io/socket_error.h"

namespace waxwing {
namespace {

// A peer that keeps sending after we have closed is cut off here, whatever time it has left.
constexpr std::size_t kMaxDiscardedOctets = 1'048'576;

}  // namespace

void Connection::State::update_reading() {
  const bool listens = !paused || handshaking() || (hears_end && inbox.empty());
  const bool open = phase == Phase::Open && callbacks != nullptr && !end && listens;
  const bool wanted = !peer_finished && (open || phase == Phase::Lingering);
  if (wanted == reading || phase == Phase::Closed) return;
  reading = wanted;
  if (!wanted) {
    uv_read_stop(stream());
    return;
  }
  const auto allocate = [](uv_handle_t* its_handle, std::size_t, uv_buf_t* buffer) {
    const std::span<char> room = of(its_handle->data).loop.read_buffer();
    *buffer = uv_buf_init(room.data(), static_cast<unsigned>(room.size()));
  };
  uv_read_start(stream(), allocate,
                [](uv_stream_t* its_stream, ssize_t count, const uv_buf_t*) { of(its_stream->data).on_read(count); });
}

void Connection::State::resume_reading() {
  paused = false;
  update_reading();
  if (!inbox.empty()) defer(&State::deliver_pending);
}

void Connection::State::on_read(ssize_t count) {
  if (count == 0 || phase == Phase::Closed) return;
  if (count == UV_EOF) {
    on_end_of_file();
    return;
  }
  if (count < 0) {
    if (phase == Phase::Lingering)
      abandon();
    else
      end_stream(stream_error(static_cast<int>(count), peer));
    return;
  }
  const std::span<char> octets = loop.read_buffer().first(static_cast<std::size_t>(count));
  on_octets({octets.data(), octets.size()});
  wipe(octets);  // a password may have been among them
}

void Connection::State::on_octets(std::string_view octets) {
  if (phase == Phase::Lingering) {
    discarded += octets.size();
    if (discarded > kMaxDiscardedOctets) abandon();
  } else if (session != nullptr) {
    feed_session(octets);
  } else {
    take(octets);
  }
}

void Connection::State::take(std::string_view octets) {
  if (!paused) return deliver(octets);
  inbox.append(octets);
  update_reading();
}

void Connection::State::on_end_of_file() {
  peer_finished = true;
  update_reading();
  if (phase == Phase::Lingering) {
    if (fin_sent) abandon();
  } else if (write_broken) {
    end_stream(stream_error(UV_ECONNRESET, peer));
  } else if (handshaking()) {
    end_stream(Error{ErrorKind::Unavailable, fmt::format("{} hung up during the TLS handshake", peer.str())});
  } else if (session != nullptr) {
    cut = true;
    end_stream(
        Error{ErrorKind::Unavailable, fmt::format("the connection with {} was cut without close_notify; the end of "
                                                  "what was sent may be missing",
                                                  peer.str())});
  } else {
    end_stream(std::nullopt);
  }
}

void Connection::State::deliver(std::string_view octets) {
  const auto current = callbacks;
  if (current != nullptr && current->on_bytes) current->on_bytes(octets);
}

void Connection::State::deliver_pending() {
  if (!inbox.empty() && !paused && phase == Phase::Open) deliver(std::exchange(inbox, {}).view());
  const bool unreported = phase == Phase::Connecting || phase == Phase::Open;
  if (!unreported || !end || !inbox.empty() || callbacks == nullptr) return;
  const auto current = std::exchange(callbacks, nullptr);
  if (end->error) {
    abandon();
  } else {
    phase = Phase::Over;
  }
  if (current->on_closed) current->on_closed(std::exchange(end->error, std::nullopt));
}

void Connection::State::end_stream(std::optional<Error> error) {
  if ((phase != Phase::Connecting && phase != Phase::Open) || end) return;
  end = End{std::move(error)};
  update_reading();
  defer(&State::deliver_pending);
}

}  // namespace waxwing
