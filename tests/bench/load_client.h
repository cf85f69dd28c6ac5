#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/bench/ledger.h"
#include "tests/bench/load_message.h"
#include "transport/io/connection.h"
#include "transport/io/event_loop.h"
#include "transport/smtp/reply.h"
#include "transport/tls/tls_client_context.h"

namespace waxwing::bench {

enum class LoadTls { None, StartTls, Implicit };

struct LoadOptions {
  Endpoint server;
  LoadTls tls = LoadTls::None;
  std::string user;  ///< empty: no AUTH
  std::string password;
  std::string from;
  std::vector<std::string> to;  ///< taken in turn
  std::size_t messages_per_connection = 100;
  std::vector<std::size_t> sizes_octets = {4'096};  ///< taken in turn
  std::string id_prefix;
};

/// What all connections have seen.
struct LoadTotals {
  std::uint64_t acknowledged = 0;
  std::uint64_t refused = 0;             ///< messages answered with 4xx or 5xx
  std::uint64_t unknown = 0;             ///< messages sent whole, without any answer
  std::uint64_t failed_connections = 0;  ///< ended before their messages were sent
  std::vector<double> end_of_data_ms;    ///< from the final dot to its reply, of the acknowledged
  std::string first_failure;
};

/// One connection that submits its messages one after the other, as most mail libraries do: it waits for each reply.
class LoadClient {
 public:
  /// @param on_done  called once, inside which the client must not be destroyed
  LoadClient(EventLoop& loop, TlsClientContext& tls, const LoadOptions& options, std::size_t number, Ledger& ledger,
             LoadTotals& totals, std::function<void()> on_done);

  void start();

 private:
  using Step = void (LoadClient::*)(const SmtpReply&);

  void read(std::string_view octets);
  void send(std::string_view line, Step then);
  void secure();
  void say_hello();
  void next_message();
  void give_up(const std::string& reason);
  void finish();

  // A function per awaited reply.
  void on_greeting(const SmtpReply& reply);
  void on_hello(const SmtpReply& reply);
  void on_starttls(const SmtpReply& reply);
  void on_auth(const SmtpReply& reply);
  void on_mail(const SmtpReply& reply);
  void on_rcpt(const SmtpReply& reply);
  void on_data(const SmtpReply& reply);
  void on_end_of_data(const SmtpReply& reply);
  void on_reset(const SmtpReply& reply);
  void on_quit(const SmtpReply& reply);

  EventLoop& loop_;
  TlsClientContext& tls_;
  const LoadOptions& options_;
  std::size_t number_;
  Ledger& ledger_;
  LoadTotals& totals_;
  std::function<void()> on_done_;
  std::unique_ptr<Connection> connection_;
  SmtpReplyReader replies_;
  Step step_ = &LoadClient::on_greeting;
  bool secured_ = false;
  bool done_ = false;
  std::size_t sent_ = 0;  ///< messages begun
  LoadMessage message_;
  std::string date_ = current_date();
  std::optional<std::chrono::steady_clock::time_point> final_dot_;  ///< of a message without reply
};

}  // namespace waxwing::bench
