#include "relay/daemon/file_content.h"

#include <algorithm>

namespace waxwing {
namespace {

constexpr std::string_view kMailboxMark = "From ";

}  // namespace

std::string_view FileContent::convert(std::string_view chunk) {
  out_.clear();
  if (place_ == Place::Start) {
    const std::size_t wanted = std::min(chunk.size(), kMailboxMark.size() - start_.size());
    start_ += chunk.substr(0, wanted);
    chunk.remove_prefix(wanted);
    if (kMailboxMark.starts_with(start_) && start_.size() < kMailboxMark.size()) return out_;
    place_ = start_ == kMailboxMark ? Place::MailboxLine : Place::Message;
    if (place_ == Place::Message) put(start_);
  }
  if (place_ == Place::MailboxLine) {
    const std::size_t end = chunk.find('\n');
    if (end == std::string_view::npos) return out_;
    chunk.remove_prefix(end + 1);
    place_ = Place::Message;
  }
  put(chunk);
  return out_;
}

std::string_view FileContent::finish() {
  out_.clear();
  if (place_ == Place::Start) put(start_);
  place_ = Place::Message;
  return out_;
}

void FileContent::put(std::string_view octets) {
  while (!octets.empty()) {
    const std::size_t end = std::min(octets.find('\n'), octets.size());
    if (end > 0) {
      out_ += octets.substr(0, end);
      last_ = octets[end - 1];
    }
    if (end == octets.size()) return;
    out_ += last_ == '\r' ? "\n" : "\r\n";
    last_ = '\n';
    octets.remove_prefix(end + 1);
  }
}

}  // namespace waxwing
