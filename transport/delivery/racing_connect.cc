#include "transport/delivery/racing_connect.h"

#include <utility>

namespace waxwing {

RacingConnect::RacingConnect(EventLoop& loop, std::vector<Candidate> candidates, Milliseconds stagger,
                             OnConnected on_connected, OnFailed on_failed)
    : loop_(loop),
      candidates_(std::move(candidates)),
      stagger_(stagger),
      on_connected_(std::move(on_connected)),
      on_failed_(std::move(on_failed)),
      timer_(loop, [this] { begin_next(); }) {
  begin_next();
}

void RacingConnect::begin_next() {
  const std::size_t candidate = attempts_.size();
  if (candidate >= candidates_.size()) return;
  attempts_.push_back(Connection::connect(loop_, candidates_[candidate].peer, candidates_[candidate].source));
  Connection::Callbacks callbacks;
  callbacks.on_connected = [this, candidate] { win(candidate); };
  callbacks.on_closed = [this, candidate](const std::optional<Error>& error) {
    lose(candidate, error.value_or(Error{ErrorKind::Unavailable, "closed by the peer"}));
  };
  callbacks.on_bytes = [](std::string_view) {};  // none comes before on_connected
  callbacks.on_secured = [] {};
  callbacks.on_drained = [] {};
  attempts_.back()->set_callbacks(std::move(callbacks));
  if (attempts_.size() < candidates_.size()) timer_.start(stagger_);
}

void RacingConnect::win(std::size_t candidate) {
  timer_.stop();
  auto connection = std::move(attempts_[candidate]);
  attempts_.clear();
  const auto on_connected = std::move(on_connected_);  // this may be gone when it returns
  on_connected(std::move(connection), candidate);
}

void RacingConnect::lose(std::size_t candidate, const Error& error) {
  details_ += details_.empty() ? error.detail : "; " + error.detail;
  if (error.kind == ErrorKind::NotFound) ++without_source_;
  attempts_[candidate].reset();
  if (++failed_ < candidates_.size()) {
    if (failed_ == attempts_.size()) begin_next();  // nobody else is under way
    return;
  }
  const auto on_failed = std::move(on_failed_);
  const ErrorKind kind = without_source_ == failed_ ? ErrorKind::NotFound : ErrorKind::Unavailable;
  on_failed(Error{kind, details_});
}

}  // namespace waxwing
