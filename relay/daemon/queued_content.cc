#include "relay/daemon/queued_content.h"

#include <utility>

namespace waxwing {

QueuedContent::QueuedContent(QueuedMessage message, std::optional<SpoolReader> spool)
    : header_(std::move(message.header)),
      body_(std::move(message.body)),
      spool_(std::move(spool)),
      body_octets_(message.body_octets) {
  header_ += "\r\n";
}

Result<std::unique_ptr<QueuedContent>> QueuedContent::open(const std::string& state_directory, QueuedMessage message) {
  std::optional<SpoolReader> spool;
  if (message.spooled) {
    auto opened = SpoolReader::open(state_directory, message.id, message.body_octets);
    if (!opened) return tl::unexpected(opened.error());
    spool = std::move(*opened);
  }
  return std::unique_ptr<QueuedContent>(new QueuedContent(std::move(message), std::move(spool)));
}

std::uint64_t QueuedContent::size_octets() const {
  return header_.size() + body_octets_;
}

Result<std::string_view> QueuedContent::next() {
  if (part_ == Part::Header) {
    part_ = Part::Body;
    return header_;
  }
  if (part_ == Part::Body && spool_) return spool_->next();
  if (part_ == Part::Body) {
    part_ = Part::End;
    return body_;
  }
  return std::string_view();
}

Result<void> QueuedContent::rewind() {
  part_ = Part::Header;
  if (spool_) spool_->rewind();
  return {};
}

}  // namespace waxwing
