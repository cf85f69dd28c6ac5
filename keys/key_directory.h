#pragma once

#include <unistd.h>

#include <memory>
#include <string>

#include "keys/key_sealing.h"
#include "keys/key_store.h"

namespace waxwing {

/// Keys as files: `<path>/<domain>/<selector>.pem` (PKCS #8), files 0600, folders 0700; the time of creation is the
/// file's time of last change. A file is the key in plain PEM, or sealed for "<domain>/<selector>" (key_sealing.h).
/// Refuses to load anything that somebody else could have read or written.
class KeyDirectory : public KeyStore {
 public:
  /// @param path   absolute path of the folder; its parent must exist
  /// @param owner  the user, besides root, to whom everything in it may belong. When root runs this for a service,
  ///               files and folders that are made are given to that user.
  /// @param sealing  opens keys that are sealed, and seals those that are added; nullptr: neither
  explicit KeyDirectory(std::string path, uid_t owner = ::geteuid(), std::shared_ptr<KeySealing> sealing = nullptr);

  /// As KeyStore; without the folder there are no keys. Inside a domain's folder, files that do not end in ".pem" are
  /// left alone.
  [[nodiscard]] Result<std::vector<StoredKey>> load_all() override;

  [[nodiscard]] Result<void> add(const DomainName& domain, std::string_view selector, const SigningKey& key,
                                 WallTime created) override;

  /// Seals all keys, those that are sealed under another secret too. Nothing is written unless every key can be opened;
  /// what a crash leaves half done is finished by the next call.
  /// @param sealing  what this store seals with
  /// @param former   opens what is sealed under the secret of before; nullptr: there was none
  /// @return  keys that were written
  /// @errors  as load_all()
  [[nodiscard]] Result<std::size_t> seal_all(const std::shared_ptr<KeySealing>& sealing, KeySealing* former);

  /// The PEM text of one key, as it was stored but for its seal.
  /// @errors  NotFound: there is no such key; otherwise as load_all()
  [[nodiscard]] Result<Secret> read_pem(const DomainName& domain, const std::string& selector) const;

  /// The domains that have keys, in order.
  /// @errors  as load_all()
  [[nodiscard]] Result<std::vector<DomainName>> domains() const;

  /// The keys of one domain, in order of selector.
  /// @errors  as load_all()
  [[nodiscard]] Result<std::vector<StoredKey>> load_domain(const DomainName& domain) const;

  /// Destroys a key as far as the medium allows, durably before it returns; one that is not there is destroyed already.
  /// @errors  Denied, Unavailable; each names the place and the remedy
  [[nodiscard]] Result<void> destroy(const DomainName& domain, std::string_view selector) const;

  /// When a key was last added or destroyed, as far as the file system's clock tells: 1970 while there is no folder.
  /// Cheap, for a
  /// running relay that learns of new keys by looking again and again.
  [[nodiscard]] WallTime last_change() const;

 private:
  std::string path_;
  uid_t owner_;
  std::shared_ptr<KeySealing> sealing_;
};

}  // namespace waxwing
