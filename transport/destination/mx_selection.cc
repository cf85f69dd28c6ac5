#include "transport/destination/mx_selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "transport/destination/destination_plan.h"
#include "transport/destination/shuffle.h"

namespace waxwing {
namespace {

using Kind = MxSelection::Kind;

MxSelection end(Kind kind, std::string_view status, std::string reason) {
  MxSelection selection;
  selection.kind = kind;
  selection.status = status;
  selection.reason = std::move(reason);
  return selection;
}

MxSelection::Host read_host(const MxRecord& record) {
  if (IpAddress::parse(record.exchange)) {
    return {record.exchange, record.preference,
            fmt::format("The MX \"{}\" is an address where a host name belongs (RFC 5321 §5.1).", record.exchange)};
  }
  const auto name = DomainName::parse(record.exchange);
  if (!name) {
    return {record.exchange, record.preference,
            fmt::format("The MX \"{}\" is not a host name (RFC 5321 §5.1).", record.exchange)};
  }
  return {name->str(), record.preference, {}};
}

std::vector<MxRecord> mx_records(const Answer& mx) {
  std::vector<MxRecord> records;
  for (const RecordData& data : mx.records) {
    if (const auto* record = std::get_if<MxRecord>(&data)) records.push_back(*record);
  }
  return records;
}

}  // namespace

MxSelection select_mx(const DomainName& domain, const Answer& mx, std::mt19937_64& random) {
  if (!mx.usable()) {
    return end(Kind::Defer, "4.4.3",
               fmt::format("The MX lookup of {} {} ({}); that says nothing about where its mail goes (RFC 5321 §5.1).",
                           domain.str(),
                           mx.status == Answer::Status::Bogus ? "failed DNSSEC validation" : "could not be completed",
                           mx.detail.empty() ? "no detail" : mx.detail));
  }
  if (!mx.name_exists) {
    return end(Kind::Bounce, "5.1.2",
               fmt::format("The domain {} does not exist in DNS (RFC 5321 §5.1).", domain.str()));
  }
  std::vector<MxRecord> records = mx_records(mx);
  if (records.size() == 1 && records[0].exchange == ".") {
    return end(Kind::Bounce, "5.1.10",
               fmt::format("The domain {} says by a null MX that it takes no mail (RFC 7505 §3).", domain.str()));
  }
  MxSelection selection;
  selection.kind = Kind::Hosts;
  if (records.empty()) {
    selection.implicit = true;
    selection.hosts.push_back({domain.str(), 0, {}});
    return selection;
  }
  std::ranges::sort(records);  // by preference and name: the order of the answer must not matter
  shuffle_runs(
      records, [](const MxRecord& a, const MxRecord& b) { return a.preference == b.preference; }, random);
  std::set<std::string> seen;
  for (const MxRecord& record : records) {
    if (selection.hosts.size() == kMaxMxHosts) break;
    MxSelection::Host host = read_host(record);
    if (seen.insert(host.name).second) selection.hosts.push_back(std::move(host));
  }
  return selection;
}

}  // namespace waxwing
