#include "signer/service/signed_octets.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "policy/ascii.h"
#include "policy/base64.h"
#include "policy/tag_list.h"
#include "signer/mailbox_list.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxSignedFields = 4'000;
constexpr std::size_t kSha256Octets = 32;

struct Line {
  std::string_view name;
  std::string_view value;
};

tl::unexpected<Error> denied(std::string_view why) {
  return fail(ErrorKind::Denied, fmt::format("the signer does not sign this: {}", why));
}

// Fields in relaxed canonical form are one line each, with a name in lower case (RFC 6376 §3.4.2).
Result<std::vector<Line>> split_lines(std::string_view octets) {
  std::vector<Line> lines;
  while (true) {
    const std::size_t end = octets.find("\r\n");
    const std::string_view line = octets.substr(0, end);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0 || line.find_first_of("\r\n\0", 0, 3) != std::string_view::npos)
      return denied("it is no header in relaxed canonical form");
    if (lines.size() == kMaxSignedFields) return denied("it has too many header fields");
    lines.push_back({line.substr(0, colon), line.substr(colon + 1)});
    if (end == std::string_view::npos) return lines;
    octets.remove_prefix(end + 2);
  }
}

bool is_tag(const TagList& tags, std::string_view name, std::string_view value) {
  const TagList::Tag* tag = tags.find(name);
  return tag != nullptr && tag->value == value;
}

Result<void> check_names(const TagList& tags, const SigningName& key) {
  if (!is_tag(tags, "d", key.domain.str()) || !is_tag(tags, "s", key.selector))
    return denied("its d= and s= name another key");
  if (!is_tag(tags, "a", fmt::format("{}-sha256", dkim_key_type_name(key.type))))
    return denied("its a= is not the algorithm of the key");
  if (!is_tag(tags, "b", "")) return denied("its b= is not empty");
  return {};
}

Result<void> check_body_hash(const TagList& tags) {
  if (tags.find("l") != nullptr) return denied("l= would let others add to the body");
  const TagList::Tag* hash = tags.find("bh");
  const auto octets = hash == nullptr ? Result<std::string>("") : decode_base64(hash->value);
  if (!octets || octets->size() != kSha256Octets) return denied("its bh= is no SHA-256 of a body");
  return {};
}

Result<void> check_authors(const std::vector<Line>& lines, const DomainName& domain) {
  const auto is_from = [](const Line& line) { return ascii_iequal(line.name, "from"); };
  if (std::ranges::count_if(lines, is_from) != 1) return denied("it does not cover exactly one From field");
  const auto authors = parse_mailbox_list(std::ranges::find_if(lines, is_from)->value);
  if (!authors || authors->empty()) return denied("its From field names no author");
  for (const MailAddress& author : *authors) {
    if (!author.domain.is_within(domain)) {
      return denied(fmt::format("its author is of {}, and the key is of {}", author.domain.str(), domain.str()));
    }
  }
  return {};
}

Result<void> check_dkim(const std::vector<Line>& lines, const TagList& tags, const SigningName& key) {
  if (!is_tag(tags, "v", "1")) return denied("it is no DKIM signature of version 1");
  const TagList::Tag* form = tags.find("c");
  if (form == nullptr || !form->value.starts_with("relaxed")) return denied("its c= is not relaxed");
  if (tags.find("i") != nullptr) return denied("i= could name a user who did not send it");
  if (auto body = check_body_hash(tags); !body) return body;
  return check_authors(lines, key.domain);
}

}  // namespace

Result<void> check_signed_octets(std::string_view octets, const SigningName& key,
                                 const std::optional<DomainName>& forwarding_domain) {
  const auto lines = split_lines(octets);
  if (!lines) return tl::unexpected(lines.error());
  const Line& last = lines->back();
  const auto tags = TagList::parse(last.value);
  if (!tags) return denied("its last field is no signature");
  if (auto names = check_names(*tags, key); !names) return names;
  if (last.name == "dkim-signature") return check_dkim(*lines, *tags, key);
  const bool is_seal = last.name == "arc-seal";
  if (!is_seal && last.name != "arc-message-signature") return denied("its last field is no signature");
  if (forwarding_domain != key.domain) return denied("a chain is sealed with a key of forwarding.domain only");
  if (!is_seal) return check_body_hash(*tags);
  if (tags->find("h") != nullptr || tags->find("cv") == nullptr) return denied("it is no seal of a chain");
  return {};
}

}  // namespace waxwing
