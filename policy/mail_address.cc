#include "policy/mail_address.h"

#include "policy/ascii.h"
#include "policy/utf8.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxLocalPartOctets = 64;  // RFC 5321 §4.5.3.1.1
constexpr std::size_t kMaxMailboxOctets = 254;   // a path of 256 octets with its angle brackets, RFC 5321 §4.5.3.1.3

// RFC 5322 §3.2.3 atext, with the UTF-8 that RFC 6531 §3.3 adds.
bool is_atext(char c) {
  if (static_cast<unsigned char>(c) >= 0x80) return true;
  return is_ascii_alnum(c) || std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

// End of the Quoted-string that starts at 0 (position after the closing quote), or 0 when it is not one.
std::size_t quoted_string_end(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c == '"') return i + 1;
    if (c < 0x20 || c == 0x7f) return 0;
    if (c != '\\') continue;
    ++i;  // quoted-pairSMTP: only printable ASCII may follow
    if (i == text.size() || text[i] < 0x20 || text[i] == 0x7f) return 0;
  }
  return 0;
}

// End of the Dot-string that starts at 0, or 0 when it is not one.
std::size_t dot_string_end(std::string_view text) {
  std::size_t end = 0;
  bool atom_open = false;
  for (; end < text.size() && text[end] != '@'; ++end) {
    if (text[end] == '.') {
      if (!atom_open) return 0;
      atom_open = false;
    } else if (is_atext(text[end])) {
      atom_open = true;
    } else {
      return 0;
    }
  }
  return atom_open ? end : 0;
}

}  // namespace

Result<MailAddress> MailAddress::parse(std::string_view text) {
  if (text.size() > 4 * kMaxMailboxOctets) return fail(ErrorKind::Malformed, "the address is longer than 254 octets");
  if (!is_valid_utf8(text)) return fail(ErrorKind::Malformed, "the address is not valid UTF-8");
  const std::size_t end = text.starts_with('"') ? quoted_string_end(text) : dot_string_end(text);
  if (end == 0)
    return fail(ErrorKind::Malformed, "the local part of the address is missing or holds a forbidden character");
  if (end > kMaxLocalPartOctets)
    return fail(ErrorKind::Malformed, "the local part of the address is longer than 64 octets");
  if (end == text.size() || text[end] != '@') return fail(ErrorKind::Malformed, "the address has no \"@\" and domain");
  const std::string_view domain_text = text.substr(end + 1);
  if (domain_text.starts_with('['))
    return fail(ErrorKind::Malformed, "an address literal is not accepted as a mail domain");
  if (domain_text.ends_with('.')) return fail(ErrorKind::Malformed, "the domain of the address ends with a dot");
  auto domain = DomainName::parse(domain_text);
  if (!domain) return tl::unexpected(std::move(domain.error()));
  if (end + 1 + domain->str().size() > kMaxMailboxOctets) {
    return fail(ErrorKind::Malformed, "the address is longer than 254 octets");
  }
  return MailAddress{std::string(text.substr(0, end)), std::move(*domain)};
}

std::string MailAddress::str() const {
  return local_part + "@" + domain.str();
}

}  // namespace waxwing
