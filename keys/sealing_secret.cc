#include "keys/sealing_secret.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "keys/private_folder.h"

namespace waxwing {
namespace {

constexpr mode_t kOthersAnything = S_IRWXO;

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

// The service manager gives the user access by an access control list, which looks like a right of the group; the
// folder is its own.
Result<Secret> load_credential(SealingSecretKind kind, const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file < 0) {
    return fail(errno == ENOENT ? ErrorKind::NotFound : ErrorKind::Denied,
                fmt::format("cannot open the credential '{}': {}; pass it to the service with LoadCredentialEncrypted= "
                            "(systemd.exec(5)), or name a file in keys.sealing_file",
                            path, std::system_category().message(errno)));
  }
  struct stat status {};
  Secret content = Secret::zeros(kMaxSealingSecretOctets + 1);
  const bool looked = ::fstat(file, &status) == 0;
  ssize_t size = -1;
  do size = ::read(file, content.writable(), content.size());
  while (size < 0 && errno == EINTR);
  ::close(file);
  if (!looked || size < 0 || !S_ISREG(status.st_mode))
    return fail(ErrorKind::Unavailable, fmt::format("the credential '{}' cannot be read as a plain file", path));
  if ((status.st_mode & kOthersAnything) != 0) {
    return fail(ErrorKind::Denied, fmt::format("the credential '{}' has mode {:04o}, so that others can read it", path,
                                               status.st_mode & 07777U));
  }
  return parse(kind, path, content.reveal().substr(0, static_cast<std::size_t>(size)));
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
