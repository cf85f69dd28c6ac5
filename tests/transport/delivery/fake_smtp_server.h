#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/test_certificates.h"
#include "tests/transport/smtp/fake_server.h"
#include "transport/io/listener.h"
#include "transport/tls/tls_server_context.h"

namespace waxwing::testing {

/// A receiving host on loopback with TLS: plays a script on each connection, the next ones of `scripts` in order and
/// then the last one again and again. Notes what it saw, and in what order.
class FakeSmtpServer {
 public:
  FakeSmtpServer(EventLoop& loop, const Endpoint& endpoint, std::shared_ptr<const TlsServerContext> tls,
                 std::vector<ServerScript> scripts = {ServerScript()})
      : tls_(std::move(tls)), scripts_(std::move(scripts)) {
    auto opened =
        Listener::open(loop, endpoint, [this](std::unique_ptr<Connection> taken) { accept(std::move(taken)); });
    REQUIRE(opened);
    listener_ = std::move(*opened);
  }

  [[nodiscard]] const Endpoint& endpoint() const { return listener_->endpoint(); }
  [[nodiscard]] std::size_t connections() const { return connections_; }
  [[nodiscard]] std::size_t open_connections() const {
    return static_cast<std::size_t>(std::ranges::count_if(peers_, [](const Peer& peer) { return !peer.over; }));
  }
  [[nodiscard]] std::size_t most_open() const { return most_open_; }
  [[nodiscard]] std::vector<std::string> messages() const {
    std::vector<std::string> all;
    for (const Peer& peer : peers_) all.insert(all.end(), peer.dialogue.messages.begin(), peer.dialogue.messages.end());
    return all;
  }
  [[nodiscard]] std::vector<std::string> commands() const {
    std::vector<std::string> all;
    for (const Peer& peer : peers_) all.insert(all.end(), peer.dialogue.commands.begin(), peer.dialogue.commands.end());
    return all;
  }
  [[nodiscard]] std::size_t count(std::string_view command) const {
    const auto all = commands();
    return static_cast<std::size_t>(
        std::ranges::count_if(all, [&](const std::string& line) { return line.starts_with(command); }));
  }
  /// TLS sessions that resumed an earlier one.
  [[nodiscard]] std::size_t resumed() const { return resumed_; }
  /// Shows another certificate, and knows no ticket that was given before, from the next connection on.
  void use(std::shared_ptr<const TlsServerContext> tls) { tls_ = std::move(tls); }
  /// Commands other than EHLO and STARTTLS that came before TLS.
  [[nodiscard]] const std::vector<std::string>& in_clear() const { return in_clear_; }

  /// Ends all connections, as a server does that is restarted.
  void hang_up() {
    for (Peer& peer : peers_) end(peer);
  }

 private:
  struct Peer {
    explicit Peer(ServerScript script) : implicit_tls(script.implicit_tls), dialogue(std::move(script)) {}
    bool implicit_tls;
    std::unique_ptr<Connection> connection;
    FakeServer dialogue;
    bool secured = false;
    bool over = false;
  };

  void accept(std::unique_ptr<Connection> taken) {
    Peer& peer = peers_.emplace_back(scripts_[std::min(connections_, scripts_.size() - 1)]);
    ++connections_;
    most_open_ = std::max(most_open_, open_connections());
    peer.connection = std::move(taken);
    Connection::Callbacks callbacks;
    callbacks.on_bytes = [this, &peer](std::string_view octets) { take(peer, octets); };
    callbacks.on_secured = [this, &peer] { resumed_ += peer.connection->tls()->summary().resumed ? 1 : 0; };
    callbacks.on_closed = [&peer](const std::optional<Error>&) { peer.over = true; };
    callbacks.on_drained = [] {};
    peer.connection->set_callbacks(std::move(callbacks));
    if (peer.implicit_tls) {
      peer.secured = true;
      peer.connection->start_tls(tls_->start());
    }
    answer(peer);
  }

  void take(Peer& peer, std::string_view octets) {
    const std::size_t before = peer.dialogue.commands.size();
    peer.dialogue.take(octets);
    const bool starts = !peer.secured && !peer.dialogue.commands.empty() && peer.dialogue.commands.back() == "STARTTLS";
    if (!peer.secured) {
      for (std::size_t i = before; i < peer.dialogue.commands.size(); ++i) {
        const std::string& command = peer.dialogue.commands[i];
        if (!command.starts_with("EHLO") && command != "STARTTLS") in_clear_.push_back(command);
      }
    }
    const bool leave = answer(peer);
    if (starts && leave && !peer.over) {
      peer.secured = true;
      peer.connection->start_tls(tls_->start());
    }
  }

  /// Says what the script says; whether that was a leave to go on.
  bool answer(Peer& peer) {
    const std::string output = peer.dialogue.take_output();
    if (!output.empty()) peer.connection->write(output);
    if (peer.dialogue.cut()) end(peer);
    return output.starts_with("220");
  }

  static void end(Peer& peer) {
    if (!std::exchange(peer.over, true)) peer.connection->close(Milliseconds(1'000));
  }

  std::shared_ptr<const TlsServerContext> tls_;
  std::vector<ServerScript> scripts_;
  std::unique_ptr<Listener> listener_;
  std::list<Peer> peers_;
  std::vector<std::string> in_clear_;
  std::size_t connections_ = 0;
  std::size_t most_open_ = 0;
  std::size_t resumed_ = 0;
};

}  // namespace waxwing::testing
