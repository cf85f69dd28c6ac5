#include "signer/service/signing_protocol.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "keys/key_name.h"

namespace waxwing {
namespace {

enum class Kind : std::uint8_t { Sign = 1, List = 2, Signature = 129, Listing = 130, Refused = 131 };

constexpr std::size_t kSizeOctets = 4;
constexpr std::size_t kMaxShortOctets = 255;
constexpr std::size_t kMaxSignatureOctets = 1'024;
constexpr std::size_t kMaxSentenceOctets = 1'000;

void put_number(std::string& out, std::uint64_t number, int octets) {
  for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8) out += static_cast<char>(number >> shift);
}

void put_short(std::string& out, std::string_view text) {
  assert(text.size() <= kMaxShortOctets);
  put_number(out, text.size(), 1);
  out += text;
}

/// Takes a body apart; after the first thing that is missing, everything is.
class BodyReader {
 public:
  explicit BodyReader(std::string_view body) : rest_(body) {}

  std::uint64_t number(std::size_t octets) {
    std::uint64_t value = 0;
    for (const char octet : take(octets)) value = (value << 8U) | static_cast<unsigned char>(octet);
    return value;
  }
  std::string_view short_text() { return take(number(1)); }
  std::string_view take(std::size_t octets) {
    if (octets > rest_.size()) {
      broken_ = true;
      rest_ = {};
      return {};
    }
    const std::string_view taken = rest_.substr(0, octets);
    rest_.remove_prefix(octets);
    return taken;
  }
  std::string_view take_rest() { return take(rest_.size()); }

