#include "relay/observe/event_log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "relay/observe/escape.h"
#include "relay/observe/timestamp.h"

namespace waxwing {
namespace {

struct AppendValue {
  EventLog::Format format;
  std::string& line;

  void operator()(std::string_view text) const {
    const bool is_text = format == EventLog::Format::Text;
    if (is_text && text.size() <= EventLog::kMaxValueOctets && is_plain_word(text)) {
      line += text;
      return;
    }
    line += '"';
    append_escaped(line, text, is_text ? EscapeStyle::Text : EscapeStyle::Json, EventLog::kMaxValueOctets);
    line += '"';
  }
  void operator()(std::int64_t number) const { line += std::to_string(number); }
  void operator()(bool flag) const { line += flag ? "true" : "false"; }
};

void append_field(EventLog::Format format, const EventField& field, std::string& line) {
  const bool is_text = format == EventLog::Format::Text;
  line += is_text ? " " : ",\"";
  line += field.name;
  line += is_text ? "=" : "\":";
  std::visit(AppendValue{format, line}, field.value);
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
  const std::string_view cut = is_text ? " fields_cut=true" : ",\"fields_cut\":true";
  const std::string_view end = is_text ? "\n" : "}\n";
  std::string line = fmt::format(fmt::runtime(is_text ? "{} {} {}" : R"({{"time":"{}","severity":"{}","event":"{}")"),
                                 format_timestamp(time), severity_name(severity), event);
  for (const EventField& field : fields) {
    const std::size_t complete = line.size();
    append_field(format, field, line);
    if (line.size() + cut.size() + end.size() > EventLog::kMaxLineOctets) {
      line.resize(complete);
      line += cut;
      break;
    }
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
