#include "signer/dkim_signature.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "policy/ascii.h"
#include "policy/base64.h"
#include "policy/domain_name.h"
#include "policy/folding_space.h"

namespace waxwing {
namespace {

using Fault = std::optional<SignatureFault>;

constexpr std::size_t kSha256Octets = 32;
constexpr std::size_t kMaxSignedNames = 1'000;
constexpr std::size_t kMaxDigits = 12;  ///< of t= and x= (RFC 6376 §3.5); l= may have 76, which no body reaches

SignatureFault permanent(std::string detail) {
  return {DkimResult::PermError, std::move(detail)};
}

std::string without_blanks(std::string_view text) {
  std::string result(text);
  std::erase_if(result, is_folding_space);
  return result;
}

/// The value of a tag that must be there.
const std::string* required(const TagList& tags, std::string_view name, Fault& fault) {
  const TagList::Tag* tag = tags.find(name);
  if (tag && !tag->value.empty()) return &tag->value;
  fault = permanent(fmt::format("there is no {}= in the signature", name));
  return nullptr;
}

Fault read_version(const TagList& tags) {
  const TagList::Tag* tag = tags.find("v");
  if (!tag) return permanent("there is no v= in the signature");
  if (tag->value != "1") return permanent("v= of the signature is not 1");
  return std::nullopt;
}

Fault read_algorithm(const TagList& tags, DkimSignature& signature) {
  Fault fault;
  const std::string* value = required(tags, "a", fault);
  if (!value) return fault;
  if (*value != "rsa-sha256" && *value != "ed25519-sha256" && *value != "rsa-sha1")
    return permanent("a= of the signature names an algorithm that is not known");
  signature.algorithm = *value;
  if (*value == "ed25519-sha256") signature.key_type = DkimKeyType::Ed25519;
  // RFC 8301 §3.1: verifiers must not take it for valid.
  if (*value == "rsa-sha1") return SignatureFault{DkimResult::Policy, "rsa-sha1 proves nothing any more (RFC 8301)"};
  return std::nullopt;
}

/// d= and s=, and where they lead. RFC 8616 §4 allows U-labels in both.
Fault read_key_name(const TagList& tags, DkimSignature& signature) {
  Fault fault;
  const std::string* domain = required(tags, "d", fault);
  const std::string* selector = domain ? required(tags, "s", fault) : nullptr;
  if (!selector) return fault;
  const auto parsed_domain = DomainName::parse(*domain);
  if (!parsed_domain || parsed_domain->label_count() < 2) return permanent("d= of the signature is not a domain");
  signature.domain = parsed_domain->str();
  const auto owner = DomainName::parse(fmt::format("{}._domainkey.{}", *selector, signature.domain));
  if (!owner) return permanent("s= of the signature is not a selector");
  signature.key_owner = owner->str();
  signature.selector = signature.key_owner.substr(0, signature.key_owner.rfind("._domainkey." + signature.domain));
  return std::nullopt;
}

Fault read_identity(const TagList& tags, DkimSignature& signature) {
  const TagList::Tag* tag = tags.find("i");
  signature.identity = tag ? tag->value : "@" + signature.domain;
  const std::size_t at = signature.identity.rfind('@');
  if (at == std::string::npos) return permanent("i= of the signature has no \"@\"");
  const auto domain = DomainName::parse(std::string_view(signature.identity).substr(at + 1));
  const auto signing_domain = DomainName::parse(signature.domain);
  if (!domain || !domain->is_within(*signing_domain)) return permanent("i= of the signature is not within d=");
  signature.identity_is_domain = *domain == *signing_domain;
  return std::nullopt;
}

std::optional<Canonicalization> canonicalization_of(std::string_view name) {
  if (name == "simple") return Canonicalization::Simple;
  if (name == "relaxed") return Canonicalization::Relaxed;
  return std::nullopt;
}

/// Departs from RFC 8617 §4.1.2 for a chain without c=: the published vectors, and two of three other verifiers, take
/// it for relaxed, as its seals always are.
Fault read_canonicalization(const TagList& tags, SignatureField kind, DkimSignature& signature) {
  const TagList::Tag* tag = tags.find("c");
  const std::string_view absent = kind == SignatureField::ArcMessage ? "relaxed/relaxed" : "simple/simple";
  const std::string_view value = tag ? std::string_view(tag->value) : absent;
  const std::size_t slash = value.find('/');
  const auto header = canonicalization_of(value.substr(0, slash));
  const auto body = canonicalization_of(slash == std::string_view::npos ? "simple" : value.substr(slash + 1));
  if (!header || !body) return permanent("c= of the signature names a canonical form that is not known");
  signature.header_canonicalization = *header;
  signature.body_canonicalization = *body;
  return std::nullopt;
}

Fault read_query_methods(const TagList& tags) {
  const TagList::Tag* tag = tags.find("q");
  if (!tag) return std::nullopt;
  const auto methods = split_colon_list(tag->value);
  if (std::ranges::find(methods, "dns/txt") != methods.end()) return std::nullopt;
  return permanent("q= of the signature does not name dns/txt");
}

Fault read_signed_fields(const TagList& tags, SignatureField kind, DkimSignature& signature) {
  const TagList::Tag* tag = tags.find("h");
  if (!tag) return permanent("there is no h= in the signature");
  signature.signed_fields = split_colon_list(ascii_lower(tag->value));
  std::erase(signature.signed_fields, "");
  const auto names = [&](std::string_view name) {
    return std::ranges::find(signature.signed_fields, name) != signature.signed_fields.end();
  };
  if (signature.signed_fields.size() > kMaxSignedNames) return permanent("h= of the signature names too many fields");
  if (kind == SignatureField::Dkim && !names("from")) return permanent("From is not signed");
  if (kind == SignatureField::ArcMessage && names("arc-seal"))
    return permanent("h= of the signature names ARC-Seal");  // RFC 8617 §4.1.2
  return std::nullopt;
}

Fault read_body_hash(const TagList& tags, DkimSignature& signature) {
  Fault fault;
  const std::string* value = required(tags, "bh", fault);
  if (!value) return fault;
  auto decoded = decode_base64(*value);
  if (!decoded || decoded->size() != kSha256Octets) return permanent("bh= of the signature is not a SHA-256 in base64");
  signature.body_hash = std::move(*decoded);
  return std::nullopt;
}

Fault read_signature(const TagList& tags, DkimSignature& signature) {
  Fault fault;
  const std::string* value = required(tags, "b", fault);
  if (!value) return fault;
  auto decoded = decode_base64(*value);
  if (!decoded) return permanent("b= of the signature is not base64");
  signature.signature = std::move(*decoded);
  signature.signature_text = without_blanks(*value);
  signature.signature_begin = tags.find("b")->value_begin;
  signature.signature_end = tags.find("b")->value_end;
  return std::nullopt;
}

Fault read_number(const TagList& tags, std::string_view name, std::size_t max_digits,
                  std::optional<std::uint64_t>& number) {
  const TagList::Tag* tag = tags.find(name);
  if (!tag) return std::nullopt;
  const std::string& text = tag->value;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.size() > max_digits || error != std::errc() || end != text.data() + text.size())
    return permanent(fmt::format("{}= of the signature is not a number in range", name));
  number = value;
  return std::nullopt;
}

Fault read_times(const TagList& tags, DkimSignature& signature) {
  if (auto fault = read_number(tags, "t", kMaxDigits, signature.signed_at)) return fault;
  if (auto fault = read_number(tags, "x", kMaxDigits, signature.expires)) return fault;
  if (signature.signed_at && signature.expires && *signature.expires <= *signature.signed_at)
    return permanent("x= of the signature is not after t=");
  return std::nullopt;
}

/// What a seal does not have: the body, a list of fields, canonical forms of its own choice.
Fault read_scope(const TagList& tags, SignatureField kind, DkimSignature& signature) {
  if (auto fault = read_canonicalization(tags, kind, signature)) return fault;
  if (auto fault = read_query_methods(tags)) return fault;
  if (auto fault = read_signed_fields(tags, kind, signature)) return fault;
  if (auto fault = read_body_hash(tags, signature)) return fault;
  return read_number(tags, "l", std::numeric_limits<std::uint64_t>::digits10 + 1, signature.body_length);
}

}  // namespace

