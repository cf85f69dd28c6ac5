#include "keys/sealing_secret.h"

#include <fmt/format.h>

#include <cstdlib>

#include "keys/private_file.h"
#include "keys/private_folder.h"

namespace waxwing {
namespace {

Result<Secret> parse(SealingSecretKind kind, const std::string& path, std::string_view content) {
  auto secret = parse_sealing_secret(kind, content);
  if (secret) return secret;
  return fail(secret.error().kind, fmt::format("'{}': {}", path, secret.error().detail));
}

Result<Secret> load_file(SealingSecretKind kind, const std::string& path, uid_t owner) {
  const std::size_t slash = path.find_last_of('/');
  if (!path.starts_with('/') || slash + 1 == path.size())
    return fail(ErrorKind::Malformed,
                fmt::format("the file of the sealing key must be an absolute path, not '{}'", path));
  auto folder = PrivateFolder::open(slash == 0 ? "/" : path.substr(0, slash), owner);
  if (!folder) return tl::unexpected(folder.error());
  const auto file = folder->read(path.substr(slash + 1), kMaxSealingSecretOctets);
  if (!file) return tl::unexpected(file.error());
  return parse(kind, path, file->content.reveal());
}

Result<Secret> load_credential(SealingSecretKind kind, const std::string& path) {
  const auto content = read_credential(path, kMaxSealingSecretOctets);
  if (content) return parse(kind, path, content->reveal());
  if (content.error().kind != ErrorKind::NotFound) return tl::unexpected(content.error());
  return fail(content.error().kind, content.error().detail +
                                        "; pass it to the service with LoadCredentialEncrypted= (systemd.exec(5)), or "
                                        "name a file in keys.sealing_file");
}

}  // namespace

Result<Secret> load_sealing_secret(SealingSecretKind kind, const std::string& file, uid_t owner) {
  if (!file.empty()) return load_file(kind, file, owner);
  const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr) {
    return fail(ErrorKind::NotFound,
                fmt::format("keys are sealed, but no secret was passed: there is no CREDENTIALS_DIRECTORY. Run this as "
                            "the service does, with 'systemd-run --pipe --wait -p "
                            "LoadCredentialEncrypted={}', or name a file in keys.sealing_file",
                            kSealingCredential));
  }
  return load_credential(kind, fmt::format("{}/{}", folder, kSealingCredential));
}

}  // namespace waxwing
