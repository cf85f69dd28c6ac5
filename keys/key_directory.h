#pragma once

#include <unistd.h>

#include <string>

#include "keys/key_store.h"

namespace waxwing {

/// Keys as files: `<path>/<domain>/<selector>.pem` (PKCS #8), files 0600, folders 0700; the time of creation is the
/// file's time of last change. Refuses to load anything that somebody else could have read or written.
class KeyDirectory : public KeyStore {
 public:
  /// @param path   absolute path of the folder; its parent must exist
  /// @param owner  the user, besides root, to whom everything in it may belong. When root runs this for a service,
  ///               files and folders that are made are given to that user.
  explicit KeyDirectory(std::string path, uid_t owner = ::geteuid());

  /// As KeyStore; without the folder there are no keys. Inside a domain's folder, files that do not end in ".pem" are
  /// left alone.
  [[nodiscard]] Result<std::vector<StoredKey>> load_all() override;

  [[nodiscard]] Result<void> add(const DomainName& domain, std::string_view selector, const SigningKey& key,
                                 WallTime created) override;

  /// When a key was last added, as far as the file system's clock tells: 1970 while there is no folder. Cheap, for a
  /// running relay that learns of new keys by looking again and again.
  [[nodiscard]] WallTime last_change() const;

 private:
  std::string path_;
  uid_t owner_;
};

}  // namespace waxwing
