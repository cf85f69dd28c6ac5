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

std::string sealing_name(const DomainName& domain, std::string_view selector) {
  return fmt::format("{}/{}", domain.str(), selector);
}

/// What opens sealed keys; either may be nullptr.
struct Openers {
  KeySealing* sealing;
  KeySealing* former;
};

// The PEM text of a file, whether or not it is sealed.
Result<Secret> open_content(Secret content, const std::string& name, const Openers& openers) {
  if (!looks_sealed(content.reveal())) return content;
  if (openers.sealing == nullptr) {
    return fail(ErrorKind::Denied,
                "the key is sealed, and the configuration names no secret that opens it; set keys.sealing to what it "
                "was when the key was sealed");
  }
  auto opened = openers.sealing->open(name, content.reveal());
  if (opened || openers.former == nullptr || opened.error().kind != ErrorKind::Denied) return opened;
  return openers.former->open(name, content.reveal());
}

Result<StoredKey> load_key(const PrivateFolder& folder, const DomainName& domain, const std::string& file_name,
                           const Openers& openers) {
  const std::string path = folder.path() + "/" + file_name;
  const std::string_view stem = std::string_view(file_name).substr(0, file_name.size() - kSuffix.size());
  auto selector = parse_selector(stem);
  if (!selector || *selector != stem) {
    return fail(ErrorKind::Malformed,
                fmt::format("the file name '{}' is not '<selector>.pem' in lower case; rename it", path));
  }
  auto file = folder.read(file_name, kMaxSealedOctets);
  if (!file) return tl::unexpected(file.error());
  auto pem = open_content(std::move(file->content), sealing_name(domain, *selector), openers);
  if (!pem) return fail(pem.error().kind, fmt::format("'{}': {}", path, pem.error().detail));
  auto key = SigningKey::from_pem(pem->reveal());
  if (!key) return fail(key.error().kind, fmt::format("'{}': {}", path, key.error().detail));
  return StoredKey{domain, *selector, std::make_shared<const SigningKey>(std::move(*key)), file->changed};
}

Result<DomainName> domain_of(const PrivateFolder& root, const std::string& name) {
  auto domain = DomainName::parse(name);
  if (domain && domain->str() == name) return domain;
  return fail(ErrorKind::Malformed,
              fmt::format("'{}/{}' is not named as a domain (in lower case, A-labels); rename it or move it away",
                          root.path(), name));
}

Result<void> load_folder(const PrivateFolder& root, const std::string& name, const Openers& openers,
                         std::vector<StoredKey>& keys) {
  auto domain = domain_of(root, name);
  if (!domain) return tl::unexpected(domain.error());
  auto folder = root.open_inner(name);
  if (!folder) return tl::unexpected(folder.error());
  auto entries = folder->entries();
  if (!entries) return tl::unexpected(entries.error());
  for (const std::string& entry : *entries) {
    if (!entry.ends_with(kSuffix)) continue;
    if (keys.size() == kMaxStoredKeys) {
      return fail(ErrorKind::Exhausted, fmt::format("'{}' holds more than {} keys", root.path(), kMaxStoredKeys));
    }
    auto key = load_key(*folder, *domain, entry, openers);
    if (!key) return tl::unexpected(key.error());
    keys.push_back(std::move(*key));
  }
  return {};
}

Result<std::vector<StoredKey>> load_folders(const std::string& path, uid_t owner, const Openers& openers) {
  std::vector<StoredKey> keys;
  auto root = PrivateFolder::open(path, owner);
  if (!root && root.error().kind == ErrorKind::NotFound) return keys;
  if (!root) return tl::unexpected(root.error());
  auto names = root->entries();
  if (!names) return tl::unexpected(names.error());
  for (const std::string& name : *names) {
    if (auto loaded = load_folder(*root, name, openers, keys); !loaded) return tl::unexpected(loaded.error());
  }
  // File names sort otherwise than selectors: "a-b.pem" stands before "a.pem".
  std::sort(keys.begin(), keys.end(), [](const StoredKey& a, const StoredKey& b) {
    return std::tie(a.domain, a.selector) < std::tie(b.domain, b.selector);
  });
  return keys;
}

// Whether the file had to be written.
Result<bool> seal_file(const PrivateFolder& folder, const StoredKey& key, const Openers& openers) {
  const std::string file_name = key.selector + std::string(kSuffix);
  const std::string name = sealing_name(key.domain, key.selector);
  auto file = folder.read(file_name, kMaxSealedOctets);
  if (!file) return tl::unexpected(file.error());
  if (openers.sealing->is_under_this_secret(file->content.reveal())) return false;
  const auto pem = open_content(std::move(file->content), name, openers);
  if (!pem) return tl::unexpected(pem.error());
  const auto sealed = openers.sealing->seal(name, pem->reveal());
  if (!sealed) return tl::unexpected(sealed.error());
  if (auto replaced = folder.replace(file_name, *sealed, file->changed); !replaced)
    return tl::unexpected(replaced.error());
  return true;
}

}  // namespace

KeyDirectory::KeyDirectory(std::string path, uid_t owner, std::shared_ptr<KeySealing> sealing)
    : path_(std::move(path)), owner_(owner), sealing_(std::move(sealing)) {}

