#include "relay/store/tls_result_store.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "relay/store/sqlite_connection.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxPolicyOctets = 8'192;
constexpr std::size_t kMaxFailureOctets = 1'024;
constexpr std::size_t kMaxReasonOctets = 255;
constexpr std::size_t kMaxDomainOctets = 255;
constexpr std::int64_t kLastDay = 4'000'000;
constexpr int kLastType = static_cast<int>(TlsResultType::StsWebpkiInvalid);

// The numbers are in the database: they never change.
static_assert(static_cast<int>(TlsReportPolicy::Type::Tlsa) == 0 && static_cast<int>(TlsReportPolicy::Type::Sts) == 1 &&
              static_cast<int>(TlsReportPolicy::Type::NoPolicyFound) == 2);
static_assert(static_cast<int>(TlsResultType::StarttlsNotSupported) == 0 && kLastType == 10);

std::int64_t day_of(WallTime time) {
  return std::chrono::floor<std::chrono::days>(time).time_since_epoch().count();
}

WallTime start_of(std::int64_t day) {
  return WallTime(std::chrono::days(day));
}

// Policies and failures are kept as lines of text, which makes them keys of a row and still readable.
std::string one_line(std::string_view text, std::size_t most) {
  std::string line(text.substr(0, most));
  std::ranges::replace_if(
      line, [](char c) { return c >= 0 && c < 0x20; }, ' ');
  return line;
}

std::string policy_text(const TlsReportPolicy& policy) {
  std::string text = std::to_string(static_cast<int>(policy.type)) + '\n' + one_line(policy.domain, kMaxDomainOctets);
  for (const std::string& line : policy.strings) {
    if (text.size() + line.size() >= kMaxPolicyOctets) break;
    text += '\n' + one_line(line, kMaxPolicyOctets);
  }
  return text;
}

std::string failure_text(const TlsFailure& failure) {
  std::string text = std::to_string(static_cast<int>(failure.type));
  for (const std::string* part : {&failure.sending_ip, &failure.receiving_mx, &failure.receiving_ip}) {
    text += '\n' + one_line(*part, kMaxDomainOctets);
  }
  return text + '\n' + one_line(failure.reason_code, kMaxReasonOctets);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

int number_in(const std::string& text, int most) {
  const bool digits =
      !text.empty() && text.size() <= 2 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  const int number = digits ? std::stoi(text) : most + 1;
  if (number > most) throw CorruptValue("a TLS result has the unknown type " + one_line(text, kMaxReasonOctets));
  return number;
}

TlsReportPolicy read_policy(const std::string& text) {
  std::vector<std::string> lines = lines_of(text);
  if (lines.size() < 2) throw CorruptValue("the policy of a TLS result is cut off");
  TlsReportPolicy policy;
  policy.type =
      static_cast<TlsReportPolicy::Type>(number_in(lines[0], static_cast<int>(TlsReportPolicy::Type::NoPolicyFound)));
  policy.domain = std::move(lines[1]);
  policy.strings.assign(std::move_iterator(lines.begin() + 2), std::move_iterator(lines.end()));
  if (policy.type != TlsReportPolicy::Type::Sts) return policy;
  constexpr std::string_view kMx = "mx: ";
  for (const std::string& line : policy.strings) {
    if (line.starts_with(kMx)) policy.mx_patterns.push_back(line.substr(kMx.size()));
  }
  return policy;
}

std::optional<TlsFailure> read_failure(const std::string& text) {
  if (text.empty()) return std::nullopt;
  std::vector<std::string> lines = lines_of(text);
  if (lines.size() != 5) throw CorruptValue("the failure of a TLS result is cut off");
  return TlsFailure{static_cast<TlsResultType>(number_in(lines[0], kLastType)), std::move(lines[1]),
                    std::move(lines[2]), std::move(lines[3]), std::move(lines[4])};
}

}  // namespace

Result<void> TlsResultStore::add(WallTime now, const DomainName& domain, const std::vector<TlsSessionResult>& results) {
  return connection_.contained("count TLS sessions with " + domain.str(), [&]() -> Result<void> {
    for (const TlsSessionResult& result : results) {
      const std::string policy = policy_text(result.policy);
      const std::string failure = result.failure ? failure_text(*result.failure) : std::string();
      auto change = connection_.query(
          "UPDATE tls_results SET sessions=sessions+1 WHERE day=? AND domain=? AND policy=? AND failure=?");
      change.bind(day_of(now)).bind_text(domain.str()).bind_text(policy).bind_text(failure);
      if (change.run() > 0) continue;
      auto insert = connection_.query(
          "INSERT INTO tls_results(day, domain, policy, failure, sessions) SELECT ?1, ?2, ?3, ?4, 1 "
          "WHERE (SELECT count(*) FROM tls_results WHERE day=?1 AND domain=?2) < ?5");
      insert.bind(day_of(now)).bind_text(domain.str()).bind_text(policy).bind_text(failure);
      insert.bind(kMaxTlsResultRows).run();
    }
    return {};
  });
}

Result<std::vector<TlsResultStore::Day>> TlsResultStore::list() {
  return connection_.contained("list TLS results", [&]() -> Result<std::vector<Day>> {
    auto row = connection_.query(
        "SELECT day, domain, sum(iif(failure='', sessions, 0)), sum(iif(failure='', 0, sessions)) FROM tls_results "
        "GROUP BY day, domain ORDER BY day, domain LIMIT ?");
    row.bind(std::uint64_t{kMaxListedTlsDays});
    std::vector<Day> days;
    while (row.step()) {
      row.rewind_columns();
      Day day;
      day.start = start_of(row.integer(0, kLastDay));
      day.domain = row.octets(kMaxDomainOctets);
      day.successes = static_cast<std::uint64_t>(row.integer(0, INT64_MAX));
      day.failures = static_cast<std::uint64_t>(row.integer(0, INT64_MAX));
      days.push_back(std::move(day));
    }
    return days;
  });
}

Result<TlsReportTally> TlsResultStore::tally(WallTime time, const DomainName& domain) {
  return connection_.contained("read the TLS results of " + domain.str(), [&]() -> Result<TlsReportTally> {
    auto row = connection_.query("SELECT policy, failure, sessions FROM tls_results WHERE day=? AND domain=?");
    row.bind(day_of(time)).bind_text(domain.str());
    TlsReportTally tally;
    while (row.step()) {
      row.rewind_columns();
      TlsSessionResult result;
      result.policy = read_policy(row.octets(kMaxPolicyOctets + 1));
      result.failure = read_failure(row.octets(kMaxFailureOctets));
      tally.add(result, static_cast<std::uint64_t>(row.integer(1, INT64_MAX)));
    }
    return tally;
  });
}

Result<void> TlsResultStore::remove(WallTime time, const DomainName& domain) {
  return connection_.contained("remove the TLS results of " + domain.str(), [&]() -> Result<void> {
    auto change = connection_.query("DELETE FROM tls_results WHERE day=? AND domain=?");
    change.bind(day_of(time)).bind_text(domain.str()).run();
    return {};
  });
}

Result<void> TlsResultStore::remove_before(WallTime time) {
  return connection_.contained("remove old TLS results", [&]() -> Result<void> {
    connection_.query("DELETE FROM tls_results WHERE day<?").bind(day_of(time)).run();
    return {};
  });
}

}  // namespace waxwing
