// Submits many messages over many connections at once and tells how long the server took for them.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "tests/bench/endpoint_text.h"
#include "tests/bench/load_client.h"

using namespace waxwing;
using namespace waxwing::bench;

namespace {

struct CommandLine {
  LoadOptions load;
  std::string connect;
  std::string password_file;
  std::string ledger_file;
  std::size_t connections = 20;
  bool starttls = false;
  bool implicit_tls = false;
};

int fail_with(const std::string& reason) {
  std::cerr << "smtp_load: " << reason << '\n';
  return 1;
}

/// Nearest rank. @param share  0 to 1
double percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

nlohmann::json report(LoadTotals totals, double seconds) {
  std::ranges::sort(totals.end_of_data_ms);
  return {{"acknowledged", totals.acknowledged},
          {"refused", totals.refused},
          {"unknown", totals.unknown},
          {"failed_connections", totals.failed_connections},
          {"first_failure", totals.first_failure},
          {"seconds", seconds},
          {"messages_per_second", static_cast<double>(totals.acknowledged) / seconds},
          {"eod_p50_ms", percentile(totals.end_of_data_ms, 0.5)},
          {"eod_p99_ms", percentile(totals.end_of_data_ms, 0.99)},
          {"eod_max_ms", percentile(totals.end_of_data_ms, 1)}};
}

/// Runs all connections to their end; gives the seconds that took.
double run(EventLoop& loop, TlsClientContext& tls, const CommandLine& line, LoadTotals& totals) {
  Ledger ledger(line.ledger_file);
  std::size_t running = line.connections;
  std::vector<std::unique_ptr<LoadClient>> clients;
  const auto on_done = [&loop, &running] {
    if (--running == 0) loop.stop();
  };
  for (std::size_t i = 0; i < line.connections; ++i) {
    clients.push_back(std::make_unique<LoadClient>(loop, tls, line.load, i, ledger, totals, on_done));
  }
  const auto start = std::chrono::steady_clock::now();
  for (const auto& client : clients) client->start();
  loop.run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void add_options(CLI::App& app, CommandLine& line) {
  app.add_option("--connect", line.connect, "ADDRESS:PORT of the server")->required();
  auto* user = app.add_option("--user", line.load.user, "AUTH PLAIN as this user");
  app.add_option("--password-file", line.password_file, "file whose first line is the password")->needs(user);
  app.add_option("--connections", line.connections)->check(CLI::Range(1, 10'000));
  app.add_option("--messages-per-connection", line.load.messages_per_connection)->check(CLI::Range(1, 10'000'000));
  app.add_option("--size", line.load.sizes_octets, "octets of each message; several are taken in turn")
      ->check(CLI::Range(1, 100'000'000));
  app.add_option("--from", line.load.from)->required();
  app.add_option("--to", line.load.to, "recipient; several are taken in turn")->required();
  app.add_option("--ledger", line.ledger_file, "file for the Message-ID of each acknowledged message");
  app.add_option("--id-prefix", line.load.id_prefix, "makes Message-IDs of this run unlike those of others");
  auto* starttls = app.add_flag("--starttls", line.starttls);
  app.add_flag("--tls", line.implicit_tls, "TLS from the first octet")->excludes(starttls);
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line;
  CLI::App app("Submits messages and measures the server");
  add_options(app, line);
  CLI11_PARSE(app, argc, argv);
  const auto server = parse_endpoint(line.connect);
  if (!server) return fail_with(server.error().detail);
  line.load.server = *server;
  if (line.starttls) line.load.tls = LoadTls::StartTls;
  if (line.implicit_tls) line.load.tls = LoadTls::Implicit;
  if (line.load.id_prefix.empty()) {
    line.load.id_prefix = std::to_string(std::chrono::system_clock::now().time_since_epoch().count());
  }
  if (!line.password_file.empty()) {
    std::ifstream file(line.password_file);
    if (!std::getline(file, line.load.password)) return fail_with("no password in '" + line.password_file + "'");
  }
  EventLoop loop;
  const auto tls = TlsClientContext::create(nullptr, [&loop] { return loop.wall_now(); });
  if (!tls) return fail_with(tls.error().detail);
  LoadTotals totals;
  const double seconds = run(loop, **tls, line, totals);
  const bool complete = totals.acknowledged == line.connections * line.load.messages_per_connection;
  std::cout << report(std::move(totals), seconds) << std::endl;
  return complete ? 0 : 2;
}
