#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "keys/rotation_state.h"

namespace waxwing {

/// A TXT record that is to be in the DNS.
struct PublishedRecord {
  std::string name;  ///< without final dot
  std::string text;
};

/// What is to be published for a domain now: records of keys that are coming, standing by, signing, or still needed,
/// and the empty ones of revoked keys.
[[nodiscard]] std::vector<PublishedRecord> published_records(const RotationState& state);

/// How records are written for those who publish them.
enum class RecordFormat { Zone, Nsupdate, Octodns, Terraform, ExternalDns, Plain };

/// "zone", "nsupdate", "octodns", "terraform", "external-dns", "plain"; no value: none of these.
[[nodiscard]] std::optional<RecordFormat> parse_record_format(std::string_view word);

/// Writes records, their texts split into strings of at most 255 octets wherever the format wants that:
/// - Zone: lines of a zone file; Nsupdate: its commands, which add where there is nothing and end with `send`
/// - Octodns: the YAML of a zone, in which a semicolon is escaped
/// - Terraform: resources `aws_route53_record`, whose provider wants the quotes between the strings
/// - ExternalDns: a DNSEndpoint of Kubernetes
/// - Plain: name, a tab and the text unsplit
/// @param zone  apex that Octodns writes names relative to
[[nodiscard]] std::string format_records(const std::vector<PublishedRecord>& records, RecordFormat format,
                                         std::string_view zone, unsigned ttl_seconds);

/// One line of a zone file with TTL: `name. 3600 IN TXT "…" "…"`.
[[nodiscard]] std::string format_zone_line(const PublishedRecord& record, unsigned ttl_seconds);

/// The CNAMEs that a customer publishes once for a delegated domain, as lines of a zone file.
[[nodiscard]] std::string format_delegation(const RotationState& state, unsigned slots, unsigned ttl_seconds);

}  // namespace waxwing
