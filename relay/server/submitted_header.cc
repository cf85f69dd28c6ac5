#include "relay/server/submitted_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "policy/ascii.h"

namespace waxwing {
namespace {

// What stands in the EHLO is the client's word: only octets that cannot end an atom or open a comment are repeated.
std::string harmless(std::string_view name) {
  std::string result;
  for (const char octet : name.substr(0, 255)) {
    const bool plain = is_ascii_alnum(octet) || octet == '-' || octet == '.' || octet == '_' || octet == ':' ||
                       octet == '[' || octet == ']';
    result += plain ? octet : '?';
  }
  return result.empty() ? "unknown" : result;
}

// Who wrote one of these has said what the body is.
bool is_mime(const std::vector<HeaderField>& fields) {
  return has_field(fields, "MIME-Version") || has_field(fields, "Content-Type") ||
         has_field(fields, "Content-Transfer-Encoding");
}

}  // namespace

bool has_field(const std::vector<HeaderField>& fields, std::string_view name) {
  return std::any_of(fields.begin(), fields.end(), [name](const HeaderField& field) { return field.is(name); });
}

std::string format_mail_date(WallTime time) {
  static constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<Seconds>(time - day));
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} +0000", kDays[std::chrono::weekday(day).c_encoding()],
                     static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

std::string compose_received(const TraceFacts& facts) {
  const std::string protocol =
      fmt::format("{}{}{}", facts.protocol, facts.tls_summary.empty() ? "" : "S", facts.authenticated ? "A" : "");
  const std::string tls = facts.tls_summary.empty() ? "" : fmt::format("\r\n\t({})", facts.tls_summary);
  return fmt::format("Received: from {} ([{}]){}\r\n\tby {} (Waxwing) with {} id {};\r\n\t{}\r\n",
                     harmless(facts.helo_name), facts.peer, tls, facts.hostname, protocol, facts.id.str(),
                     format_mail_date(facts.now));
}

std::string compose_missing_fields(const std::vector<HeaderField>& fields, const std::string& hostname, QueueId id,
                                   WallTime now, MissingFields wanted) {
  std::string added;
  if (wanted.date && !has_field(fields, "Date")) added += fmt::format("Date: {}\r\n", format_mail_date(now));
  if (wanted.message_id && !has_field(fields, "Message-ID"))
    added += fmt::format("Message-ID: <{}@{}>\r\n", id.str(), hostname);
  if (wanted.utf8_label && !is_mime(fields)) {
    added +=
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: 8bit\r\n";
  }
  return added;
}

std::string find_message_id(const std::vector<HeaderField>& fields) {
  constexpr std::size_t kMaxMessageIdOctets = 998;  // RFC 5322 §2.1.1: it fits on one line
  const auto field =
      std::find_if(fields.begin(), fields.end(), [](const HeaderField& f) { return f.is("Message-ID"); });
  if (field == fields.end()) return {};
  const std::size_t begin = field->value.find('<');
  const std::size_t end = field->value.find('>', begin == std::string_view::npos ? 0 : begin);
  if (begin == std::string_view::npos || end == std::string_view::npos || end - begin >= kMaxMessageIdOctets) return {};
  const std::string_view id = field->value.substr(begin, end - begin + 1);
  const bool readable = std::all_of(id.begin(), id.end(), [](char octet) { return octet > ' ' && octet <= '~'; });
  return readable ? std::string(id) : std::string();
}

std::size_t count_received(const std::vector<HeaderField>& fields) {
  return static_cast<std::size_t>(
      std::count_if(fields.begin(), fields.end(), [](const HeaderField& field) { return field.is("Received"); }));
}

}  // namespace waxwing
