#pragma once

#include <memory>
#include <optional>
#include <string>

#include "relay/queue/queued_message.h"
#include "relay/store/spool_file.h"
#include "transport/delivery/delivery_agent.h"

namespace waxwing {

/// The content of a queued message as it goes over the wire: header block, empty line, body.
class QueuedContent final : public ContentSource {
 public:
  /// @param message  with its inline body; of a spooled one the file is opened here
  /// @errors  as SpoolReader::open()
  [[nodiscard]] static Result<std::unique_ptr<QueuedContent>> open(const std::string& state_directory,
                                                                   QueuedMessage message);

  [[nodiscard]] std::uint64_t size_octets() const override;
  [[nodiscard]] Result<std::string_view> next() override;
  [[nodiscard]] Result<void> rewind() override;

 private:
  enum class Part { Header, Body, End };
  QueuedContent(QueuedMessage message, std::optional<SpoolReader> spool);

  std::string header_;  ///< with the empty line
  std::string body_;
  std::optional<SpoolReader> spool_;
  std::uint64_t body_octets_;
  Part part_ = Part::Header;
};

}  // namespace waxwing
