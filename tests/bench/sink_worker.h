#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "tests/bench/ledger.h"
#include "transport/io/connection.h"
#include "transport/io/event_loop.h"
#include "transport/io/listener.h"
#include "transport/tls/tls_server_context.h"

namespace waxwing::bench {

/// What all workers have counted.
struct SinkTotals {
  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> messages{0};
  std::atomic<std::uint64_t> octets{0};
};

/// One thread's loop with its listening socket and connections. Used on that thread only, but for stop().
class SinkWorker {
 public:
  /// @param tls  nullptr: STARTTLS is not offered
  SinkWorker(std::shared_ptr<const TlsServerContext> tls, Ledger& ids, SinkTotals& totals);
  ~SinkWorker();

  /// @errors  as Listener::open()
  [[nodiscard]] Result<Endpoint> listen(const Endpoint& endpoint);

  void run() { loop_.run(); }
  void stop() { loop_.stop(); }  ///< any thread
  [[nodiscard]] EventLoop& loop() { return loop_; }

 private:
  struct Client;
  void accept(std::unique_ptr<Connection> connection);
  void read(Client& client, std::string_view octets);
  void forget(Client& client);

  EventLoop loop_;
  std::shared_ptr<const TlsServerContext> tls_;
  Ledger& ids_;
  SinkTotals& totals_;
  std::unordered_map<Client*, std::unique_ptr<Client>> clients_;
  std::unique_ptr<Listener> listener_;
};

}  // namespace waxwing::bench
