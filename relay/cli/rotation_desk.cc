#include "relay/cli/rotation_desk.h"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <utility>

#include "relay/admin/needed_keys.h"
#include "relay/daemon/network.h"
#include "relay/rotation/update_publisher.h"
#include "relay/signing/key_access.h"

namespace waxwing {
namespace {

constexpr Milliseconds kUpdateTimeout{10'000};
constexpr std::size_t kMaxTsigFileOctets = 16'384;
// Far less than a key retires at least; for ten thousand domains the queue is not read ten thousand times.
constexpr Seconds kLookLasts{10};

// Whoever has the key can change the zone.
Result<TsigKey> load_tsig_key(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(
        ErrorKind::Denied,
        fmt::format("the TSIG key file '{}' has mode {:04o}, so that others than its owner can change your zones; "
                    "'chmod 600 {}', and replace the key if anybody may have read it",
                    path, status.st_mode & 07777U, path));
  }
  const auto text = read_file(path, kMaxTsigFileOctets);
  if (!text) return tl::unexpected(text.error());
  auto key = TsigKey::parse(*text);
  if (!key) return fail(key.error().kind, fmt::format("'{}': {}", path, key.error().detail));
  return key;
}

Result<std::unique_ptr<Publisher>> make_publisher(const Config& config) {
  const auto ttl = static_cast<unsigned>(config.record_ttl.count());
  switch (config.publishing) {
    case RecordPublishing::ZoneFile:
      return std::make_unique<ZoneFilePublisher>(config.zone_directory, config.reload_program, ttl);
    case RecordPublishing::Update: {
      auto key = load_tsig_key(config.tsig_key_file);
      if (!key) return tl::unexpected(key.error());
      return std::make_unique<UpdatePublisher>(Endpoint{config.update_address, config.update_port}, std::move(*key),
                                               ttl, kUpdateTimeout);
    }
    case RecordPublishing::Command:
      return std::make_unique<CommandPublisher>(config.publish_program, ttl);
    case RecordPublishing::Manual:
      break;
  }
  return std::make_unique<ManualPublisher>();
}

/// Knows which keys the queue still needs, from the first question on, and asks anew when that is too long ago.
class QueueLook {
 public:
  explicit QueueLook(const Config& config)
      : run_directory_(config.run_directory), state_directory_(config.state_directory) {}

  Result<bool> operator()(const std::string& key_record) {
    const auto now = std::chrono::steady_clock::now();
    if (!needed_ || now - asked_ > kLookLasts) {
      needed_ = find_needed_keys(run_directory_, state_directory_);
      asked_ = now;
    }
    if (!*needed_) return tl::unexpected(needed_->error());
    return (*needed_)->contains(key_record);
  }

 private:
  std::string run_directory_;
  std::string state_directory_;
  std::optional<Result<NeededKeys>> needed_;
  std::chrono::steady_clock::time_point asked_;
};

}  // namespace

std::string operator_name() {
  const char* behind_sudo = ::getuid() == 0 ? std::getenv("SUDO_USER") : nullptr;
  if (behind_sudo != nullptr && *behind_sudo != '\0') return behind_sudo;
  const passwd* entry = ::getpwuid(::getuid());
  return entry != nullptr ? std::string(entry->pw_name) : fmt::format("uid {}", ::getuid());
}

Result<bool> at_rotation_desk(const Config& config, const std::string& who, CliStreams streams, Output& output,
                              const std::function<Result<bool>(const RotationDesk&)>& work) {
  const auto opened = open_keys(config);
  if (!opened) return tl::unexpected(opened.error());
  KeyDirectory& keys = **opened;
  const RotationStore states = open_states(config);
  auto publisher = make_publisher(config);
  if (!publisher) return tl::unexpected(publisher.error());
  const RecordObserver observer({{config.resolver_address, config.resolver_port}, config.name_server_port});
  const RotationRules rules{config.rotation_interval, config.in_flight, config.delegation_slots,
                            config.reveal_keys && !config.reveal_directory.empty()};
  RotationDriver driver(keys, states, observer, **publisher, QueueLook(config), {rules, who, config.reveal_directory});
  return work({keys, states, driver, rules, who, config.delegation_zone,
               static_cast<unsigned>(config.record_ttl.count()), !config.reveal_directory.empty(), streams, output});
}

}  // namespace waxwing
