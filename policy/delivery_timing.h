#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "policy/time_point.h"

namespace waxwing {

/// What becomes of a message that is not delivered in time. @source RFC 2852 §4
enum class ByMode {
  Notify,  ///< N: it is tried on, and its sender is told
  Return,  ///< R: it goes back
};

/// The value of BY=, which counts from its arrival. @source RFC 2852 §4
struct ByValue {
  Seconds time{0};
  ByMode mode = ByMode::Notify;
  bool trace = false;  ///< T: each host that hands the message on reports it

  /// "98;R", "-5;NT".
  [[nodiscard]] std::string str() const;

  friend bool operator==(const ByValue&, const ByValue&) = default;
};

/// Reads the value of BY=.
/// @return  no value: not a number of at most 9 digits with or without a sign, ";" and N or R with or without T; or a
///          time that is not positive with R
[[nodiscard]] std::optional<ByValue> parse_by_value(std::string_view text);

/// Reads the value of HOLDFOR=.
/// @return  no value: not a number of at most 9 digits that begins with 1 to 9
/// @source  RFC 4865 §3
[[nodiscard]] std::optional<Seconds> parse_hold_for(std::string_view text);

/// What MAIL asks about time, as it was written.
struct TimingRequest {
  std::optional<Seconds> hold_for{};     ///< HOLDFOR= of RFC 4865
  std::optional<WallTime> hold_until{};  ///< HOLDUNTIL= of RFC 4865
  std::optional<ByValue> by{};           ///< BY= of RFC 2852
};

/// When a message is to be delivered at the latest.
struct DeliverBy {
  WallTime time{};
  ByMode mode = ByMode::Notify;
  bool trace = false;

  /// The value for the next host. @source RFC 2852 §4.1.4
  [[nodiscard]] ByValue value_at(WallTime now) const;

  friend bool operator==(const DeliverBy&, const DeliverBy&) = default;
};

/// What was asked about time, in times of day.
struct DeliveryTiming {
  WallTime release{};             ///< not tried before; the epoch: at once
  std::string release_request{};  ///< as Future-Release-Request names it, "for;60"; empty: nothing was asked
  std::optional<DeliverBy> deliver_by{};

  friend bool operator==(const DeliveryTiming&, const DeliveryTiming&) = default;
};

/// "for;60", "until;2026-11-30T08:00:00Z"; empty: nothing of the kind is asked.
/// @source  RFC 4865 §5.1.2
[[nodiscard]] std::string release_request_text(const TimingRequest& request);

/// Whether release_request_text() may have written it, for values that come back from a database.
[[nodiscard]] bool is_release_request(std::string_view text);

inline constexpr Seconds kMaxHold{999'999'999};              // RFC 4865 §3
inline constexpr std::size_t kMaxReleaseRequestOctets = 32;  // of release_request_text()

}  // namespace waxwing
