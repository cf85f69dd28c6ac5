#include <cassert>
#include <utility>

#include "transport/io/connection_state.h"

namespace waxwing {

bool Connection::State::handshaking() const {
  return session != nullptr && session->state() == TlsSession::State::Handshaking;
}

void Connection::State::start_tls(std::unique_ptr<TlsSession> its_session, std::string_view first_octets) {
  assert(session == nullptr);
  if (phase != Phase::Connecting && phase != Phase::Open) return;
  session = std::move(its_session);
  feed_session(first_octets);
  update_reading();
}

void Connection::State::feed_session(std::string_view ciphertext) {
  InputBuffer plaintext;
  const TlsSession::State reached = session->feed(ciphertext, plaintext);
  send(session->take_output());
  const bool established = reached == TlsSession::State::Established || reached == TlsSession::State::PeerClosed;
  if (established && !secured) announce_secured();
  if (secured && !plaintext.empty() && phase == Phase::Open) take(plaintext.view());
  if (reached == TlsSession::State::Failed) {
    end_stream(Error{ErrorKind::Unavailable, session->failure()});
  } else if (reached == TlsSession::State::PeerClosed) {
    end_stream(std::nullopt);
  }
}

void Connection::State::announce_secured() {
  secured = true;
  update_reading();
  if (!before_secured.empty()) write_to_session(std::exchange(before_secured, {}));
  if (drain_due && all_sent()) defer(&State::report_drained);
  const auto current = callbacks;
  if (current != nullptr && current->on_secured) current->on_secured();
}

void Connection::State::write_to_session(std::string_view octets) {
  if (handshaking()) {
    before_secured += octets;
    return;
  }
  session->write(octets);
  send(session->take_output());
  if (session->state() == TlsSession::State::Failed) end_stream(Error{ErrorKind::Unavailable, session->failure()});
}

}  // namespace waxwing
