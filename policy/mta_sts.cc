#include "policy/mta_sts.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "policy/ascii.h"
#include "policy/domain_name.h"
#include "policy/record_fields.h"
#include "policy/utf8.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxIdOctets = 32;
constexpr std::size_t kMaxAgeDigits = 10;
constexpr std::string_view kRecordVersion = "v=STSv1";

bool is_wsp(char c) {
  return c == ' ' || c == '\t';
}

std::string_view trim_front(std::string_view text) {
  while (!text.empty() && is_wsp(text.front())) text.remove_prefix(1);
  return text;
}
std::string_view trim_back(std::string_view text) {
  while (!text.empty() && is_wsp(text.back())) text.remove_suffix(1);
  return text;
}

bool is_id(std::string_view value) {
  return !value.empty() && value.size() <= kMaxIdOctets && std::ranges::all_of(value, is_ascii_alnum);
}

// sts-policy-ext-value: visible characters and UTF-8, with spaces inside.
bool is_policy_extension_value(std::string_view value) {
  return !value.empty() && is_valid_utf8(value) &&
         std::ranges::all_of(value, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

std::optional<StsMode> mode_from(std::string_view value) {
  if (value == "enforce") return StsMode::Enforce;
  if (value == "testing") return StsMode::Testing;
  if (value == "none") return StsMode::None;
  return std::nullopt;
}

std::optional<std::uint32_t> max_age_from(std::string_view value) {
  if (value.empty() || value.size() > kMaxAgeDigits || !std::ranges::all_of(value, is_ascii_digit)) return std::nullopt;
  std::uint64_t seconds = 0;
  for (const char c : value) seconds = seconds * 10 + static_cast<std::uint64_t>(c - '0');
  if (seconds > kMaxStsMaxAgeSeconds) return std::nullopt;
  return static_cast<std::uint32_t>(seconds);
}

std::optional<std::string> mx_pattern_from(std::string_view value) {
  const std::string_view wildcard = value.starts_with("*.") ? "*." : "";
  const std::string_view domain = value.substr(wildcard.size());
  if (std::ranges::any_of(domain, [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) return std::nullopt;
  auto name = DomainName::parse(domain);
  if (!name) return std::nullopt;
  return std::string(wildcard) + name->str();
}

tl::unexpected<Error> malformed_record(std::string_view why) {
  return fail(ErrorKind::Malformed, "the MTA-STS record is not valid: " + std::string(why));
}

// Collects the fields of a policy body; the first of a repeated field counts, except mx (RFC 8461 §3.2).
class PolicyReader {
 public:
  Result<void> read_line(std::string_view line) {
    ++line_number_;
    // Departs from RFC 8461 §3.2 because a stray empty line must not turn the protection off.
    if (trim_front(line).empty()) return {};
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return wrong("has no \":\"");
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trim_back(trim_front(line.substr(colon + 1)));
    if (name == "version") return read_version(value);
    if (name == "mode") return read_mode(value);
    if (name == "max_age") return read_max_age(value);
    if (name == "mx") return read_mx(value);
    if (!is_field_name(name)) return wrong("has a bad field name");
    if (!is_policy_extension_value(value)) return wrong("has a bad value");
    return {};
  }

  Result<StsPolicy> finish() && {
    if (!version_seen_) return fail(ErrorKind::Malformed, "the MTA-STS policy has no version");
    if (!mode_) return fail(ErrorKind::Malformed, "the MTA-STS policy has no mode");
    if (!max_age_) return fail(ErrorKind::Malformed, "the MTA-STS policy has no max_age");
    if (*mode_ != StsMode::None && mx_patterns_.empty()) {
      return fail(ErrorKind::Malformed, fmt::format("the MTA-STS policy has mode {} but no mx", sts_mode_name(*mode_)));
    }
    return StsPolicy{*mode_, *max_age_, std::move(mx_patterns_)};
  }

 private:
  [[nodiscard]] tl::unexpected<Error> wrong(std::string_view what) const {
    return fail(ErrorKind::Malformed, fmt::format("line {} of the MTA-STS policy {}", line_number_, what));
  }
  Result<void> read_version(std::string_view value) {
    if (!version_seen_ && value != "STSv1") return wrong("has a version other than STSv1");
    version_seen_ = true;
    return {};
  }
  Result<void> read_mode(std::string_view value) {
    if (mode_) return {};
    mode_ = mode_from(value);
    if (!mode_) return wrong("has a mode other than enforce, testing and none");
    return {};
  }
  Result<void> read_max_age(std::string_view value) {
    if (max_age_) return {};
    max_age_ = max_age_from(value);
    if (!max_age_) return wrong("has a max_age that is not a number from 0 to 31557600");
    return {};
  }
  Result<void> read_mx(std::string_view value) {
    auto pattern = mx_pattern_from(value);
    if (!pattern) return wrong("has an mx that is not a host name or \"*.\" with a domain");
    if (mx_patterns_.size() == kMaxStsMxPatterns) return wrong("is one mx too many");
    mx_patterns_.push_back(std::move(*pattern));
    return {};
  }

  std::size_t line_number_ = 0;
  bool version_seen_ = false;
  std::optional<StsMode> mode_;
  std::optional<std::uint32_t> max_age_;
  std::vector<std::string> mx_patterns_;
};

}  // namespace

std::string_view sts_mode_name(StsMode mode) {
  switch (mode) {
    case StsMode::Enforce:
      return "enforce";
    case StsMode::Testing:
      return "testing";
    case StsMode::None:
      return "none";
  }
  return "none";
}

Result<StsPolicy> StsPolicy::parse(std::string_view body) {
  if (body.size() > kMaxStsPolicyOctets) return fail(ErrorKind::Malformed, "the MTA-STS policy is larger than 64 KiB");
  PolicyReader reader;
  while (!body.empty()) {
    const std::size_t newline = body.find('\n');
    std::string_view line = body.substr(0, newline);
    if (newline != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
    if (auto read = reader.read_line(line); !read) return tl::unexpected(std::move(read.error()));
    body.remove_prefix(newline == std::string_view::npos ? body.size() : newline + 1);
  }
  return std::move(reader).finish();
}

bool StsPolicy::covers(std::string_view host) const {
  const std::size_t dot = host.find('.');
  return std::ranges::any_of(mx_patterns, [&](std::string_view pattern) {
    if (!pattern.starts_with("*.")) return pattern == host;
    return dot != std::string_view::npos && dot > 0 && pattern.substr(1) == host.substr(dot);
  });
}

Result<std::string> parse_sts_record(std::string_view txt) {
  const auto fields = split_record_fields(txt, kRecordVersion);
  if (!fields) return malformed_record(fields.error().detail);
  std::optional<std::string> id;
  for (const RecordField& field : *fields) {
    if (!is_extension_value(field.value)) return malformed_record("it has a field with a bad value");
    if (field.name != "id") continue;
    if (id) return malformed_record("it has two ids");
    if (!is_id(field.value)) return malformed_record("its id is not 1 to 32 letters and digits");
    id = field.value;
  }
  if (!id) return malformed_record("it has no id");
  return *id;
}

Result<std::string> select_sts_record(const std::vector<std::string>& txt_records) {
  const std::string* only = nullptr;
  for (const std::string& txt : txt_records) {
    if (!has_record_version(txt, kRecordVersion)) continue;
    if (only) return fail(ErrorKind::NotFound, "more than one MTA-STS record is published");
    only = &txt;
  }
  if (!only) return fail(ErrorKind::NotFound, "no MTA-STS record is published");
  return parse_sts_record(*only);
}

}  // namespace waxwing
