#include "keys/foreign_key_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/mem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "policy/base64.h"

namespace waxwing {
namespace {

constexpr std::size_t kSeedOctets = 32;
constexpr mode_t kTooWide = S_IWGRP | S_IRWXO;

class OpenFile {
 public:
  explicit OpenFile(int number) : number_(number) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_;
};

tl::unexpected<Error> open_error(const std::string& path, int error) {
  if (error == ELOOP) {
    return fail(ErrorKind::Denied,
                fmt::format("'{}' is a symbolic link; name the file itself ('readlink -f {}')", path, path));
  }
  return fail(error == ENOENT ? ErrorKind::NotFound : ErrorKind::Denied,
              fmt::format("cannot open the key file '{}': {}", path, std::system_category().message(error)));
}

Result<void> check(const struct stat& status, const std::string& path) {
  if (!S_ISREG(status.st_mode)) return fail(ErrorKind::Denied, fmt::format("'{}' is not a plain file", path));
  if (static_cast<std::size_t>(status.st_size) > kMaxPemOctets) {
    return fail(ErrorKind::Malformed,
                fmt::format("'{}' is larger than {} octets, so it is no key", path, kMaxPemOctets));
  }
  if ((status.st_mode & kTooWide) == 0) return {};
  return fail(
      ErrorKind::Denied,
      fmt::format("the key file '{}' has mode {:04o}, so that others can use or replace the key; 'chmod 600 {}', "
                  "and make a new key instead if anybody may have read it",
                  path, status.st_mode & 07777U, path));
}

Result<Secret> read_all(int file, std::size_t size) {
  Secret content = Secret::zeros(size);
  for (std::size_t done = 0; done < size;) {
    const ssize_t count = ::read(file, content.writable() + done, size - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return fail(ErrorKind::Unavailable, "it cannot be read");
    done += static_cast<std::size_t>(count);
  }
  return content;
}

// A seed is so short that what decodes to its length and is no PEM can hardly be anything else.
Result<SigningKey> read_key(std::string_view text) {
  if (text.find("-----BEGIN") != std::string_view::npos) return SigningKey::from_pem(text);
  auto decoded = decode_base64(text);
  if (!decoded || (decoded->size() != kSeedOctets && decoded->size() != 2 * kSeedOctets))
    return SigningKey::from_pem(text);
  const Secret seed(std::string_view(*decoded).substr(0, kSeedOctets));
  const std::string public_half = decoded->substr(kSeedOctets);
  OPENSSL_cleanse(decoded->data(), decoded->size());
  auto key = SigningKey::from_ed25519_seed(seed.reveal());
  if (key && !public_half.empty() && key->public_key() != public_half) {
    return fail(ErrorKind::Malformed,
                "these 64 octets are no Ed25519 key: the second half does not belong to the first; the seed alone, 32 "
                "octets in base64, will do");
  }
  return key;
}

}  // namespace

Result<ForeignKeyContent> read_foreign_key(const std::string& path) {
  const OpenFile file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) return open_error(path, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return open_error(path, errno);
  if (auto safe = check(status, path); !safe) return tl::unexpected(safe.error());
  const auto content = read_all(file.get(), static_cast<std::size_t>(status.st_size));
  auto key = content ? read_key(content->reveal()) : Result<SigningKey>(tl::unexpected(content.error()));
  if (!key) return fail(key.error().kind, fmt::format("'{}': {}", path, key.error().detail));
  const auto changed = std::chrono::seconds(status.st_mtim.tv_sec) + std::chrono::nanoseconds(status.st_mtim.tv_nsec);
  return ForeignKeyContent{std::move(*key), WallTime(std::chrono::duration_cast<Milliseconds>(changed))};
}

}  // namespace waxwing
