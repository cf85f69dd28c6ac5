#include "relay/daemon/srs_secrets.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "keys/private_folder.h"

namespace waxwing {
namespace {

constexpr std::size_t kSecretOctets = 32;
constexpr std::size_t kMaxFileOctets = 1'024;

std::string name_at(WallTime time) {
  return fmt::format("{:%Y%m%d%H%M%S}", std::chrono::floor<Seconds>(time));
}

Result<void> add_secret(const PrivateFolder& folder, const std::string& name, WallTime now) {
  Secret secret = Secret::zeros(kSecretOctets);
  if (RAND_bytes(reinterpret_cast<std::uint8_t*>(secret.writable()), kSecretOctets) != 1)
    return fail(ErrorKind::Unavailable, "there are no random octets for a secret");
  return folder.add(name, secret.reveal(), now);
}

}  // namespace

Result<std::vector<Secret>> load_srs_secrets(const std::string& state_directory, WallTime now) {
  const auto folder = PrivateFolder::open_or_make(state_directory + "/srs", ::geteuid());
  if (!folder) return tl::unexpected(folder.error());
  auto names = folder->entries();
  if (!names) return tl::unexpected(names.error());
  // Names sort as their times do.
  const std::string oldest_good = name_at(now - std::chrono::hours(24 * kSrsSecretDays));
  if (names->empty() || names->back() < oldest_good) {
    const std::string name = name_at(now);
    if (auto added = add_secret(*folder, name, now); !added) return tl::unexpected(added.error());
    names->push_back(name);
  }
  std::vector<Secret> secrets;
  for (auto name = names->rbegin(); name != names->rend() && secrets.size() < kMaxSrsSecrets; ++name) {
    auto file = folder->read(*name, kMaxFileOctets);
    if (!file) return tl::unexpected(file.error());
    if (file->content.size() < kSecretOctets)
      return fail(ErrorKind::Corrupt, fmt::format("{}/{} is too short for a secret; remove it", folder->path(), *name));
    secrets.push_back(std::move(file->content));
  }
  return secrets;
}

}  // namespace waxwing
