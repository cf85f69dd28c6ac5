#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/delivery_notice.h"
#include "policy/delivery_timing.h"
#include "policy/mail_address.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "policy/tls_level.h"

namespace waxwing {

/// Names a queued message for ever: 41 bits of milliseconds since 2020 and 22 bits that keep ids of one process apart,
/// so that ids grow with time and need no database to be made. Printed as 13 characters of Crockford's base 32 in upper
/// case.
class QueueId {
 public:
  QueueId() = default;
  explicit QueueId(std::uint64_t value) : value_(value) {}

  /// Reads what str() wrote; lower case, and O, I, L for 0, 1, 1 are understood.
  /// @errors  Malformed: not 13 characters of the alphabet, or a value over 63 bits
  [[nodiscard]] static Result<QueueId> parse(std::string_view text);

  [[nodiscard]] std::uint64_t value() const { return value_; }
  [[nodiscard]] std::string str() const;

  friend auto operator<=>(const QueueId&, const QueueId&) = default;

 private:
  std::uint64_t value_ = 0;
};

/// Makes ids: increasing within a process, unique across its threads. Thread-safe.
class QueueIdSource {
 public:
  /// @param seed  starting point of the 22 low bits, random at each start of the process
  explicit QueueIdSource(std::uint32_t seed);
  [[nodiscard]] QueueId next(WallTime now);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// Where a recipient is in its life. The first three wait; the others are outcomes, of which each recipient gets one.
enum class RecipientState { Queued, Deferred, Held, Delivered, Bounced, Expired, Dropped };

/// "queued", "deferred", "held", "delivered", "bounced", "expired", "dropped".
[[nodiscard]] std::string_view recipient_state_name(RecipientState state);

/// Whether nothing will happen to the recipient any more.
[[nodiscard]] bool is_final(RecipientState state);

struct QueuedRecipient {
  std::uint32_t ordinal = 0;  ///< position in the envelope, from 0
  MailAddress address;
  RecipientState state = RecipientState::Queued;
  std::uint32_t attempts = 0;
  WallTime next_attempt{};   ///< for Queued and Deferred; for Held, since when
  std::string status{};      ///< enhanced status code of the last attempt, empty before
  std::string reason{};      ///< one sentence: why it waits, or what became of it; empty before the first attempt
  std::string report{};      ///< the last DeliveryReport as JSON, for `queue show`; empty before
  RecipientNotice notice{};  ///< what its sender wants to be told
  bool delay_told = false;   ///< the one report of a delay has been made
  WallTime not_before{};     ///< never tried earlier, as its sender asked (RFC 4865); the epoch: it did not
};

/// What is still to be done to a message before it may be sent.
enum class Sealing {
  Done,  ///< its header is as it goes out
  Due,   ///< it was released after it had been held: signed anew at each attempt, with the keys that are proven then
  Elsewhere  ///< it came from elsewhere and has a chain of ours: its header stays as it is whatever becomes of it
};

/// What a client calls its request, so that it can repeat it without sending twice.
struct SubmissionKey {
  std::string key{};     ///< empty: the client gives none
  std::string digest{};  ///< SHA-256 of the request
};

/// A message as the queue keeps it. Its content on the wire is `header`, an empty line and the body.
struct QueuedMessage {
  QueueId id;
  WallTime accepted;
  WallTime expires;                         ///< after this, recipients that still wait become Expired
  std::string account;                      ///< who submitted it; empty: made by the relay itself (a DSN)
  std::string tenant;                       ///< of that account
  std::optional<MailAddress> reverse_path;  ///< no value: null reverse-path
  std::string message_id;                   ///< of the Message-ID field, with angle brackets; may be empty
  bool needs_8bit = false;
  bool needs_smtputf8 = false;
  Sealing sealing = Sealing::Done;
  TlsRequest tls_request = TlsRequest::None;  ///< what the sender asked of TLS (RFC 8689)
  MessageNotice notice{};                     ///< what it asked about reports (RFC 3461)
  std::string release_request{};              ///< DeliveryTiming::release_request
  std::optional<DeliverBy> deliver_by{};      ///< by when its sender wants it delivered (RFC 2852)
  std::string header;                         ///< signed header block: fields with CRLF, without the empty line
  std::string body;                           ///< body up to kMaxInlineBodyOctets; empty when `spooled`
  bool spooled = false;                       ///< the body is in the spool file of this id
  std::uint64_t body_octets = 0;
  std::vector<QueuedRecipient> recipients;
  SubmissionKey submission{};  ///< written with the message and kept for a day; load() leaves it out
};

/// Bodies up to this size are kept in the row, larger ones in a spool file.
inline constexpr std::size_t kMaxInlineBodyOctets = 65'536;

}  // namespace waxwing
