#include "relay/observe/event_log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "relay/observe/escape.h"
#include "relay/observe/timestamp.h"

namespace waxwing {
namespace {

struct ValueText {
  EventLog::Format format;

  std::string operator()(std::string_view text) const {
    std::string value;
    if (format == EventLog::Format::Text && text.size() <= EventLog::kMaxValueOctets && is_plain_word(text)) {
      value = text;
      return value;
    }
    const auto style = format == EventLog::Format::Text ? EscapeStyle::Text : EscapeStyle::Json;
    value += '"';
    append_escaped(value, text, style, EventLog::kMaxValueOctets);
    value += '"';
    return value;
  }
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(bool flag) const { return flag ? "true" : "false"; }
};

std::string format_field(EventLog::Format format, std::string_view name, std::string_view value) {
  return format == EventLog::Format::Text ? fmt::format(" {}={}", name, value) : fmt::format(",\"{}\":{}", name, value);
}

}  // namespace

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::Debug:
      return "debug";
    case Severity::Info:
      return "info";
    case Severity::Warning:
      return "warning";
    case Severity::Error:
      break;
  }
  return "error";
}

std::string format_event(EventLog::Format format, WallTime time, Severity severity, std::string_view event,
                         std::initializer_list<EventField> fields) {
  const bool is_text = format == EventLog::Format::Text;
  const std::string cut = format_field(format, "fields_cut", "true");
  const std::string_view end = is_text ? "\n" : "}\n";
  std::string line = fmt::format(fmt::runtime(is_text ? "{} {} {}" : R"({{"time":"{}","severity":"{}","event":"{}")"),
                                 format_timestamp(time), severity_name(severity), event);
  for (const EventField& field : fields) {
    const std::string text = format_field(format, field.name, std::visit(ValueText{format}, field.value));
    if (line.size() + text.size() + cut.size() + end.size() > EventLog::kMaxLineOctets) {
      line += cut;
      break;
    }
    line += text;
  }
  line += end;
  return line;
}

EventLog::EventLog(Format format, Severity least, int descriptor, std::function<WallTime()> clock)
    : format_(format), least_(least), descriptor_(descriptor), clock_(std::move(clock)) {}

void EventLog::write(Severity severity, std::string_view event, std::initializer_list<EventField> fields) const {
  if (severity < least_) return;
  const std::string line = format_event(format_, clock_(), severity, event, fields);
  while (::write(descriptor_, line.data(), line.size()) < 0 && errno == EINTR) {
  }
}

}  // namespace waxwing
