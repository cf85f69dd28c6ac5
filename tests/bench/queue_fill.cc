// Puts messages into a state directory through the store that the relay uses, all of them due, for a relay that starts with a
// long queue.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>

#include "policy/mail_address.h"
#include "relay/queue/queued_message.h"
#include "relay/store/sqlite_queue_store.h"

using namespace waxwing;

namespace {

struct Options {
  std::string state_directory;
  std::uint64_t recipients = 0;
  std::uint64_t recipients_per_message = 1;
  std::uint64_t domains = 100;
  std::uint64_t tenants = 1;
  std::size_t body_octets = 1'024;
  std::string domain_suffix = "sink.example";
  std::uint64_t due_in_s = 0;
};

// As many as the store thread puts into one transaction.
constexpr std::uint64_t kMessagesPerBatch = 1'000;

int fail_with(const Error& error) {
  std::cerr << "queue_fill: " << error.detail << '\n';
  return 1;
}

QueuedMessage make_message(const Options& options, QueueId id, std::uint64_t number, WallTime now) {
  QueuedMessage message;
  message.id = id;
  message.accepted = now;
  message.expires = now + Seconds{432'000};
  message.tenant = fmt::format("tenant{}", number % options.tenants);
  message.account = message.tenant;
  message.reverse_path = *MailAddress::parse("ann@sender.example");
  message.message_id = fmt::format("<{}@sender.example>", id.str());
  message.header =
      fmt::format("From: ann@sender.example\r\nSubject: {}\r\nMessage-ID: {}\r\n", number, message.message_id);
  while (message.body.size() < options.body_octets)
    message.body += "Nothing but the length of this text matters here.\r\n";
  message.body_octets = message.body.size();
  for (std::uint64_t i = 0; i < options.recipients_per_message; ++i) {
    const std::uint64_t domain = (number * options.recipients_per_message + i) % options.domains;
    message.recipients.push_back({static_cast<std::uint32_t>(i),
                                  *MailAddress::parse(fmt::format("u{}@d{}.{}", i, domain, options.domain_suffix))});
    message.recipients.back().next_attempt = now + Seconds{options.due_in_s};
  }
  return message;
}

Result<void> fill(SqliteQueueStore& store, const Options& options) {
  const WallTime now = std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
  const std::uint64_t messages = options.recipients / options.recipients_per_message;
  QueueIdSource ids(1);
  for (std::uint64_t number = 0; number < messages;) {
    if (auto begun = store.begin(); !begun) return begun;
    for (std::uint64_t i = 0; i < kMessagesPerBatch && number < messages; ++i, ++number) {
      if (auto added = store.add(make_message(options, ids.next(now), number, now)); !added) return added;
    }
    if (auto committed = store.commit(); !committed) return committed;
    if (auto maintained = store.maintain(); !maintained) return maintained;
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Fills the queue of a relay that does not run");
  app.add_option("--state", options.state_directory, "state directory")->required();
  app.add_option("--recipients", options.recipients)->required();
  app.add_option("--recipients-per-message", options.recipients_per_message)->check(CLI::Range(1, 100'000));
  app.add_option("--domains", options.domains, "recipients are in d0.SUFFIX and so on")
      ->check(CLI::Range(1, 10'000'000));
  app.add_option("--domain-suffix", options.domain_suffix);
  app.add_option("--tenants", options.tenants, "tenant0 and so on, in turn")->check(CLI::Range(1, 1'000'000));
  app.add_option("--body", options.body_octets)->check(CLI::Range(0, 65'000));
  app.add_option("--due-in", options.due_in_s, "seconds");
  CLI11_PARSE(app, argc, argv);
  auto store = SqliteQueueStore::open(options.state_directory);
  if (!store) return fail_with(store.error());
  if (auto filled = fill(**store, options); !filled) return fail_with(filled.error());
  return 0;
}
