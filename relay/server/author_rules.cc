#include "relay/server/author_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "policy/ascii.h"
#include "policy/mail_address.h"
#include "relay/server/encoded_word.h"
#include "relay/server/sender_rules.h"
#include "signer/from_field.h"
#include "signer/mailbox_list.h"

namespace waxwing {
namespace {

// Room for kMaxMailboxes addresses with their names; keeps the work of the checks below small.
constexpr std::size_t kMaxIdentityOctets = 32'768;

ServerReply malformed(std::string_view text) {
  return {550, "5.6.0", {reply_text(text)}};
}

ServerReply not_allowed(const Account& account, std::string_view field, const MailAddress& address) {
  return {550,
          "5.7.1",
          {reply_text(
              fmt::format("account {} may not write as {}, which stands in {}", account.name, address.str(), field))}};
}

// A ':' outside quotes and comments begins a group or ends a source route.
bool has_group_or_route(std::string_view value) {
  bool quoted = false;
  int depth = 0;
  for (std::size_t at = 0; at < value.size(); ++at) {
    const char c = value[at];
    if (c == '\\' && (quoted || depth > 0)) {
      ++at;
    } else if (c == '"' && depth == 0) {
      quoted = !quoted;
    } else if (quoted) {
      continue;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && depth > 0) {
      --depth;
    } else if (c == ':' && depth == 0) {
      return true;
    }
  }
  return false;
}

// Whether the address stands in the field in one piece, without comments, folds or quotes that only some programs see.
bool is_written_plainly(std::string_view value, const MailAddress& address) {
  const std::string text = ascii_lower(value);
  if (text.find(ascii_lower(address.str())) != std::string::npos) return true;
  // A domain in U-labels was made A-labels by the reader.
  const bool ascii = std::all_of(value.begin(), value.end(), [](char c) { return c >= 0; });
  return !ascii && text.find(ascii_lower(address.local_part) + "@") != std::string::npos;
}

bool ends_address(char c) {
  return c == ' ' || c == '\t' || std::string_view("\r\n<>()[],;:\"\\").find(c) != std::string_view::npos;
}

// What looks like an address around the '@' at `at`.
std::optional<MailAddress> shown_address(std::string_view text, std::size_t at) {
  std::size_t begin = at;
  while (begin > 0 && !ends_address(text[begin - 1]) && text[begin - 1] != '@') --begin;
  std::size_t end = at + 1;
  while (end < text.size() && !ends_address(text[end]) && text[end] != '@') ++end;
  std::string_view domain = text.substr(at + 1, end - at - 1);
  while (!domain.empty() && std::string_view(".!?'").find(domain.back()) != std::string_view::npos)
    domain.remove_suffix(1);
  auto name = DomainName::parse(domain);
  if (!name || name->label_count() < 2) return std::nullopt;
  return MailAddress{std::string(text.substr(begin, at - begin)), std::move(*name)};
}

// The first address that readers may see in the field and the account may not use.
std::optional<MailAddress> foreign_address(std::string_view shown, const Account& account) {
  for (std::size_t at = shown.find('@'); at != std::string_view::npos; at = shown.find('@', at + 1)) {
    auto address = shown_address(shown, at);
    if (address && !sender_allowed(account, *address)) return address;
  }
  return std::nullopt;
}

// One field with its addresses.
std::optional<ServerReply> check_identity(const HeaderField& field, const std::vector<MailAddress>& addresses,
                                          const Account& account) {
  if (field.value.size() > kMaxIdentityOctets)
    return malformed(fmt::format("{} is longer than {} octets", field.name, kMaxIdentityOctets));
  if (has_group_or_route(field.value))
    return malformed(fmt::format("{} holds a group or a source route; write plain addresses", field.name));
  for (const MailAddress& address : addresses) {
    if (!sender_allowed(account, address)) return not_allowed(account, field.name, address);
    if (!is_written_plainly(field.value, address))
      return malformed(fmt::format("{}: {} is written so that programs read it differently; write it in one piece",
                                   field.name, address.str()));
  }
  const auto shown = decode_encoded_words(field.value);
  if (!shown) return malformed(fmt::format("{}: {}", field.name, shown.error().detail));
  if (const auto foreign = foreign_address(*shown, account)) return not_allowed(account, field.name, *foreign);
  return std::nullopt;
}

bool names_one(const HeaderField& field) {
  return field.is("Sender") || field.is("Resent-Sender");
}

std::optional<ServerReply> check_other_identity(const HeaderField& field, const Account& account) {
  const auto addresses = parse_mailbox_list(field.value);
  if (!addresses) return malformed(fmt::format("{}: {}", field.name, addresses.error().detail));
  if (addresses->empty() || (names_one(field) && addresses->size() > 1))
    return malformed(fmt::format("{} must name {} address", field.name, names_one(field) ? "one" : "an"));
  return check_identity(field, *addresses, account);
}

}  // namespace

tl::expected<DomainName, ServerReply> check_authors(const std::vector<HeaderField>& fields, const Account& account) {
  const auto authors = read_authors(fields);
  if (!authors) return tl::unexpected(malformed(authors.error().detail));
  auto domain = sole_author_domain(*authors);
  if (!domain) return tl::unexpected(ServerReply{550, "5.7.1", {reply_text(domain.error().detail)}});
  bool has_sender = false;
  for (const HeaderField& field : fields) {
    std::optional<ServerReply> refusal;
    if (field.is("From"))
      refusal = check_identity(field, *authors, account);
    else if (names_one(field) || field.is("Resent-From"))
      refusal = check_other_identity(field, account);
    if (refusal) return tl::unexpected(std::move(*refusal));
    has_sender = has_sender || field.is("Sender");
  }
  if (authors->size() > 1 && !has_sender)
    return tl::unexpected(malformed("From names several authors, so that a Sender field must say who sends"));
  return std::move(*domain);
}

}  // namespace waxwing