std::optional<SignatureFault> read_dkim_signature(const TagList& tags, SignatureField kind, DkimSignature& signature) {
  // The name of the key comes first, so that reports can say whose signature it was.
  if (auto fault = read_key_name(tags, signature)) return fault;
  if (kind == SignatureField::Dkim) {
    if (auto fault = read_version(tags)) return fault;
    if (auto fault = read_identity(tags, signature)) return fault;
  }
  if (auto fault = read_algorithm(tags, signature)) return fault;
  if (auto fault = read_signature(tags, signature)) return fault;
  if (kind != SignatureField::ArcSeal) {
    if (auto fault = read_scope(tags, kind, signature)) return fault;
  }
  return read_times(tags, signature);
}

std::optional<SignatureFault> check_expiry(const DkimSignature& signature, WallTime now) {
  const auto seconds = std::chrono::floor<Seconds>(now.time_since_epoch()).count();
  const auto today = static_cast<std::uint64_t>(std::max<std::int64_t>(seconds, 0));
  if (signature.expires && *signature.expires < today)
    return SignatureFault{DkimResult::Policy, "the signature has expired"};
  return std::nullopt;
}

void append_unsigned_field(const HeaderField& field, const DkimSignature& signature, Canonicalization canonicalization,
                           std::string& out) {
  const auto value_begin = static_cast<std::size_t>(field.value.data() - field.raw.data());
  std::string raw(field.raw.substr(0, value_begin + signature.signature_begin));
  raw += field.raw.substr(value_begin + signature.signature_end);
  append_canonical_field(raw, canonicalization, out);
  out.resize(out.size() - std::string_view("\r\n").size());
}

}  // namespace waxwing
