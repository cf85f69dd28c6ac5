#include "policy/dmarc_record.h"

#include <algorithm>
#include <string>
#include <vector>

#include "policy/ascii.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxDmarcTags = 100;

struct Tag {
  std::string_view name;
  std::string_view value;
};

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// What is not name=value is passed over (RFC 9989 §4.8).
std::vector<Tag> read_tags(std::string_view txt) {
  std::vector<Tag> tags;
  while (!txt.empty() && tags.size() < kMaxDmarcTags) {
    const std::string_view field = txt.substr(0, txt.find(';'));
    if (const std::size_t equals = field.find('='); equals != std::string_view::npos) {
      tags.push_back({trim(field.substr(0, equals)), trim(field.substr(equals + 1))});
    }
    txt.remove_prefix(std::min(field.size() + 1, txt.size()));
  }
  return tags;
}

std::optional<std::string_view> find(const std::vector<Tag>& tags, std::string_view name) {
  const auto found = std::ranges::find_if(tags, [&](const Tag& tag) { return ascii_iequal(tag.name, name); });
  return found == tags.end() ? std::nullopt : std::optional(found->value);
}

bool has_value(const std::vector<Tag>& tags, std::string_view name, std::string_view value) {
  const auto found = find(tags, name);
  return found && ascii_iequal(*found, value);
}

std::optional<DmarcPolicy> policy_from(std::string_view value) {
  for (const DmarcPolicy policy : {DmarcPolicy::None, DmarcPolicy::Quarantine, DmarcPolicy::Reject}) {
    if (ascii_iequal(value, dmarc_policy_name(policy))) return policy;
  }
  return std::nullopt;
}

// A scheme, a colon and something behind it.
bool is_uri(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) return false;
  const std::string_view scheme = text.substr(0, colon);
  return is_ascii_alpha(scheme.front()) &&
         std::ranges::all_of(scheme, [](char c) { return is_ascii_alnum(c) || c == '+' || c == '-' || c == '.'; });
}

bool has_report_uri(const std::vector<Tag>& tags) {
  std::string_view list = find(tags, "rua").value_or("");
  while (!list.empty()) {
    const std::string_view uri = list.substr(0, list.find(','));
    if (is_uri(trim(uri))) return true;
    list.remove_prefix(std::min(uri.size() + 1, list.size()));
  }
  return false;
}

// Reads a policy tag; false when it is there and wrong.
bool read_policy(const std::vector<Tag>& tags, std::string_view name, std::optional<DmarcPolicy>& policy) {
  const auto value = find(tags, name);
  if (!value) return true;
  policy = policy_from(*value);
  return policy.has_value();
}

// RFC 9989 §4.10.1: with a wrong policy a record asks for reports at most.
void read_policies(const std::vector<Tag>& tags, DmarcRecord& record) {
  std::optional<DmarcPolicy> policy;
  const bool valid = read_policy(tags, "p", policy) && policy && read_policy(tags, "sp", record.subdomain_policy) &&
                     read_policy(tags, "np", record.nonexistent_policy);
  if (valid) {
    record.policy = *policy;
    return;
  }
  record.subdomain_policy.reset();
  record.nonexistent_policy.reset();
  record.applies = has_report_uri(tags);
}

}  // namespace

std::string_view dmarc_policy_name(DmarcPolicy policy) {
  switch (policy) {
    case DmarcPolicy::None:
      return "none";
    case DmarcPolicy::Quarantine:
      return "quarantine";
    case DmarcPolicy::Reject:
      return "reject";
  }
  return "none";
}

Result<DmarcRecord> DmarcRecord::parse(std::string_view txt) {
  const std::string_view first = txt.substr(0, txt.find(';'));
  const std::size_t equals = std::min(first.find('='), first.size());
  // The version is case-sensitive, its name is not, and nothing may stand before it.
  const bool is_dmarc = !txt.starts_with(' ') && !txt.starts_with('\t') &&
                        ascii_iequal(trim(first.substr(0, equals)), "v") && equals < first.size() &&
                        trim(first.substr(equals + 1)) == "DMARC1";
  if (!is_dmarc) return fail(ErrorKind::Malformed, "the record does not begin with v=DMARC1");
  const std::vector<Tag> tags = read_tags(txt);
  DmarcRecord record;
  read_policies(tags, record);
  if (has_value(tags, "adkim", "s")) record.dkim_alignment = DmarcAlignment::Strict;
  if (has_value(tags, "aspf", "s")) record.spf_alignment = DmarcAlignment::Strict;
  record.testing = has_value(tags, "t", "y");
  if (has_value(tags, "psd", "y")) record.public_suffix = PublicSuffix::Yes;
  if (has_value(tags, "psd", "n")) record.public_suffix = PublicSuffix::No;
  return record;
}

}  // namespace waxwing
