#include "relay/rotation/publisher.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "relay/rotation/record_format.h"
#include "relay/rotation/run_program.h"

namespace waxwing {
namespace {

tl::unexpected<Error> cannot_write(const std::string& path) {
  return fail(ErrorKind::Unavailable, fmt::format("cannot write '{}': {}; let the user who runs waxwing write there",
                                                  path, std::system_category().message(errno)));
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The server must be able to read it, and reads the old content or the new one.
Result<void> replace_file(const std::string& path, const std::string& content) {
  const std::string partial = path + ".new";
  const int descriptor = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (descriptor < 0) return cannot_write(partial);
  const bool written = ::fchmod(descriptor, 0644) == 0 &&
                       ::write(descriptor, content.data(), content.size()) == static_cast<ssize_t>(content.size()) &&
                       ::fsync(descriptor) == 0;
  ::close(descriptor);
  if (!written || std::rename(partial.c_str(), path.c_str()) != 0) return cannot_write(path);
  return {};
}

}  // namespace

Result<void> ManualPublisher::carry_out(const RotationAction&, const std::string&, const RotationState&) {
  return {};
}

ZoneFilePublisher::ZoneFilePublisher(std::string folder, std::string reload, unsigned ttl_seconds)
    : folder_(std::move(folder)), reload_(std::move(reload)), ttl_seconds_(ttl_seconds) {}

Result<void> ZoneFilePublisher::carry_out(const RotationAction&, const std::string&, const RotationState& state) {
  std::string content = "; written by waxwing; changes here are lost\n";
  for (const PublishedRecord& record : published_records(state))
    content += format_zone_line(record, ttl_seconds_) + '\n';
  const std::string path = folder_ + "/" + state.domain.str() + ".zone";
  // Told again: the server did not take it the last time.
  changed_ = true;
  if (content_of(path) == content) return {};
  return replace_file(path, content);
}

Result<void> ZoneFilePublisher::finish() {
  if (!std::exchange(changed_, false) || reload_.empty()) return {};
  return run_program({reload_});
}

Result<void> CommandPublisher::carry_out(const RotationAction& action, const std::string& name, const RotationState&) {
  const std::string_view word = action.kind == RotationAction::Kind::Publish  ? "publish"
                                : action.kind == RotationAction::Kind::Revoke ? "revoke"
                                                                              : "withdraw";
  return run_program({program_, std::string(word), name, fmt::format("{}", ttl_seconds_), action.record});
}

}  // namespace waxwing
