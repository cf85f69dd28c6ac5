#include "relay/signing/key_access.h"

#include <unistd.h>

#include <algorithm>

#include "keys/sealing_secret.h"
#include "relay/signing/passphrase_question.h"

namespace waxwing {

std::string keys_directory(const Config& config) {
  if (!config.keys_directory.empty()) return config.keys_directory;
  return config.signer_socket.empty() ? config.state_directory + "/keys" : kSignerKeysDirectory;
}

std::string keys_parent(const Config& config) {
  const std::string path = keys_directory(config);
  return path.substr(0, std::max<std::size_t>(path.find_last_of('/'), 1));
}

namespace {

// A person who works by hand has neither file nor service manager.
Result<Secret> load_secret(SealingSecretKind kind, const std::string& file) {
  auto loaded = load_sealing_secret(kind, file);
  if (loaded || loaded.error().kind != ErrorKind::NotFound || kind != SealingSecretKind::Passphrase || !file.empty())
    return loaded;
  auto typed = ask_for_passphrase();
  if (!typed) return typed.error().kind == ErrorKind::NotFound ? std::move(loaded) : std::move(typed);
  return parse_sealing_secret(kind, typed->reveal());
}

}  // namespace

Result<std::shared_ptr<KeySealing>> make_sealing(const Config& config) {
  if (config.key_sealing == KeySealingMode::None) return std::shared_ptr<KeySealing>();
  const auto kind = config.key_sealing == KeySealingMode::Key ? SealingSecretKind::Key : SealingSecretKind::Passphrase;
  auto secret = load_secret(kind, config.sealing_file);
  if (!secret) return tl::unexpected(secret.error());
  return std::make_shared<KeySealing>(kind, std::move(*secret));
}

Result<std::unique_ptr<KeyDirectory>> open_keys(const Config& config) {
  auto sealing = make_sealing(config);
  if (!sealing) return tl::unexpected(sealing.error());
  return std::make_unique<KeyDirectory>(keys_directory(config), ::geteuid(), std::move(*sealing));
}

RotationStore open_states(const Config& config) {
  return RotationStore(keys_parent(config) + "/rotation");
}

std::vector<StoredKey> signing_keys(const std::vector<StoredKey>& keys, const std::vector<RotationState>& states) {
  std::map<DomainName, std::vector<std::string>> active;
  for (const RotationState& state : states) active.emplace(state.domain, signing_selectors(state));
  std::vector<StoredKey> chosen;
  for (const StoredKey& key : keys) {
    const auto found = active.find(key.domain);
    if (found == active.end() || std::ranges::find(found->second, key.selector) != found->second.end())
      chosen.push_back(key);
  }
  return chosen;
}

Result<std::vector<StoredKey>> load_signing_keys(KeyDirectory& keys, const RotationStore& states) {
  const auto all = keys.load_all();
  if (!all) return tl::unexpected(all.error());
  const auto lives = states.load_all();
  if (!lives) return tl::unexpected(lives.error());
  return signing_keys(*all, *lives);
}

WallTime last_change_of(const KeyDirectory& keys, const RotationStore& states) {
  return std::max(keys.last_change(), states.last_change());
}

}  // namespace waxwing
