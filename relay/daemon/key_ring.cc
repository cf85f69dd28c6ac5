#include "relay/daemon/key_ring.h"

#include <utility>

namespace waxwing {

KeyRing::KeyRing(const std::vector<StoredKey>& keys) {
  for (const StoredKey& key : keys) by_domain_[key.domain].push_back(key);
}

const std::vector<StoredKey>& KeyRing::keys_for(const DomainName& author_domain) const {
  static const std::vector<StoredKey> kNone;
  for (std::size_t labels = author_domain.label_count(); labels > 0; --labels) {
    const auto found = by_domain_.find(author_domain.last_labels(labels));
    if (found != by_domain_.end()) return found->second;
  }
  return kNone;
}

std::shared_ptr<const KeyRing> CurrentKeyRing::get() const {
  const std::lock_guard lock(mutex_);
  return ring_;
}

void CurrentKeyRing::set(std::shared_ptr<const KeyRing> ring) {
  const std::lock_guard lock(mutex_);
  ring_ = std::move(ring);
}

Error keys_not_known() {
  return {ErrorKind::Unavailable, "nothing can be signed now: the signer does not answer; try again later"};
}

}  // namespace waxwing