Result<std::vector<StoredKey>> KeyDirectory::load_all() {
  return load_folders(path_, owner_, {sealing_.get(), nullptr});
}

Result<std::size_t> KeyDirectory::seal_all(const std::shared_ptr<KeySealing>& sealing, KeySealing* former) {
  const Openers openers{sealing.get(), former};
  const auto keys = load_folders(path_, owner_, openers);
  if (!keys) return tl::unexpected(keys.error());
  std::size_t written = 0;
  if (keys->empty()) return written;
  auto root = PrivateFolder::open(path_, owner_);
  if (!root) return tl::unexpected(root.error());
  for (const StoredKey& key : *keys) {
    auto folder = root->open_inner(key.domain.str());
    if (!folder) return tl::unexpected(folder.error());
    const auto sealed = seal_file(*folder, key, openers);
    if (!sealed) return tl::unexpected(sealed.error());
    written += *sealed ? 1 : 0;
  }
  sealing_ = sealing;
  return written;
}

Result<void> KeyDirectory::add(const DomainName& domain, std::string_view selector, const SigningKey& key,
                               WallTime created) {
  auto checked = parse_selector(selector);
  if (!checked) return tl::unexpected(checked.error());
  if (auto name = key_record_name(*checked, domain); !name) return tl::unexpected(name.error());
  const Secret pem = key.to_pem();
  std::string sealed;
  if (sealing_) {
    auto text = sealing_->seal(sealing_name(domain, *checked), pem.reveal());
    if (!text) return tl::unexpected(text.error());
    sealed = std::move(*text);
  }
  auto root = PrivateFolder::open_or_make(path_, owner_);
  if (!root) return tl::unexpected(root.error());
  auto folder = root->open_or_make_inner(domain.str());
  if (!folder) return tl::unexpected(folder.error());
  auto added = folder->add(*checked + std::string(kSuffix), sealing_ ? sealed : pem.reveal(), created);
  if (!added && added.error().kind == ErrorKind::Conflict) {
    return fail(ErrorKind::Conflict,
                fmt::format("{} has a key of selector {} already ({}/{}.pem); keys are never replaced, choose another "
                            "selector",
                            domain.str(), *checked, folder->path(), *checked));
  }
  if (added) root->touch();
  return added;
}

Result<Secret> KeyDirectory::read_pem(const DomainName& domain, const std::string& selector) const {
  auto root = PrivateFolder::open(path_, owner_);
  if (!root) return tl::unexpected(root.error());
  auto folder = root->open_inner(domain.str());
  if (!folder) return tl::unexpected(folder.error());
  const std::string file_name = selector + std::string(kSuffix);
  auto file = folder->read(file_name, kMaxSealedOctets);
  if (!file) return tl::unexpected(file.error());
  auto pem = open_content(std::move(file->content), sealing_name(domain, selector), {sealing_.get(), nullptr});
  if (pem) return pem;
  return fail(pem.error().kind, fmt::format("'{}/{}': {}", folder->path(), file_name, pem.error().detail));
}

Result<std::vector<DomainName>> KeyDirectory::domains() const {
  std::vector<DomainName> all;
  auto root = PrivateFolder::open(path_, owner_);
  if (!root && root.error().kind == ErrorKind::NotFound) return all;
  if (!root) return tl::unexpected(root.error());
  auto names = root->entries();
  if (!names) return tl::unexpected(names.error());
  for (const std::string& name : *names) {
    auto domain = domain_of(*root, name);
    if (!domain) return tl::unexpected(domain.error());
    all.push_back(std::move(*domain));
  }
  return all;
}

Result<std::vector<StoredKey>> KeyDirectory::load_domain(const DomainName& domain) const {
  std::vector<StoredKey> keys;
  auto root = PrivateFolder::open(path_, owner_);
  if (!root && root.error().kind == ErrorKind::NotFound) return keys;
  if (!root) return tl::unexpected(root.error());
  auto loaded = load_folder(*root, domain.str(), {sealing_.get(), nullptr}, keys);
  if (!loaded && loaded.error().kind == ErrorKind::NotFound) return keys;
  if (!loaded) return tl::unexpected(loaded.error());
  std::sort(keys.begin(), keys.end(), [](const StoredKey& a, const StoredKey& b) { return a.selector < b.selector; });
  return keys;
}

Result<void> KeyDirectory::destroy(const DomainName& domain, std::string_view selector) const {
  auto checked = parse_selector(selector);
  if (!checked) return tl::unexpected(checked.error());
  auto root = PrivateFolder::open(path_, owner_);
  if (!root) return root.error().kind == ErrorKind::NotFound ? Result<void>() : tl::unexpected(root.error());
  auto folder = root->open_inner(domain.str());
  if (!folder) return folder.error().kind == ErrorKind::NotFound ? Result<void>() : tl::unexpected(folder.error());
  auto destroyed = folder->destroy(*checked + std::string(kSuffix));
  if (destroyed) root->touch();
  return destroyed;
}

WallTime KeyDirectory::last_change() const {
  struct stat status {};
  if (::stat(path_.c_str(), &status) != 0) return WallTime{};
  return WallTime{Seconds{status.st_mtim.tv_sec} + Milliseconds{status.st_mtim.tv_nsec / 1'000'000}};
}

}  // namespace waxwing
