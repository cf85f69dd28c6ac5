#include "signer/srs.h"

#include <fmt/format.h>
#include <openssl/hmac.h>
#include <openssl/mem.h>

#include <array>
#include <cassert>
#include <chrono>
#include <string>
#include <utility>

#include "policy/ascii.h"

namespace waxwing {
namespace {

constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";  // RFC 4648 §6, in lower case
constexpr std::size_t kCodeCharacters = 8;                                  // 40 bits, guessed against us alone
constexpr std::size_t kDayCharacters = 2;
constexpr unsigned kDays = 1'024;  // after which days repeat
constexpr std::size_t kMaxLocalPartOctets = 64;
constexpr std::string_view kSeparators = "=-+";  // other forwarders use any of them behind "SRS0" and "SRS1"

unsigned day_of(WallTime now) {
  const auto days = std::chrono::floor<std::chrono::days>(now).time_since_epoch().count();
  return static_cast<unsigned>(days) % kDays;
}

std::string day_text(unsigned day) {
  return {kAlphabet[day / 32], kAlphabet[day % 32]};
}

std::optional<unsigned> read_day(std::string_view text) {
  if (text.size() != kDayCharacters) return std::nullopt;
  const std::size_t high = kAlphabet.find(ascii_lower(text[0]));
  const std::size_t low = kAlphabet.find(ascii_lower(text[1]));
  if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
  return static_cast<unsigned>(high * 32 + low);
}

// The code of the content in lower case: case may change on the way.
std::string code_of(const Secret& secret, std::string_view content) {
  const std::string folded = ascii_lower(content);
  const std::string_view key = secret.reveal();
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), key.size(), reinterpret_cast<const std::uint8_t*>(folded.data()), folded.size(),
       digest.data(), &size);
  std::string code;
  for (std::size_t i = 0; i < kCodeCharacters; ++i) {
    // Five bits at a time, from the left.
    const std::size_t bit = i * 5;
    const unsigned pair = static_cast<unsigned>(digest.at(bit / 8)) << 8U | digest.at(bit / 8 + 1);
    code += kAlphabet[(pair >> (11 - bit % 8)) & 31U];
  }
  return code;
}

// Whether the local part begins with that tag and a separator.
bool has_tag(std::string_view local, std::string_view tag) {
  return ascii_istarts_with(local, tag) && local.size() > tag.size() &&
         kSeparators.find(local[tag.size()]) != std::string_view::npos;
}

// Text up to the next "=", which goes; no value: there is none.
std::optional<std::string_view> take_part(std::string_view& text) {
  const std::size_t end = text.find('=');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end + 1);
  return part;
}

std::string unquoted(const std::string& local) {
  if (!local.starts_with('"')) return local;
  std::string text;
  for (std::size_t i = 1; i + 1 < local.size(); ++i) {
    if (local[i] == '\\' && i + 2 < local.size()) ++i;
    text += local[i];
  }
  return text;
}

std::string quoted(std::string_view text) {
  std::string local = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') local += '\\';
    local += c;
  }
  return local + '"';
}

// The address of a local part that may need quotes; those that it has are part of it, even where they would do.
Result<MailAddress> address_of(std::string_view local, std::string_view domain) {
  auto plain = MailAddress::parse(fmt::format("{}@{}", local, domain));
  if (plain && plain->local_part == local && !local.starts_with('"')) return plain;
  return MailAddress::parse(fmt::format("{}@{}", quoted(local), domain));
}

Result<MailAddress> bounded(Result<MailAddress> address, std::size_t local_octets) {
  if (local_octets <= kMaxLocalPartOctets && address) return address;
  return fail(ErrorKind::Exhausted, fmt::format("the rewritten sender would have {} octets before the \"@\", over {}",
                                                local_octets, kMaxLocalPartOctets));
}

