#include "tests/simulation/history.h"

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <utility>

namespace waxwing {
namespace {

constexpr Milliseconds kMinute{60'000};
constexpr Milliseconds kHour{60 * kMinute};
// Trouble is over after this.
constexpr Milliseconds kTroubledTime{24 * kHour};
constexpr Milliseconds kLifetime{36 * kHour};
// From then on everything is done within this: two retries at most, and a pause.
constexpr Milliseconds kTimeToFinish{5 * kHour};
// Also what is for a later release, by a clock that was set back.
constexpr Milliseconds kEnd{400 * kHour};
constexpr std::uint64_t kMostEvents = 2'000'000;
constexpr std::size_t kMostBroken = 20;

}  // namespace

History::History(Options options)
    : options_(std::move(options)),
      dice_(options_.seed),
      log_(EventLog::Format::Text, options_.trace ? Severity::Debug : Severity::Error,
           options_.trace ? STDERR_FILENO : -1, [this] { return time_.wall(); }),
      disk_([this](std::uint64_t most) { return dice_.below(most); }),
      receivers_(dice_),
      ledger_([this](const std::string& what) { note(what); }),
      ids_(static_cast<std::uint32_t>(dice_.below(1U << 22U))) {
  disk_.ignores_sync = options_.lying_disk;
}

void History::note(const std::string& what) {
  if (options_.trace) log_.write(Severity::Error, "promise_broken", {{"what", what}});
  summary_.broken.push_back(what);
}

History::Summary History::run() {
  plan();
  start();
  std::uint64_t events = 0;
  const MonotonicTime end = time_.now() + kEnd;
  const auto finished = [this] { return healed_ && relay_ && !stopping_ && relay_->waiting() == 0; };
  while (time_.now() < end && !finished() && ++events < kMostEvents && summary_.broken.size() < kMostBroken &&
         time_.step()) {
    if (relay_ && !disk_.has_power()) bury();
  }
  if (!finished()) note(fmt::format("{} recipients still wait at the end", relay_ ? relay_->waiting() : 0));
  if (finished() && !releases_later_ && time_.now() - *healed_ > kTimeToFinish)
    note(fmt::format("all was well, and it took {} s more", (time_.now() - *healed_).count() / 1'000));
  ledger_.settle_up();
  summary_.delivered = ledger_.delivered();
  summary_.failed = ledger_.failed();
  summary_.repeated = ledger_.repeated();
  summary_.answered = ledger_.answered();
  relay_.reset();
  return summary_;
}

void History::plan() {
  for (std::uint64_t count = 1 + dice_.below(5); count > 0; --count)
    domains_.push_back(fmt::format("d{}.example", count));
  releases_later_ = dice_.percent(30);
  const auto some_time = [this](std::function<void()> event) {
    time_.after(dice_.between(Milliseconds(1), kTroubledTime), std::move(event));
  };
  for (std::uint64_t count = 5 + dice_.below(25); count > 0; --count) some_time([this] { submit(); });
  for (std::uint64_t count = dice_.below(25); count > 0; --count)
    some_time([this] { receivers_.change_mood(dice_.one_of(domains_)); });
  for (std::uint64_t count = dice_.below(8); count > 0; --count) some_time([this] { interfere(); });
  for (std::uint64_t count = dice_.below(4); count > 0; --count) some_time([this] { die_some_time(); });
  for (std::uint64_t count = dice_.below(3); count > 0; --count) some_time([this] { restart(); });
  for (std::uint64_t count = dice_.percent(50) ? 0 : 1 + dice_.below(2); count > 0; --count) {
    some_time([this] {
      disk_.failing_percent = static_cast<unsigned>(1 + dice_.below(100));
      ++summary_.store_failures;
      time_.after(dice_.between(Milliseconds(10), kHour), [this] { disk_.failing_percent = 0; });
    });
  }
  for (std::uint64_t count = dice_.percent(60) ? 0 : 1 + dice_.below(2); count > 0; --count)
    some_time([this] {
      time_.jump(dice_.between(-100 * kHour, 100 * kHour));
      log_.write(Severity::Info, "clock_jumped", {});
    });
  time_.after(kTroubledTime, [this] { heal(); });
}

void History::start() {
  if (relay_) return;
  auto relay = SimulatedRelay::start({time_, dice_, disk_, receivers_, ledger_, log_, options_.state_directory});
  const bool lost_power = !disk_.has_power();
  if (lost_power) disk_.restore_power();
  if (!relay) {  // the service manager tries again
    if (disk_.failing_percent == 0 && !lost_power) note("the relay does not start: " + relay.error().detail);
    return time_.after(Milliseconds(1'000), [this] { start(); });
  }
  if (lost_power) return time_.after(Milliseconds(1'000), [this] { start(); });
  relay_ = std::move(*relay);
}

QueuedMessage History::compose() {
  QueuedMessage message;
  const WallTime now = time_.wall();
  message.id = ids_.next(now);
  message.accepted = now;
  message.account = "shop";
  message.tenant = fmt::format("tenant{}", dice_.below(3));
  if (!dice_.percent(5)) message.reverse_path = MailAddress::parse("sender@" + dice_.one_of(domains_)).value();
  message.header = "Subject: simulated\r\n";
  message.body = "text\r\n";
  message.body_octets = message.body.size();
  const WallTime release = releases_later_ && dice_.percent(30) ? now + dice_.between(kMinute, 10 * kHour) : WallTime{};
  message.expires = std::max(now, release) + kLifetime;
  if (dice_.percent(5)) {
    const WallTime by = std::max(now, release) + dice_.between(kMinute, 20 * kHour);
    message.deliver_by = DeliverBy{by, dice_.percent(50) ? ByMode::Return : ByMode::Notify, false};
    if (message.deliver_by->mode == ByMode::Return) message.expires = std::min(message.expires, by);
  }
  const auto count = static_cast<std::uint32_t>(1 + dice_.below(dice_.percent(10) ? 40 : 4));
  for (std::uint32_t ordinal = 0; ordinal < count; ++ordinal) {
    QueuedRecipient recipient{ordinal,
                              MailAddress::parse(fmt::format("user{}@{}", ordinal, dice_.one_of(domains_))).value()};
    recipient.next_attempt = std::max(now, release);
    recipient.not_before = release;
    if (dice_.percent(10))
      recipient.notice.notify = NotifyWish{dice_.percent(50), dice_.percent(50), dice_.percent(50)};
    message.recipients.push_back(recipient);
  }
  return message;
}

void History::submit() {
  if (!relay_ || stopping_) return;  // nobody listens: the client keeps its message
  auto message = std::make_shared<const QueuedMessage>(compose());
  ledger_.submitted(*message);
  std::optional<Milliseconds> patience;
  if (dice_.percent(30)) patience = dice_.between(Milliseconds(1), Milliseconds(60'000));
  const auto on_stored = [this, id = message->id, waits = patience.has_value()](bool stored) {
    if (!stored) return ledger_.refused(id);
    if (!waits) ledger_.accepted(id);
    accepted_.push_back(id);
  };
  relay_->submit(message, on_stored, patience);
}

void History::interfere() {
  if (!relay_ || stopping_ || accepted_.empty()) return;
  const QueueId id = dice_.one_of(accepted_);
  switch (dice_.below(4)) {
    case 0:
      relay_->administer({{"command", "queue retry"}, {"all", true}});
      break;
    case 1:
      relay_->administer({{"command", "queue hold"}, {"id", id.str()}, {"reason", "to look at it"}});
      break;
    case 2:
      relay_->administer({{"command", "queue release"}, {"all", true}});
      break;
    default:
      ledger_.dropping(id);
      relay_->administer({{"command", "queue drop"}, {"id", id.str()}});
  }
}

// The power goes, now or in the middle of what is written next.
void History::die_some_time() {
  if (!relay_) return;
  if (dice_.percent(50)) return disk_.cut_power();
  disk_.cut_power_after(dice_.below(60));
}

void History::bury() {
  relay_.reset();
  stopping_ = false;
  disk_.restore_power();
  ledger_.died();
  ++summary_.deaths;
  const bool is_long = !healed_ && dice_.percent(10);
  time_.after(dice_.between(Milliseconds(1'000), is_long ? 100 * kHour : 10 * kMinute), [this] { start(); });
}

void History::restart() {
  if (!relay_ || std::exchange(stopping_, true)) return;
  relay_->stop([this] {
    if (!relay_ || !stopping_) return;  // the power went meanwhile
    relay_.reset();
    stopping_ = false;
    ledger_.died();
    time_.after(dice_.between(Milliseconds(100), kMinute), [this] { start(); });
  });
}

void History::heal() {
  if (!relay_ || stopping_) return time_.after(kMinute, [this] { heal(); });
  disk_.failing_percent = 0;
  disk_.keep_power();
  receivers_.be_good();
  // A store that has just failed refuses commands for a while.
  time_.after(kMinute, [this] {
    if (!relay_) return heal();
    relay_->administer({{"command", "queue release"}, {"all", true}});
    time_.after(kMinute, [this] { healed_ = time_.now(); });
  });
}

}  // namespace waxwing
