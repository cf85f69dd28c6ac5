// An SMTP server that takes everything, counts it and writes the Message-ID of each message before its 250.

#include <csignal>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>
#include <vector>

#include "tests/bench/endpoint_text.h"
#include "tests/bench/ledger.h"
#include "tests/bench/sink_worker.h"
#include "transport/io/signal_watcher.h"

using namespace waxwing;
using namespace waxwing::bench;

namespace {

struct Options {
  std::string listen = "127.0.0.1:0";
  std::string certificate_file;
  std::string key_file;
  std::string ids_file;
  unsigned threads = 1;
};

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

int fail_with(const std::string& reason) {
  std::cerr << "smtp_sink: " << reason << '\n';
  return 1;
}

/// Runs all workers until a signal, the first on this thread.
void run(std::vector<std::unique_ptr<SinkWorker>>& workers) {
  const auto stop_all = [&workers] {
    for (const auto& worker : workers) worker->stop();
  };
  const SignalWatcher interrupt(workers.front()->loop(), SIGINT, stop_all);
  const SignalWatcher terminate(workers.front()->loop(), SIGTERM, stop_all);
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < workers.size(); ++i) threads.emplace_back([&worker = *workers[i]] { worker.run(); });
  workers.front()->run();
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Takes every message, and keeps only its Message-ID");
  app.add_option("--listen", options.listen, "ADDRESS:PORT; port 0 takes a free one, which is printed");
  auto* certificate = app.add_option("--certificate", options.certificate_file, "PEM chain; without it no STARTTLS");
  app.add_option("--key", options.key_file, "PEM key")->needs(certificate);
  app.add_option("--ids", options.ids_file, "file for the Message-IDs");
  app.add_option("--threads", options.threads)->check(CLI::Range(1, 64));
  CLI11_PARSE(app, argc, argv);

  auto endpoint = parse_endpoint(options.listen);
  if (!endpoint) return fail_with(endpoint.error().detail);
  std::shared_ptr<const TlsServerContext> tls;
  if (!options.certificate_file.empty()) {
    auto context = TlsServerContext::create(read_file(options.certificate_file), read_file(options.key_file));
    if (!context) return fail_with(context.error().detail);
    tls = *context;
  }
  Ledger ids(options.ids_file);
  SinkTotals totals;
  std::vector<std::unique_ptr<SinkWorker>> workers;
  for (unsigned i = 0; i < options.threads; ++i) {
    workers.push_back(std::make_unique<SinkWorker>(tls, ids, totals));
    const auto bound = workers.back()->listen(*endpoint);
    if (!bound) return fail_with(bound.error().detail);
    endpoint = *bound;
  }
  std::cout << nlohmann::json{{"listening", endpoint->str()}} << std::endl;
  run(workers);
  std::cout << nlohmann::json{{"connections", totals.connections.load()},
                              {"messages", totals.messages.load()},
                              {"octets", totals.octets.load()}}
            << std::endl;
  return 0;
}
