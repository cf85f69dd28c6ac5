#include "relay/daemon/key_watch.h"

#include <utility>

#include "relay/signing/key_access.h"

namespace waxwing {
namespace {

constexpr Milliseconds kPoll{500};
// Ten thousand domains take a second to load, and their keys change one after the other when they are rotated: loading
// takes a fifth of one processor at most.
constexpr int kRestPerLoad = 4;

Result<std::shared_ptr<const KeyRing>> ring_of(const Result<std::vector<StoredKey>>& keys) {
  if (!keys) return tl::unexpected(keys.error());
  return std::make_shared<const KeyRing>(*keys);
}

// No value: nothing has changed.
Result<std::shared_ptr<const KeyRing>> load_changed(RemoteKeyStore& signer, bool always) {
  if (!always) {
    const auto changed = signer.has_changed();
    if (!changed) return tl::unexpected(changed.error());
    if (!*changed) return std::shared_ptr<const KeyRing>();
  }
  return ring_of(signer.load_all());
}

}  // namespace

KeyWatch::KeyWatch(EventLoop& loop, WorkPool& pool, const EventLog& log, const Config& config, CurrentKeyRing& ring)
    : loop_(loop),
      pool_(pool),
      log_(log),
      config_(config),
      ring_(ring),
      states_(open_states(config)),
      timer_(loop, [this] { watch(); }) {}

Result<void> KeyWatch::start() {
  timer_.start(kPoll);
  if (!config_.signer_socket.empty()) {
    signer_ = std::make_shared<RemoteKeyStore>(config_.signer_socket);
    const auto ring = ring_of(signer_->load_all());
    signer_is_silent_ = !ring;
    if (ring) ring_.set(*ring);
    if (!ring) log_.write(Severity::Error, "signer_unavailable", {{"reason", ring.error().detail}});
    return {};
  }
  auto files = open_keys(config_);
  if (!files) return tl::unexpected(files.error());
  files_ = std::move(*files);
  files_changed_ = last_change_of(*files_, states_);
  const auto ring = ring_of(load_signing_keys(*files_, states_));
  if (!ring) return tl::unexpected(ring.error());
  ring_.set(*ring);
  return {};
}

void KeyWatch::reload() {
  if (signer_) return ask_signer(true);
  if (busy_)
    reload_again_ = true;
  else
    load_files();
}

void KeyWatch::watch() {
  timer_.start(kPoll);
  if (signer_) return ask_signer(false);
  if (!busy_ && loop_.now() >= rest_until_) watch_files();
}

// New keys, and what has become of known ones, are noticed without a signal from whoever made them.
void KeyWatch::watch_files() {
  const WallTime changed = last_change_of(*files_, states_);
  if (changed == files_changed_) return;
  // The file system's clock is coarse: a second key may come in the same instant as the first. So a change is looked at
  // again until it is old enough for that to have passed.
  if (loop_.wall_now() - changed > kPoll) files_changed_ = changed;
  load_files();
}

void KeyWatch::load_files() {
  reload_again_ = false;
  busy_ = pool_.submit([this] {
    const auto began = std::chrono::steady_clock::now();
    auto ring = ring_of(load_signing_keys(*files_, states_));
    const auto took = std::chrono::ceil<Milliseconds>(std::chrono::steady_clock::now() - began);
    loop_.post([this, ring = std::move(ring), took] {
      busy_ = false;
      rest_until_ = loop_.now() + took * kRestPerLoad;
      take(ring);
      if (reload_again_) load_files();
    });
  });
}

void KeyWatch::ask_signer(bool always) {
  if (busy_) return;
  busy_ = pool_.submit([this, signer = signer_, always] {
    auto ring = load_changed(*signer, always);
    loop_.post([this, ring = std::move(ring)] {
      busy_ = false;
      const bool was_silent = std::exchange(signer_is_silent_, !ring);
      if (!ring && was_silent) return;
      if (was_silent) log_.write(Severity::Info, "signer_available", {});
      if (!ring)
        log_.write(Severity::Error, "signer_unavailable", {{"reason", ring.error().detail}});
      else if (*ring)
        take(ring);
    });
  });
}

void KeyWatch::take(const Result<std::shared_ptr<const KeyRing>>& ring) {
  if (!ring) {
    log_.write(Severity::Error, "keys_not_loaded",
               {{"reason", ring.error().detail + "; the keys loaded before stay in use"}});
    return;
  }
  ring_.set(*ring);
  log_.write(Severity::Info, "keys_loaded", {{"signing_domains", static_cast<std::int64_t>((*ring)->domain_count())}});
}

}  // namespace waxwing
