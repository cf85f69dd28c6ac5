#include "keys/key_directory.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <tuple>

#include "keys/key_name.h"
#include "keys/private_folder.h"

namespace waxwing {
namespace {

constexpr std::string_view kSuffix = ".pem";
constexpr std::size_t kMaxStoredKeys = 200'000;

Result<StoredKey> load_key(const PrivateFolder& folder, const DomainName& domain, const std::string& file_name) {
  const std::string path = folder.path() + "/" + file_name;
  const std::string_view stem = std::string_view(file_name).substr(0, file_name.size() - kSuffix.size());
  auto selector = parse_selector(stem);
  if (!selector || *selector != stem) {
    return fail(ErrorKind::Malformed,
                fmt::format("the file name '{}' is not '<selector>.pem' in lower case; rename it", path));
  }
  auto file = folder.read(file_name, kMaxPemOctets);
  if (!file) return tl::unexpected(file.error());
  auto key = SigningKey::from_pem(file->content.reveal());
  if (!key) return fail(key.error().kind, fmt::format("'{}': {}", path, key.error().detail));
  return StoredKey{domain, *selector, std::make_shared<const SigningKey>(std::move(*key)), file->changed};
}

Result<void> load_domain(const PrivateFolder& root, const std::string& name, std::vector<StoredKey>& keys) {
  auto domain = DomainName::parse(name);
  if (!domain || domain->str() != name) {
    return fail(ErrorKind::Malformed,
                fmt::format("'{}/{}' is not named as a domain (in lower case, A-labels); rename it or move it away",
                            root.path(), name));
  }
  auto folder = root.open_inner(name);
  if (!folder) return tl::unexpected(folder.error());
  auto entries = folder->entries();
  if (!entries) return tl::unexpected(entries.error());
  for (const std::string& entry : *entries) {
    if (!entry.ends_with(kSuffix)) continue;
    if (keys.size() == kMaxStoredKeys) {
      return fail(ErrorKind::Exhausted, fmt::format("'{}' holds more than {} keys", root.path(), kMaxStoredKeys));
    }
    auto key = load_key(*folder, *domain, entry);
    if (!key) return tl::unexpected(key.error());
    keys.push_back(std::move(*key));
  }
  return {};
}

}  // namespace

KeyDirectory::KeyDirectory(std::string path, uid_t owner) : path_(std::move(path)), owner_(owner) {}

Result<std::vector<StoredKey>> KeyDirectory::load_all() {
  std::vector<StoredKey> keys;
  auto root = PrivateFolder::open(path_, owner_);
  if (!root && root.error().kind == ErrorKind::NotFound) return keys;
  if (!root) return tl::unexpected(root.error());
  auto names = root->entries();
  if (!names) return tl::unexpected(names.error());
  for (const std::string& name : *names) {
    if (auto loaded = load_domain(*root, name, keys); !loaded) return tl::unexpected(loaded.error());
  }
  // File names sort otherwise than selectors: "a-b.pem" stands before "a.pem".
  std::sort(keys.begin(), keys.end(), [](const StoredKey& a, const StoredKey& b) {
    return std::tie(a.domain, a.selector) < std::tie(b.domain, b.selector);
  });
  return keys;
}

Result<void> KeyDirectory::add(const DomainName& domain, std::string_view selector, const SigningKey& key,
                               WallTime created) {
  auto checked = parse_selector(selector);
  if (!checked) return tl::unexpected(checked.error());
  if (auto name = key_record_name(*checked, domain); !name) return tl::unexpected(name.error());
  auto root = PrivateFolder::open_or_make(path_, owner_);
  if (!root) return tl::unexpected(root.error());
  auto folder = root->open_or_make_inner(domain.str());
  if (!folder) return tl::unexpected(folder.error());
  auto added = folder->add(*checked + std::string(kSuffix), key.to_pem().reveal(), created);
  if (!added && added.error().kind == ErrorKind::Conflict) {
    return fail(ErrorKind::Conflict,
                fmt::format("{} has a key of selector {} already ({}/{}.pem); keys are never replaced, choose another "
                            "selector",
                            domain.str(), *checked, folder->path(), *checked));
  }
  if (added) root->touch();
  return added;
}

WallTime KeyDirectory::last_change() const {
  struct stat status {};
  if (::stat(path_.c_str(), &status) != 0) return WallTime{};
  return WallTime{Seconds{status.st_mtim.tv_sec} + Milliseconds{status.st_mtim.tv_nsec / 1'000'000}};
}

}  // namespace waxwing
