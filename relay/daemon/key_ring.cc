#include "relay/daemon/key_ring.h"

#include <utility>

namespace waxwing {

KeyRing::KeyRing(const std::vector<StoredKey>& keys) {
  for (const StoredKey& key : keys) {
    KeysOfDomain& place = by_domain_[key.domain];
    place.keys.push_back(key);
    const std::string public_key = key.key->public_key();
    place.public_halves.push_back(
        {key.domain, key.selector, key.key->type(), public_key, format_dkim_key_record(key.key->type(), public_key)});
  }
}

const std::vector<StoredKey>& KeyRing::keys_for(const DomainName& author_domain) const {
  return find(author_domain).keys;
}

const std::vector<PreflightKey>& KeyRing::public_halves_for(const DomainName& author_domain) const {
  return find(author_domain).public_halves;
}

const KeyRing::KeysOfDomain& KeyRing::find(const DomainName& author_domain) const {
  static const KeysOfDomain kNone;
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