// Where SRS1 leads. content: as for SenderRewriter::shortcut().
Result<MailAddress> first_forwarder(std::string_view content) {
  const auto host = take_part(content);
  if (!host) return fail(ErrorKind::Malformed, "this rewritten sender names no host");
  return address_of(fmt::format("SRS0{}", content), *host);
}

tl::unexpected<Error> not_of_this_scheme() {
  return fail(ErrorKind::NotFound, "this is no rewritten sender of ours");
}

}  // namespace

SenderRewriter::SenderRewriter(DomainName domain, std::vector<Secret> secrets)
    : domain_(std::move(domain)), secrets_(std::move(secrets)) {
  assert(!secrets_.empty());
}

Result<MailAddress> SenderRewriter::rewrite(const MailAddress& sender, WallTime now) const {
  if (sender.domain == domain_) return sender;
  const std::string local = unquoted(sender.local_part);
  if (has_tag(local, "SRS0")) return shortcut(fmt::format("{}={}", sender.domain.str(), local.substr(4)));
  if (has_tag(local, "SRS1")) {
    // Its content goes on under a code of ours; that of the other forwarder has served.
    std::string_view rest = std::string_view(local).substr(5);
    const auto code = take_part(rest);
    // One that leads nowhere only looks like SRS1: no bounce could come back by what we would make of it.
    if (code && first_forwarder(rest)) return shortcut(rest);
  }
  const std::string content = fmt::format("{}={}={}", day_text(day_of(now)), sender.domain.str(), local);
  const std::string rewritten = fmt::format("SRS0={}={}", code_of(secrets_.front(), content), content);
  return bounded(address_of(rewritten, domain_.str()), rewritten.size());
}

// content: the first forwarder's name, "=", and what it had behind "SRS0", its separator included.
Result<MailAddress> SenderRewriter::shortcut(std::string_view content) const {
  const std::string rewritten = fmt::format("SRS1={}={}", code_of(secrets_.front(), content), content);
  return bounded(address_of(rewritten, domain_.str()), rewritten.size());
}

Result<MailAddress> SenderRewriter::restore(const MailAddress& recipient, WallTime now) const {
  const std::string local = unquoted(recipient.local_part);
  if (recipient.domain != domain_) return not_of_this_scheme();
  const std::string_view text = std::string_view(local).substr(std::min<std::size_t>(local.size(), 5));
  if (has_tag(local, "SRS0")) return restore_first(text, now);
  if (has_tag(local, "SRS1")) return restore_second(text);
  return not_of_this_scheme();
}

Result<MailAddress> SenderRewriter::restore_first(std::string_view text, WallTime now) const {
  const auto code = take_part(text);
  if (!code || !is_ours(*code, text)) return fail(ErrorKind::Denied, "the code of this rewritten sender is not ours");
  const auto day = take_part(text);
  const auto host = take_part(text);
  const auto made = day ? read_day(*day) : std::nullopt;
  if (!made || !host) return fail(ErrorKind::Malformed, "this rewritten sender names no day and host");
  const unsigned age = (day_of(now) + kDays - *made) % kDays;
  if (age > kSrsLifetimeDays)
    return fail(ErrorKind::Denied, fmt::format("this rewritten sender is {} days old, over {}", age, kSrsLifetimeDays));
  return address_of(text, *host);
}

Result<MailAddress> SenderRewriter::restore_second(std::string_view text) const {
  const auto code = take_part(text);
  if (!code || !is_ours(*code, text)) return fail(ErrorKind::Denied, "the code of this rewritten sender is not ours");
  return first_forwarder(text);
}

bool SenderRewriter::is_ours(std::string_view code, std::string_view content) const {
  const std::string claimed = ascii_lower(code);
  bool ours = false;
  for (const Secret& secret : secrets_) {
    const std::string right = code_of(secret, content);
    // Each is compared, in constant time: how long it takes tells nothing of a code.
    ours = (claimed.size() == right.size() && CRYPTO_memcmp(claimed.data(), right.data(), right.size()) == 0) || ours;
  }
  return ours;
}

}  // namespace waxwing
