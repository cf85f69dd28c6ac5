#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "policy/time_point.h"

namespace waxwing {

enum class Severity { Debug, Info, Warning, Error };

/// "debug", "info", "warning", "error".
[[nodiscard]] std::string_view severity_name(Severity severity);

/// One field of an event. Names are lower case with underscores.
struct EventField {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, bool> value;
};

/// Writes one line per event, as text (`2026-01-31T12:00:00.000Z info message_accepted id=… from=…`) or as JSON
/// (`{"time":"…","severity":"info","event":"message_accepted","id":"…"}`). Values are escaped (escape.h), so that no
/// octet of a peer can forge a line or a field or reach a terminal as a control character. Thread-safe: a line is one
/// write(2) of at most kMaxLineOctets, which pipes, sockets and appended files keep whole.
class EventLog {
 public:
  enum class Format { Text, Json };

  /// A longer value, counted after escaping, ends in kCutMark.
  static constexpr std::size_t kMaxValueOctets = 1'024;
  /// PIPE_BUF of Linux. Fields that do not fit are left out, and the line says `fields_cut=true`.
  static constexpr std::size_t kMaxLineOctets = 4'096;

  /// @param least       events below it are not written
  /// @param descriptor  where lines go, e.g. 2; not closed. A line that it does not take is lost: a relay must not stop
  ///                    because nobody reads its log.
  EventLog(Format format, Severity least, int descriptor, std::function<WallTime()> clock);

  /// @param event  what happened, in the past tense: "message_accepted"
  void write(Severity severity, std::string_view event, std::initializer_list<EventField> fields) const;

 private:
  Format format_;
  Severity least_;
  int descriptor_;
  std::function<WallTime()> clock_;
};

/// The line that EventLog writes, with its line feed.
[[nodiscard]] std::string format_event(EventLog::Format format, WallTime time, Severity severity,
                                       std::string_view event, std::initializer_list<EventField> fields);

}  // namespace waxwing
