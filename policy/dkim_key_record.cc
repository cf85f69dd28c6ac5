#include "policy/dkim_key_record.h"

#include <fmt/format.h>

#include <algorithm>

#include "policy/ascii.h"
#include "policy/base64.h"
#include "policy/tag_list.h"

namespace waxwing {
namespace {

constexpr std::size_t kEd25519KeyOctets = 32;

std::vector<std::string> colon_list_of(const TagList& tags, std::string_view name) {
  const TagList::Tag* tag = tags.find(name);
  if (!tag) return {};
  std::vector<std::string> parts = split_colon_list(ascii_lower(tag->value));
  std::erase(parts, "");
  return parts;
}

bool contains(const std::vector<std::string>& list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

Result<DkimKeyType> parse_key_type(const TagList& tags) {
  const TagList::Tag* tag = tags.find("k");
  if (!tag || ascii_iequal(tag->value, "rsa")) return DkimKeyType::Rsa;
  if (ascii_iequal(tag->value, "ed25519")) return DkimKeyType::Ed25519;
  return fail(ErrorKind::Malformed, "the DKIM key record has an unknown key type k=");
}

Result<void> check_version(const TagList& tags) {
  const TagList::Tag* tag = tags.find("v");
  if (!tag) return {};
  if (tag != &tags.tags().front()) return fail(ErrorKind::Malformed, "the DKIM key record does not begin with v=");
  if (tag->value != "DKIM1") return fail(ErrorKind::Malformed, "the DKIM key record is not of version DKIM1");
  return {};
}

Result<void> read_public_key(const TagList& tags, DkimKeyRecord& record) {
  const TagList::Tag* tag = tags.find("p");
  if (!tag) return fail(ErrorKind::Malformed, "the DKIM key record has no p=");
  record.revoked = tag->value.empty();
  auto key = decode_base64(tag->value);
  if (!key) return fail(ErrorKind::Malformed, "p= of the DKIM key record is not base64");
  if (record.type == DkimKeyType::Ed25519 && !record.revoked && key->size() != kEd25519KeyOctets) {
    return fail(ErrorKind::Malformed, "p= of the DKIM key record is not an Ed25519 key of 32 octets");
  }
  record.public_key = std::move(*key);
  return {};
}

}  // namespace

std::string_view dkim_key_type_name(DkimKeyType type) {
  return type == DkimKeyType::Rsa ? "rsa" : "ed25519";
}

Result<DkimKeyRecord> DkimKeyRecord::parse(std::string_view txt) {
  auto tags = TagList::parse(txt);
  if (!tags)
    return fail(ErrorKind::Malformed, fmt::format("the DKIM key record is not a tag list: {}", tags.error().detail));
  if (auto version = check_version(*tags); !version) return tl::unexpected(std::move(version.error()));
  DkimKeyRecord record;
  auto type = parse_key_type(*tags);
  if (!type) return tl::unexpected(std::move(type.error()));
  record.type = *type;
  if (auto key = read_public_key(*tags, record); !key) return tl::unexpected(std::move(key.error()));
  record.hashes = colon_list_of(*tags, "h");
  record.services = colon_list_of(*tags, "s");
  if (contains(record.services, "*")) record.services.clear();
  const auto flags = colon_list_of(*tags, "t");
  record.testing = contains(flags, "y");
  record.same_domain = contains(flags, "s");
  return record;
}

std::string format_dkim_key_record(DkimKeyType type, std::string_view public_key) {
  return fmt::format("v=DKIM1; k={}; p={}", dkim_key_type_name(type), encode_base64(public_key));
}

}  // namespace waxwing
