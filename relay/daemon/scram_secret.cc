#include "relay/daemon/scram_secret.h"

#include <fmt/format.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <utility>

#include "keys/private_folder.h"

namespace waxwing {
namespace {

constexpr const char* kName = "secret";
constexpr std::size_t kSecretOctets = 32;
constexpr std::size_t kMaxFileOctets = 1'024;

}  // namespace

Result<Secret> load_scram_secret(const std::string& state_directory, WallTime now) {
  const auto folder = PrivateFolder::open_or_make(state_directory + "/scram", ::geteuid());
  if (!folder) return tl::unexpected(folder.error());
  auto file = folder->read(kName, kMaxFileOctets);
  if (file && file->content.size() < kSecretOctets)
    return fail(ErrorKind::Corrupt, fmt::format("{}/{} is too short for a secret; remove it", folder->path(), kName));
  if (file) return std::move(file->content);
  if (file.error().kind != ErrorKind::NotFound) return tl::unexpected(std::move(file.error()));
  Secret secret = Secret::zeros(kSecretOctets);
  if (RAND_bytes(reinterpret_cast<std::uint8_t*>(secret.writable()), kSecretOctets) != 1)
    return fail(ErrorKind::Unavailable, "there are no random octets for a secret");
  if (auto added = folder->add(kName, secret.reveal(), now); !added) return tl::unexpected(std::move(added.error()));
  return secret;
}

}  // namespace waxwing
