#pragma once

#include <unistd.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "keys/audit_log.h"
#include "keys/private_folder.h"
#include "keys/rotation_request.h"
#include "keys/rotation_state.h"
#include "keys/rotation_text.h"
#include "policy/result.h"
#include "policy/time_point.h"

namespace waxwing {

/// Keeps the life of each domain's keys as files: `<path>/<domain>.state`, replaced as a whole, and `<path>/<domain>.log`,
/// the audit log, to which lines are only added. Nothing in them is secret. A change of the state carries the lines of
/// the log that it adds, so that a crash between the two loses none of them.
class RotationStore {
 public:
  /// @param path   absolute; its parent must exist
  /// @param owner  the user, besides root, to whom everything in it may belong
  explicit RotationStore(std::string path, uid_t owner = ::geteuid());

  /// @return  no value: this domain's keys have no state; they were made by hand
  /// @errors  Corrupt, Denied, Unavailable; each names the place and the remedy
  [[nodiscard]] Result<std::optional<RotationState>> load(const DomainName& domain) const;

  /// The states of all domains, in order.
  /// @errors  as load(); Exhausted
  [[nodiscard]] Result<std::vector<RotationState>> load_all() const;

  /// Keeps a change durably: the state, then its entries of the log. Many processes may try at the same time.
  /// @param change  of a state that load() gave, with the same sequence
  /// @param who     for the log
  /// @return        the state with its new sequence
  /// @errors        Conflict: somebody else has changed it meanwhile; load it again. Otherwise as load()
  [[nodiscard]] Result<RotationState> save(const RotationChange& change, std::string_view who, WallTime now) const;

  /// All entries of a domain's audit log, oldest first.
  /// @errors  NotFound: there is none; Corrupt: an entry is missing or was changed
  [[nodiscard]] Result<std::vector<AuditEntry>> log(const DomainName& domain) const;

  /// When a state was last changed, as far as the file system's clock tells: 1970 while there is no folder. Cheap.
  [[nodiscard]] WallTime last_change() const;

 private:
  [[nodiscard]] Result<std::optional<RotationFile>> read(const PrivateFolder& folder, const DomainName& domain) const;
  [[nodiscard]] Result<std::string> mend_log(const PrivateFolder& folder, const RotationFile& file) const;

  std::string path_;
  uid_t owner_;
};

}  // namespace waxwing
