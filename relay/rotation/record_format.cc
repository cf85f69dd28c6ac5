#include "relay/rotation/record_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "keys/generation_name.h"
#include "relay/rotation/publisher.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxStringOctets = 255;
constexpr std::array<std::pair<std::string_view, RecordFormat>, 6> kFormats = {
    {{"zone", RecordFormat::Zone},
     {"nsupdate", RecordFormat::Nsupdate},
     {"octodns", RecordFormat::Octodns},
     {"terraform", RecordFormat::Terraform},
     {"external-dns", RecordFormat::ExternalDns},
     {"plain", RecordFormat::Plain}}};

// "…" "…"; records of keys are plain ASCII without quotes and backslashes.
std::string quoted_strings(std::string_view text, std::string_view separator = "\" \"") {
  std::string quoted;
  while (!text.empty()) {
    if (!quoted.empty()) quoted += separator;
    quoted += text.substr(0, kMaxStringOctets);
    text.remove_prefix(std::min(text.size(), kMaxStringOctets));
  }
  return '"' + quoted + '"';
}

std::string identifier_of(std::string name) {
  for (char& c : name)
    if (c == '.' || c == '-') c = '_';
  return name;
}

std::string relative_to(const std::string& name, std::string_view zone) {
  if (name.size() > zone.size() + 1 && name.ends_with(zone)) return name.substr(0, name.size() - zone.size() - 1);
  return name;
}

std::string format_octodns(const PublishedRecord& record, std::string_view zone, unsigned ttl_seconds) {
  std::string escaped;
  for (const char c : record.text) {
    if (c == ';') escaped += '\\';
    escaped += c;
  }
  return fmt::format("'{}':\n  ttl: {}\n  type: TXT\n  value: '{}'\n", relative_to(record.name, zone), ttl_seconds,
                     escaped);
}

std::string format_terraform(const PublishedRecord& record, unsigned ttl_seconds) {
  std::string strings;
  std::string_view rest = record.text;
  while (!rest.empty()) {
    if (!strings.empty()) strings += "\\\"\\\"";
    strings += rest.substr(0, kMaxStringOctets);
    rest.remove_prefix(std::min(rest.size(), kMaxStringOctets));
  }
  return fmt::format(
      "resource \"aws_route53_record\" \"{}\" {{\n  zone_id = var.zone_id\n  name    = \"{}\"\n  type    = \"TXT\"\n"
      "  ttl     = {}\n  records = [\"{}\"]\n}}\n",
      identifier_of(record.name), record.name, ttl_seconds, strings);
}

std::string format_external_dns(const std::vector<PublishedRecord>& records, std::string_view zone,
                                unsigned ttl_seconds) {
  std::string resource_name(zone);
  std::ranges::replace(resource_name, '.', '-');
  std::string text = fmt::format(
      "apiVersion: externaldns.k8s.io/v1alpha1\nkind: DNSEndpoint\nmetadata:\n  name: dkim-{}\nspec:\n  endpoints:\n",
      resource_name);
  for (const PublishedRecord& record : records) {
    text += fmt::format("  - dnsName: {}\n    recordTTL: {}\n    recordType: TXT\n    targets:\n    - '{}'\n",
                        record.name, ttl_seconds, quoted_strings(record.text));
  }
  return text;
}

std::string format_nsupdate(const std::vector<PublishedRecord>& records, unsigned ttl_seconds) {
  std::string text;
  for (const PublishedRecord& record : records) {
    text += fmt::format("prereq nxrrset {0}. TXT\nupdate add {0}. {1} TXT {2}\nsend\n", record.name, ttl_seconds,
                        quoted_strings(record.text));
  }
  return text;
}

}  // namespace

std::vector<PublishedRecord> published_records(const RotationState& state) {
  std::vector<PublishedRecord> records;
  for (const KeyGeneration& generation : state.generations) {
    const bool revoked = generation.revoked && generation.withdrawing && !is_final(generation.phase);
    const bool wanted = generation.phase <= KeyPhase::Retiring && !generation.withdrawing;
    if (!wanted && !revoked) continue;
    for (const RotatedKey& key : generation.keys) {
      if (key.record.empty()) continue;
      records.push_back({publication_name(state, key.selector), revoked ? kRevokedRecord : key.record});
    }
  }
  return records;
}

std::optional<RecordFormat> parse_record_format(std::string_view word) {
  const auto found = std::ranges::find(kFormats, word, &std::pair<std::string_view, RecordFormat>::first);
  if (found == kFormats.end()) return std::nullopt;
  return found->second;
}

std::string format_zone_line(const PublishedRecord& record, unsigned ttl_seconds) {
  return fmt::format("{}. {} IN TXT {}", record.name, ttl_seconds, quoted_strings(record.text));
}

std::string format_delegation(const RotationState& state, unsigned slots, unsigned ttl_seconds) {
  std::string text;
  for (unsigned number = 1; number <= slots; ++number) {
    for (const std::string& selector : {slot_name(number), slot_name(number) + std::string(kEd25519Suffix)}) {
      text += fmt::format("{}._domainkey.{}. {} IN CNAME {}.\n", selector, state.domain.str(), ttl_seconds,
                          publication_name(state, selector));
    }
  }
  return text;
}

std::string format_records(const std::vector<PublishedRecord>& records, RecordFormat format, std::string_view zone,
                           unsigned ttl_seconds) {
  if (format == RecordFormat::ExternalDns) return format_external_dns(records, zone, ttl_seconds);
  if (format == RecordFormat::Nsupdate) return format_nsupdate(records, ttl_seconds);
  std::string text;
  for (const PublishedRecord& record : records) {
    if (format == RecordFormat::Zone) text += format_zone_line(record, ttl_seconds) + '\n';
    if (format == RecordFormat::Octodns) text += format_octodns(record, zone, ttl_seconds);
    if (format == RecordFormat::Terraform) text += format_terraform(record, ttl_seconds);
    if (format == RecordFormat::Plain) text += record.name + '\t' + record.text + '\n';
  }
  return text;
}

}  // namespace waxwing
