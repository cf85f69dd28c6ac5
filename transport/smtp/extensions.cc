#include "transport/smtp/extensions.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

namespace waxwing {
namespace {

std::string upper_case(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return result;
}

// RFC 1870 §4: "0" says that no limit is in force.
std::optional<std::uint64_t> read_size(std::string_view parameter) {
  std::uint64_t value = 0;
  const char* end = parameter.data() + parameter.size();
  const auto [stop, error] = std::from_chars(parameter.data(), end, value);
  if (error != std::errc() || stop != end || value == 0) return std::nullopt;
  return value;
}

constexpr std::size_t kMaxLimitDigits = 6;  // RFC 9422 §5

// "RCPTMAX=20 MAILMAX=5"; names that are not known, and values that are not as they should be, say nothing.
void read_limits(std::string_view parameters, SmtpExtensions& extensions) {
  while (!parameters.empty()) {
    const std::string_view one = parameters.substr(0, parameters.find(' '));
    parameters.remove_prefix(std::min(parameters.size(), one.size() + 1));
    const std::size_t equals = one.find('=');
    if (equals == std::string_view::npos || one.size() - equals - 1 > kMaxLimitDigits) continue;
    const auto value = read_size(one.substr(equals + 1));
    if (!value) continue;
    const std::string name = upper_case(one.substr(0, equals));
    const auto limit = static_cast<std::uint32_t>(*value);
    if (name == "MAILMAX") extensions.mail_max = limit;
    if (name == "RCPTMAX") extensions.rcpt_max = limit;
    if (name == "RCPTDOMAINMAX") extensions.rcpt_domain_max = limit;
  }
}

// RFC 2852 §2: the first of a list, of which later ones may mean anything.
Seconds read_least_by_time(std::string_view parameter) {
  constexpr std::size_t kMaxDigits = 9;
  const std::string_view digits = parameter.substr(0, parameter.find(','));
  std::int64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  const bool whole = error == std::errc() && stop == end && value > 0 && digits.size() <= kMaxDigits;
  return Seconds(whole ? value : 0);
}

// RFC 4422 §3.1; a name that is none says nothing.
bool is_mechanism_name(std::string_view name) {
  constexpr std::size_t kMaxNameOctets = 20;
  return !name.empty() && name.size() <= kMaxNameOctets && std::ranges::all_of(name, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

// RFC 4954 §3: "PLAIN LOGIN". A second line adds to the first.
void read_mechanisms(std::string_view parameters, SmtpExtensions& extensions) {
  while (!parameters.empty()) {
    const std::string name = upper_case(parameters.substr(0, parameters.find(' ')));
    parameters.remove_prefix(std::min(parameters.size(), name.size() + 1));
    if (!is_mechanism_name(name)) continue;
    if (name == "PLAIN") extensions.auth_plain = true;
    if (name == "LOGIN") extensions.auth_login = true;
    if (name == "SCRAM-SHA-256") extensions.auth_scram_sha_256 = true;
    if (!extensions.auth_mechanisms.empty()) extensions.auth_mechanisms += ' ';
    extensions.auth_mechanisms += name;
  }
}

}  // namespace

SmtpExtensions SmtpExtensions::parse(const SmtpReply& ehlo_reply) {
  SmtpExtensions result;
  for (std::size_t i = 1; i < ehlo_reply.lines.size(); ++i) {  // the first line is the server's name and greeting
    const std::string_view line = ehlo_reply.lines[i];
    const std::size_t end = line.find(' ');
    const std::string keyword = upper_case(line.substr(0, end));
    const std::string_view parameter = end == std::string_view::npos ? std::string_view() : line.substr(end + 1);
    if (keyword == "STARTTLS") result.starttls = true;
    if (keyword == "PIPELINING") result.pipelining = true;
    if (keyword == "8BITMIME") result.eight_bit_mime = true;
    if (keyword == "SMTPUTF8") result.smtputf8 = true;
    if (keyword == "ENHANCEDSTATUSCODES") result.enhanced_status_codes = true;
    if (keyword == "REQUIRETLS") result.requiretls = true;
    if (keyword == "DSN") result.dsn = true;
    if (keyword == "CHUNKING") result.chunking = true;
    if (keyword == "LIMITS") read_limits(parameter, result);
    if (keyword == "AUTH") read_mechanisms(parameter, result);
    if (keyword == "DELIVERBY") {
      result.deliverby = true;
      result.least_by_time = read_least_by_time(parameter);
    }
    if (keyword == "SIZE") {
      result.size = true;
      result.size_limit_octets = read_size(parameter);
    }
  }
  return result;
}

}  // namespace waxwing
