#include "tests/bench/sink_worker.h"

#include <string>
#include <utility>

#include "tests/bench/sink_session.h"

namespace waxwing::bench {
namespace {

constexpr Milliseconds kLinger{1'000};

}  // namespace

struct SinkWorker::Client {
  std::unique_ptr<Connection> connection;
  SinkSession session;
};

SinkWorker::SinkWorker(std::shared_ptr<const TlsServerContext> tls, Ledger& ids, SinkTotals& totals)
    : tls_(std::move(tls)), ids_(ids), totals_(totals) {}

SinkWorker::~SinkWorker() = default;

Result<Endpoint> SinkWorker::listen(const Endpoint& endpoint) {
  auto listener = Listener::open(loop_, endpoint,
                                 [this](std::unique_ptr<Connection> connection) { accept(std::move(connection)); });
  if (!listener) return tl::unexpected(listener.error());
  listener_ = std::move(*listener);
  return listener_->endpoint();
}

void SinkWorker::accept(std::unique_ptr<Connection> connection) {
  ++totals_.connections;
  auto owned = std::make_unique<Client>(
      Client{.connection = std::move(connection),
             .session = SinkSession(tls_ != nullptr, [this](const SinkSession::Message& message) {
               ++totals_.messages;
               totals_.octets += message.octets;
               ids_.add(message.message_id);
             })});
  Client* client = owned.get();
  clients_.emplace(client, std::move(owned));
  client->connection->set_callbacks({.on_connected = {},
                                     .on_bytes = [this, client](std::string_view octets) { read(*client, octets); },
                                     .on_secured = [client] { client->session.secured(); },
                                     .on_closed = [this, client](const std::optional<Error>&) { forget(*client); },
                                     .on_drained = {}});
  client->connection->write(SinkSession::greeting());
}

void SinkWorker::read(Client& client, std::string_view octets) {
  std::string replies;
  const SinkSession::Next next = client.session.feed(octets, replies);
  client.connection->write(replies);
  if (next == SinkSession::Next::StartTls) client.connection->start_tls(tls_->start());
  if (next == SinkSession::Next::Close) {
    client.connection->close(kLinger);
    forget(client);
  }
}

void SinkWorker::forget(Client& client) {
  clients_.erase(&client);
}

}  // namespace waxwing::bench
