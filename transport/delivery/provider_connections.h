#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>

#include "policy/public_suffix.h"

namespace waxwing {

/// Counts the connections of all event loops to each provider, so that many recipient domains behind one provider share
/// one cap, whichever of its hosts they name. A provider is the registrable domain of an MX name: "google.com" of
/// "aspmx.l.google.com". Thread-safe.
class ProviderConnections {
 public:
  /// @param most  connections to one provider at the same time, at least 1
  explicit ProviderConnections(std::size_t most) : most_(most) {}

  /// The provider of a host; the host itself where its name is none under which people register.
  [[nodiscard]] std::string provider_of(const std::string& mx_name) const;

  /// Counts one more connection.
  /// @return  false: there are as many as there may be
  [[nodiscard]] bool take(const std::string& provider);

  /// Undoes take(), when the connection is over.
  void give_back(const std::string& provider);

  /// Connections to a provider now.
  [[nodiscard]] std::size_t count(const std::string& provider) const;

 private:
  const std::size_t most_;
  const PublicSuffixList suffixes_ = PublicSuffixList::built_in();
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::size_t> counts_;  // those that have any
};

}  // namespace waxwing
