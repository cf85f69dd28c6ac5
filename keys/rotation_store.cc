#include "keys/rotation_store.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <utility>

namespace waxwing {
namespace {

constexpr std::string_view kStateSuffix = ".state";
constexpr std::string_view kLogSuffix = ".log";
constexpr std::size_t kMaxLogOctets = 64U << 20;

std::string state_name(const DomainName& domain) {
  return domain.str() + std::string(kStateSuffix);
}

std::string log_name(const DomainName& domain) {
  return domain.str() + std::string(kLogSuffix);
}

// Complete lines only; the rest is what a crash left of one.
std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

Result<std::vector<std::string>> read_log(const PrivateFolder& folder, const DomainName& domain) {
  auto file = folder.read(log_name(domain), kMaxLogOctets);
  if (!file && file.error().kind == ErrorKind::NotFound) return std::vector<std::string>();
  if (!file) return tl::unexpected(file.error());
  return lines_of(file->content.reveal());
}

}  // namespace

RotationStore::RotationStore(std::string path, uid_t owner) : path_(std::move(path)), owner_(owner) {}

Result<std::optional<RotationFile>> RotationStore::read(const PrivateFolder& folder, const DomainName& domain) const {
  auto content = folder.read(state_name(domain), kMaxRotationFileOctets);
  if (!content && content.error().kind == ErrorKind::NotFound) return std::optional<RotationFile>();
  if (!content) return tl::unexpected(content.error());
  auto file = parse_rotation_file(content->content.reveal());
  const bool ours = file && file->state.domain == domain;
  if (ours) return std::optional<RotationFile>(std::move(*file));
  return fail(
      ErrorKind::Corrupt,
      fmt::format("'{0}/{1}' is damaged: {2}; restore it from a copy, or, when there is none, move it away: the "
                  "domain's keys then sign as keys made by hand",
                  folder.path(), state_name(domain), file ? "it is of another domain" : file.error().detail));
}

Result<std::optional<RotationState>> RotationStore::load(const DomainName& domain) const {
  auto folder = PrivateFolder::open(path_, owner_);
  if (!folder && folder.error().kind == ErrorKind::NotFound) return std::optional<RotationState>();
  if (!folder) return tl::unexpected(folder.error());
  auto file = read(*folder, domain);
  if (!file) return tl::unexpected(file.error());
  if (!*file) return std::optional<RotationState>();
  return std::optional<RotationState>(std::move((*file)->state));
}

Result<std::vector<RotationState>> RotationStore::load_all() const {
  std::vector<RotationState> states;
  auto folder = PrivateFolder::open(path_, owner_);
  if (!folder && folder.error().kind == ErrorKind::NotFound) return states;
  if (!folder) return tl::unexpected(folder.error());
  auto entries = folder->entries();
  if (!entries) return tl::unexpected(entries.error());
  for (const std::string& entry : *entries) {
    if (!entry.ends_with(kStateSuffix)) continue;
    const auto domain = DomainName::parse(entry.substr(0, entry.size() - kStateSuffix.size()));
    if (!domain) {
      return fail(ErrorKind::Malformed,
                  fmt::format("'{}/{}' is not named as a domain; move it away", folder->path(), entry));
    }
    auto file = read(*folder, *domain);
    if (!file) return tl::unexpected(file.error());
    if (*file) states.push_back(std::move((*file)->state));
  }
  return states;
}

// Adds the entries that a crash kept from the log; gives its last line.
Result<std::string> RotationStore::mend_log(const PrivateFolder& folder, const RotationFile& file) const {
  auto lines = read_log(folder, file.state.domain);
  if (!lines) return tl::unexpected(lines.error());
  std::string last = lines->empty() ? std::string() : lines->back();
  std::string missing;
  for (const std::string& entry : file.entries) {
    if (audit_sequence(entry) <= audit_sequence(last)) continue;
    missing += entry + '\n';
    last = entry;
  }
  if (missing.empty()) return last;
  if (auto added = folder.append_lines(log_name(file.state.domain), missing); !added)
    return tl::unexpected(added.error());
  return last;
}

Result<RotationState> RotationStore::save(const RotationChange& change, std::string_view who, WallTime now) const {
  auto folder = PrivateFolder::open_or_make(path_, owner_);
  if (!folder) return tl::unexpected(folder.error());
  if (auto locked = folder->lock(); !locked) return tl::unexpected(locked.error());
  const DomainName& domain = change.state.domain;
  auto before = read(*folder, domain);
  if (!before) return tl::unexpected(before.error());
  const std::uint64_t sequence = *before ? (*before)->state.sequence : 0;
  if (sequence != change.state.sequence) {
    return fail(ErrorKind::Conflict,
                fmt::format("the keys of {} were changed by somebody else meanwhile; try again", domain.str()));
  }
  std::string last;
  if (*before) {
    auto mended = mend_log(*folder, **before);
    if (!mended) return tl::unexpected(mended.error());
    last = std::move(*mended);
  }
  RotationFile after{change.state, {}};
  for (const KeyTransition& transition : change.transitions) {
    last = format_audit_line({++after.state.sequence, now, std::string(who), transition}, last);
    after.entries.push_back(last);
  }
  if (after.entries.empty() && *before) after.entries = (*before)->entries;
  if (auto kept = folder->replace(state_name(domain), format_rotation_file(after), now); !kept)
    return tl::unexpected(kept.error());
  if (auto mended = mend_log(*folder, after); !mended) return tl::unexpected(mended.error());
  return after.state;
}

Result<std::vector<AuditEntry>> RotationStore::log(const DomainName& domain) const {
  auto folder = PrivateFolder::open(path_, owner_);
  if (!folder) return tl::unexpected(folder.error());
  if (auto locked = folder->lock(); !locked) return tl::unexpected(locked.error());
  auto file = read(*folder, domain);
  if (!file) return tl::unexpected(file.error());
  if (!*file) {
    return fail(ErrorKind::NotFound, fmt::format("{} has no log, since its keys were made by hand", domain.str()));
  }
  if (auto mended = mend_log(*folder, **file); !mended) return tl::unexpected(mended.error());
  auto lines = read_log(*folder, domain);
  if (!lines) return tl::unexpected(lines.error());
  std::vector<AuditEntry> entries;
  std::string previous;
  for (const std::string& line : *lines) {
    auto entry = parse_audit_line(line, previous);
    if (!entry) {
      return fail(entry.error().kind, fmt::format("'{}/{}': {}", path_, log_name(domain), entry.error().detail));
    }
    if (entry->sequence != entries.size() + 1) break;
    entries.push_back(std::move(*entry));
    previous = line;
  }
  if (entries.size() == (*file)->state.sequence) return entries;
  return fail(ErrorKind::Corrupt, fmt::format("'{}/{}' has {} entries where {} were written", path_, log_name(domain),
                                              entries.size(), (*file)->state.sequence));
}

WallTime RotationStore::last_change() const {
  struct stat status {};
  if (::stat(path_.c_str(), &status) != 0) return WallTime{};
  return WallTime{Seconds{status.st_mtim.tv_sec} + Milliseconds{status.st_mtim.tv_nsec / 1'000'000}};
}

}  // namespace waxwing
