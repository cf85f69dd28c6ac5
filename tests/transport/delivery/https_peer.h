#pragma once

#include <catch2/catch.hpp>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "transport/io/listener.h"
#include "transport/tls/tls_server_context.h"

namespace waxwing::testing {

/// A host of MTA-STS policies on 127.0.0.1: says `response` to each request and ends the stream.
class HttpsPeer {
 public:
  HttpsPeer(EventLoop& loop, std::shared_ptr<const TlsServerContext> tls) : tls_(std::move(tls)) {
    auto opened = Listener::open(loop, {*IpAddress::parse("127.0.0.1"), 0},
                                 [this](std::unique_ptr<Connection> taken) { accept(std::move(taken)); });
    REQUIRE(opened);
    listener_ = std::move(*opened);
  }

  [[nodiscard]] std::uint16_t port() const { return listener_->endpoint().port; }
  void use(std::shared_ptr<const TlsServerContext> tls) { tls_ = std::move(tls); }

  void serve_text(const std::string& body, const std::string& content_type = "text/plain") {
    response = "HTTP/1.1 200 OK\r\nContent-Type: " + content_type +
               "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  void serve(const std::string& mode, const std::string& mx, int max_age = 86'400) {
    serve_text("version: STSv1\r\nmode: " + mode + "\r\nmx: " + mx + "\r\nmax_age: " + std::to_string(max_age) +
               "\r\n");
  }
  void answer(const std::string& status, const std::string& fields = "") {
    response = "HTTP/1.1 " + status + "\r\n" + fields + "Content-Length: 0\r\n\r\n";
  }

  std::string response = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
  std::vector<std::string> requests;
  std::size_t connections = 0;

 private:
  void accept(std::unique_ptr<Connection> taken) {
    ++connections;
    auto& [connection, request] = peers_.emplace_back(std::move(taken), std::string());
    Connection::Callbacks callbacks;
    callbacks.on_bytes = [this, peer = &peers_.back()](std::string_view octets) {
      peer->second += octets;
      if (!peer->second.ends_with("\r\n\r\n")) return;
      requests.push_back(peer->second);
      peer->first->write(response);
      peer->first->close(Milliseconds(1'000));
    };
    callbacks.on_secured = [] {};
    callbacks.on_closed = [](const std::optional<Error>&) {};
    callbacks.on_drained = [] {};
    connection->set_callbacks(std::move(callbacks));
    connection->start_tls(tls_->start());
  }

  std::shared_ptr<const TlsServerContext> tls_;
  std::unique_ptr<Listener> listener_;
  std::list<std::pair<std::unique_ptr<Connection>, std::string>> peers_;
};

}  // namespace waxwing::testing