  [[nodiscard]] bool broken() const { return broken_; }
  [[nodiscard]] bool is_at_end() const { return !broken_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool broken_ = false;
};

tl::unexpected<Error> malformed(std::string_view what) {
  return fail(ErrorKind::Malformed, fmt::format("a frame on the signer's socket is malformed: {}", what));
}

std::string encode(Kind kind, std::uint32_t id, std::string_view body) {
  std::string frame;
  frame.reserve(kSizeOctets + kFrameHeadOctets + body.size());
  put_number(frame, kFrameHeadOctets + body.size(), kSizeOctets);
  put_number(frame, kSigningProtocolVersion, 1);
  put_number(frame, static_cast<std::uint8_t>(kind), 1);
  put_number(frame, id, 4);
  return frame.append(body);
}

struct Head {
  Kind kind;
  std::uint32_t id;
  std::string_view body;
};

Result<Head> decode_head(std::string_view frame) {
  BodyReader reader(frame);
  const std::uint64_t version = reader.number(1);
  const auto kind = static_cast<Kind>(reader.number(1));
  const auto id = static_cast<std::uint32_t>(reader.number(4));
  if (reader.broken()) return malformed("it is too short");
  if (version != kSigningProtocolVersion) {
    return malformed(
        fmt::format("it is of version {}, and this program speaks version {}; relay and signer must be of "
                    "the same version of Waxwing, so restart both after an update",
                    version, kSigningProtocolVersion));
  }
  return Head{kind, id, reader.take_rest()};
}

// Names that are not as our own programs write them are refused, so that there is one spelling for each key.
Result<DomainName> decode_domain(std::string_view text) {
  auto domain = DomainName::parse(text);
  if (!domain || domain->str() != text) return malformed("it names no domain");
  return domain;
}

Result<std::string> decode_selector(std::string_view text) {
  auto selector = parse_selector(text);
  if (!selector || *selector != text) return malformed("it names no selector");
  return selector;
}

Result<SignRequest> decode_sign(std::string_view body) {
  BodyReader reader(body);
  auto domain = decode_domain(reader.short_text());
  auto selector = decode_selector(reader.short_text());
  const std::string_view tenant = reader.short_text();
  const std::string_view octets = reader.take_rest();
  if (reader.broken() || octets.empty()) return malformed("a request for a signature is cut off");
  if (!domain) return tl::unexpected(domain.error());
  if (!selector) return tl::unexpected(selector.error());
  if (octets.size() > kMaxOctetsToSign) return malformed("there is too much to sign");
  return SignRequest{std::move(*domain), std::move(*selector), std::string(tenant), std::string(octets)};
}

Result<ListedKey> decode_listed_key(BodyReader& reader) {
  auto domain = decode_domain(reader.short_text());
  auto selector = decode_selector(reader.short_text());
  const auto type = reader.number(1);
  const auto bits = static_cast<unsigned>(reader.number(2));
  const auto created = reader.number(8);
  const std::string_view public_key = reader.take(reader.number(2));
  if (reader.broken() || public_key.empty() || public_key.size() > kMaxListedPublicKeyOctets || type > 1 ||
      created > static_cast<std::uint64_t>(Milliseconds::max().count())) {
    return malformed("a key in the list is damaged");
  }
  if (!domain) return tl::unexpected(domain.error());
  if (!selector) return tl::unexpected(selector.error());
  return ListedKey{std::move(*domain),
                   std::move(*selector),
                   type == 0 ? DkimKeyType::Rsa : DkimKeyType::Ed25519,
                   bits,
                   std::string(public_key),
                   WallTime(Milliseconds(static_cast<Milliseconds::rep>(created)))};
}

Result<ListAnswer> decode_list(std::string_view body) {
  BodyReader reader(body);
  ListAnswer answer;
  answer.generation = reader.number(8);
  answer.total = static_cast<std::uint32_t>(reader.number(4));
  const std::uint64_t count = reader.number(2);
  if (reader.broken() || count > kMaxListedKeys) return malformed("the list of keys is cut off");
  for (std::uint64_t i = 0; i < count; ++i) {
    auto key = decode_listed_key(reader);
    if (!key) return tl::unexpected(key.error());
    answer.keys.push_back(std::move(*key));
  }
  if (!reader.is_at_end()) return malformed("the list of keys is longer than it says");
  return answer;
}

std::string list_body(const ListAnswer& answer) {
  std::string body;
  put_number(body, answer.generation, 8);
  put_number(body, answer.total, 4);
  put_number(body, answer.keys.size(), 2);
  for (const ListedKey& key : answer.keys) {
    put_short(body, key.domain.str());
    put_short(body, key.selector);
    put_number(body, key.type == DkimKeyType::Rsa ? 0 : 1, 1);
    put_number(body, key.size_bits, 2);
    put_number(body, static_cast<std::uint64_t>(std::max<Milliseconds::rep>(key.created.time_since_epoch().count(), 0)),
               8);
    put_number(body, key.public_key.size(), 2);
    body += key.public_key;
  }
  return body;
}

}  // namespace

std::string encode_request(std::uint32_t id, const SigningRequest& request) {
  std::string body;
  if (const auto* list = std::get_if<ListRequest>(&request)) {
    put_number(body, list->known_generation, 8);
    put_number(body, list->first, 4);
    return encode(Kind::List, id, body);
  }
  const auto& sign = std::get<SignRequest>(request);
  put_short(body, sign.domain.str());
  put_short(body, sign.selector);
  put_short(body, sign.tenant);
  body += sign.octets;
  return encode(Kind::Sign, id, body);
}

std::string encode_answer(std::uint32_t id, const SigningAnswer& answer) {
  if (const auto* signature = std::get_if<SignatureAnswer>(&answer))
    return encode(Kind::Signature, id, signature->signature);
  if (const auto* list = std::get_if<ListAnswer>(&answer)) return encode(Kind::Listing, id, list_body(*list));
  const Error& error = std::get<RefusedAnswer>(answer).error;
  std::string body;
  put_number(body, static_cast<std::uint8_t>(error.kind), 1);
  body.append(error.detail, 0, kMaxSentenceOctets);
  return encode(Kind::Refused, id, body);
}

void FrameReader::append(std::string_view octets) {
  buffer_.erase(0, begin_);
  begin_ = 0;
  buffer_.append(octets);
}

Result<std::optional<std::string_view>> FrameReader::next() {
  const std::string_view ahead = std::string_view(buffer_).substr(begin_);
  if (ahead.size() < kSizeOctets) return std::optional<std::string_view>();
  const std::uint64_t size = BodyReader(ahead).number(kSizeOctets);
  if (size < kFrameHeadOctets || size > kMaxFrameOctets) return malformed("no frame has such a size");
  if (ahead.size() - kSizeOctets < size) return std::optional<std::string_view>();
  begin_ += kSizeOctets + static_cast<std::size_t>(size);
  return ahead.substr(kSizeOctets, static_cast<std::size_t>(size));
}

Result<SigningFrame<SigningRequest>> decode_request(std::string_view frame) {
  const auto head = decode_head(frame);
  if (!head) return tl::unexpected(head.error());
  if (head->kind == Kind::Sign) {
    auto sign = decode_sign(head->body);
    if (!sign) return tl::unexpected(sign.error());
    return SigningFrame<SigningRequest>{head->id, std::move(*sign)};
  }
  if (head->kind != Kind::List) return malformed("it asks for something unknown");
  BodyReader reader(head->body);
  ListRequest list;
  list.known_generation = reader.number(8);
  list.first = static_cast<std::uint32_t>(reader.number(4));
  if (!reader.is_at_end()) return malformed("a request for the list of keys has another size");
  return SigningFrame<SigningRequest>{head->id, list};
}

Result<SigningFrame<SigningAnswer>> decode_answer(std::string_view frame) {
  const auto head = decode_head(frame);
  if (!head) return tl::unexpected(head.error());
  BodyReader reader(head->body);
  if (head->kind == Kind::Signature) {
    const std::string_view signature = reader.take_rest();
    if (signature.empty() || signature.size() > kMaxSignatureOctets) return malformed("no signature has such a size");
    return SigningFrame<SigningAnswer>{head->id, SignatureAnswer{std::string(signature)}};
  }
  if (head->kind == Kind::Listing) {
    auto list = decode_list(head->body);
    if (!list) return tl::unexpected(list.error());
    return SigningFrame<SigningAnswer>{head->id, std::move(*list)};
  }
  if (head->kind != Kind::Refused) return malformed("it answers something unknown");
  const std::uint64_t kind = reader.number(1);
  const std::string_view sentence = reader.take_rest();
  if (reader.broken() || kind > static_cast<std::uint64_t>(ErrorKind::Corrupt) || sentence.size() > kMaxSentenceOctets)
    return malformed("a refusal is damaged");
  return SigningFrame<SigningAnswer>{head->id, RefusedAnswer{{static_cast<ErrorKind>(kind), std::string(sentence)}}};
}

}  // namespace waxwing
