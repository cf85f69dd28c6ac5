#include "transport/io/connection.h"

#include <utility>

#include "transport/io/connection_state.h"

namespace waxwing {

std::unique_ptr<Connection> Connection::connect(EventLoop& loop, const Endpoint& peer,
                                                const std::optional<IpAddress>& source) {
  auto state = std::make_shared<State>(loop, peer);
  state->start_connecting(source);
  return std::unique_ptr<Connection>(new Connection(std::move(state)));
}

Connection::Connection(std::shared_ptr<State> state) : state_(std::move(state)) {}

Connection::~Connection() {
  if (state_->phase != State::Phase::Lingering) state_->abandon();
}

void Connection::set_callbacks(Callbacks callbacks) {
  state_->set_callbacks(std::move(callbacks));
}

void Connection::write(std::string_view octets) {
  state_->write(octets);
}

std::size_t Connection::pending_octets() const {
  return state_->before_secured.size() + state_->queued.size() + state_->in_flight.size();
}

void Connection::pause_reading() {
  state_->paused = true;
  state_->hears_end = false;
  state_->update_reading();
}

void Connection::await_end() {
  state_->paused = true;
  state_->hears_end = true;
  state_->update_reading();
}

void Connection::resume_reading() {
  state_->resume_reading();
}

void Connection::start_tls(std::unique_ptr<TlsSession> session, std::string_view first_octets) {
  state_->start_tls(std::move(session), first_octets);
}

std::optional<std::uint32_t> Connection::peer_uid() const {
  return state_->peer_uid;
}

const TlsSession* Connection::tls() const {
  return state_->session.get();
}

bool Connection::truncated() const {
  return state_->cut;
}

void Connection::close(Milliseconds linger) {
  state_->close(linger);
}

const Endpoint& Connection::peer() const {
  return state_->peer;
}

const Endpoint& Connection::local() const {
  return state_->local;
}

}  // namespace waxwing
