#include "keys/key_sealing.h"

#include <fmt/format.h>
#include <openssl/aead.h>
#include <openssl/digest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hkdf.h>
#include <openssl/mem.h>
#include <openssl/rand.h>

#include <algorithm>
#include <limits>

#include "policy/ascii.h"
#include "policy/base64.h"

namespace waxwing {
namespace {

constexpr std::string_view kBegin = "-----BEGIN WAXWING SEALED KEY-----\n";
constexpr std::string_view kEnd = "-----END WAXWING SEALED KEY-----\n";
constexpr std::size_t kLineOctets = 64;
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kKeyOctets = 32;
constexpr std::size_t kNonceOctets = 24;
constexpr std::size_t kTagOctets = 16;
constexpr std::size_t kPrefixOctets = 5 + 16 + 8 + kNonceOctets;  // what stands before the sealed octets
constexpr std::string_view kKeyLabel = "waxwing sealed key 1: encryption";
constexpr std::string_view kIdLabel = "waxwing sealed key 1: identity";

// 32 MiB and a tenth of a second, the least that OWASP advises; files that ask for other costs are refused, so that
// none can ask for all memory.
constexpr std::uint8_t kScryptLog2N = 15;
constexpr std::uint8_t kScryptR = 8;
constexpr std::uint8_t kScryptP = 3;
constexpr std::size_t kScryptMemory = std::size_t{64} << 20;

const std::uint8_t* as_octets(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}
std::uint8_t* as_octets(char* text) {
  return reinterpret_cast<std::uint8_t*>(text);
}

template <class Array>
std::string_view as_text(const Array& octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

bool expand(std::string_view label, std::string_view secret, std::string_view salt, std::uint8_t* out,
            std::size_t size) {
  return HKDF(out, size, EVP_sha256(), as_octets(secret), secret.size(), as_octets(salt), salt.size(), as_octets(label),
              label.size()) == 1;
}

tl::unexpected<Error> out_of_memory() {
  ERR_clear_error();
  return fail(ErrorKind::Unavailable, "a key could not be sealed or opened: out of memory");
}

// What is authenticated beside the sealed octets. The prefix has a fixed length, so that nothing can move between the
// two parts.
std::string associated_data(std::string_view prefix, std::string_view name) {
  return std::string(prefix) + std::string(name);
}

std::string wrap(std::string_view octets) {
  const std::string base64 = encode_base64(octets);
  std::string text(kBegin);
  for (std::size_t begin = 0; begin < base64.size(); begin += kLineOctets) {
    text.append(base64, begin, kLineOctets);
    text += '\n';
  }
  return text.append(kEnd);
}

}  // namespace

struct KeySealing::Sealed {
  std::string octets;
  SealingSecretKind kind = SealingSecretKind::Key;
  Salt salt{};
  KeyId id{};

  [[nodiscard]] std::string_view prefix() const { return std::string_view(octets).substr(0, kPrefixOctets); }
  [[nodiscard]] std::string_view nonce() const { return prefix().substr(kPrefixOctets - kNonceOctets); }
  [[nodiscard]] std::string_view content() const { return std::string_view(octets).substr(kPrefixOctets); }
};

bool looks_sealed(std::string_view text) {
  return text.starts_with(kBegin.substr(0, kBegin.size() - 1));
}

Result<Secret> parse_sealing_secret(SealingSecretKind kind, std::string_view content) {
  while (content.ends_with('\n') || content.ends_with('\r')) content.remove_suffix(1);
  const bool is_key = kind == SealingSecretKind::Key;
  const std::size_t least = is_key ? kMinSealingKeyOctets : kMinPassphraseOctets;
  if (content.size() < least) {
    return fail(ErrorKind::Denied,
                fmt::format("the {} has {} octets only, and {} are needed; make one with 'openssl rand -base64 32'",
                            is_key ? "sealing key" : "passphrase", content.size(), least));
  }
  if (content.size() > kMaxSealingSecretOctets)
    return fail(ErrorKind::Malformed, fmt::format("it is longer than {} octets", kMaxSealingSecretOctets));
  return Secret(content);
}

Result<KeySealing::Sealed> KeySealing::parse(std::string_view text) {
  if (text.size() > kMaxSealedOctets) return fail(ErrorKind::Malformed, "the text is too long to be a sealed key");
  if (!looks_sealed(text)) return fail(ErrorKind::Malformed, "this is not a sealed key");
  std::string_view inner = text.substr(kBegin.size() - 1);
  const std::size_t end = inner.find(kEnd.substr(0, kEnd.size() - 1));
  const auto damaged = [] {
    return fail(ErrorKind::Malformed, "the sealed key is damaged or cut off; restore the file from a backup");
  };
  if (end == std::string_view::npos) return damaged();
  auto octets = decode_base64(inner.substr(0, end));
  if (!octets || octets->empty()) return damaged();
  if (static_cast<std::uint8_t>(octets->front()) != kVersion) {
    return fail(ErrorKind::Malformed,
                fmt::format("the key is sealed in the form of version {}, which this program does not know; use the "
                            "version of Waxwing that sealed it",
                            static_cast<std::uint8_t>(octets->front())));
  }
  if (octets->size() < kPrefixOctets + kTagOctets) return damaged();
  Sealed sealed;
  sealed.octets = std::move(*octets);
  const std::uint8_t* at = as_octets(sealed.octets);
  sealed.kind = static_cast<SealingSecretKind>(at[1]);
  const bool is_key = sealed.kind == SealingSecretKind::Key && at[2] == 0 && at[3] == 0 && at[4] == 0;
  const bool is_passphrase =
      sealed.kind == SealingSecretKind::Passphrase && at[2] == kScryptLog2N && at[3] == kScryptR && at[4] == kScryptP;
  if (!is_key && !is_passphrase) return damaged();
  std::copy_n(at + 5, sealed.salt.size(), sealed.salt.begin());
  std::copy_n(at + 5 + sealed.salt.size(), sealed.id.size(), sealed.id.begin());
  return sealed;
}

Result<const KeySealing::Derived*> KeySealing::derive(SealingSecretKind kind, const Salt& salt) {
  for (const Derived& known : derived_)
    if (known.kind == kind && known.salt == salt) return &known;
  if (derived_.size() == kMaxSealingSalts) {
    return fail(ErrorKind::Exhausted,
                fmt::format("the keys are sealed with more than {} salts; 'waxwing keys seal' seals them with one",
                            kMaxSealingSalts));
  }
  Derived derived{kind, salt, Secret::zeros(kKeyOctets), {}};
  Secret strong = Secret::zeros(kKeyOctets);
  const std::string_view secret = secret_.reveal();
  const bool stretched =
      kind == SealingSecretKind::Key
          ? expand(kKeyLabel, secret, as_text(salt), as_octets(strong.writable()), kKeyOctets)
          : EVP_PBE_scrypt(secret.data(), secret.size(), salt.data(), salt.size(), std::uint64_t{1} << kScryptLog2N,
                           kScryptR, kScryptP, kScryptMemory, as_octets(strong.writable()), kKeyOctets) == 1;
  if (!stretched || !expand(kKeyLabel, strong.reveal(), as_text(salt), as_octets(derived.key.writable()), kKeyOctets) ||
      !expand(kIdLabel, strong.reveal(), as_text(salt), derived.id.data(), derived.id.size())) {
    return out_of_memory();
  }
  derived_.push_back(std::move(derived));
  return &derived_.back();
}

// One salt for all keys of a store: with a passphrase, each costs a tenth of a second at the start.
Result<const KeySealing::Derived*> KeySealing::derive_for_sealing() {
  const auto known = std::find_if(derived_.begin(), derived_.end(), [this](const auto& d) { return d.kind == kind_; });
  if (known != derived_.end()) return &*known;
  Salt salt;
  RAND_bytes(salt.data(), salt.size());
  return derive(kind_, salt);
}

Result<std::string> KeySealing::seal(std::string_view name, std::string_view content) {
  const auto derived = derive_for_sealing();
  if (!derived) return tl::unexpected(derived.error());
  const bool is_key = kind_ == SealingSecretKind::Key;
  std::string octets{static_cast<char>(kVersion), static_cast<char>(kind_),
                     static_cast<char>(is_key ? 0 : kScryptLog2N), static_cast<char>(is_key ? 0 : kScryptR),
                     static_cast<char>(is_key ? 0 : kScryptP)};
  octets.append(as_text((*derived)->salt)).append(as_text((*derived)->id));
  std::array<std::uint8_t, kNonceOctets> nonce;
  RAND_bytes(nonce.data(), nonce.size());
  octets.append(as_text(nonce));
  const std::string data = associated_data(octets, name);
  octets.resize(kPrefixOctets + content.size() + kTagOctets);
  const bssl::UniquePtr<EVP_AEAD_CTX> aead(
      EVP_AEAD_CTX_new(EVP_aead_xchacha20_poly1305(), as_octets((*derived)->key.reveal()), kKeyOctets, kTagOctets));
  std::size_t size = 0;
  if (!aead || EVP_AEAD_CTX_seal(aead.get(), as_octets(octets.data() + kPrefixOctets), &size,
                                 content.size() + kTagOctets, nonce.data(), nonce.size(), as_octets(content),
                                 content.size(), as_octets(data), data.size()) != 1) {
    return out_of_memory();
  }
  octets.resize(kPrefixOctets + size);
  return wrap(octets);
}

Result<Secret> KeySealing::open(std::string_view name, std::string_view text) {
  const auto sealed = parse(text);
  if (!sealed) return tl::unexpected(sealed.error());
  const auto derived = derive(sealed->kind, sealed->salt);
  if (!derived) return tl::unexpected(derived.error());
  if ((*derived)->id != sealed->id) {
    return fail(ErrorKind::Denied, fmt::format("the key is sealed under another {} than the one that is configured",
                                               sealed->kind == SealingSecretKind::Key ? "sealing key" : "passphrase"));
  }
  const bssl::UniquePtr<EVP_AEAD_CTX> aead(
      EVP_AEAD_CTX_new(EVP_aead_xchacha20_poly1305(), as_octets((*derived)->key.reveal()), kKeyOctets, kTagOctets));
  if (!aead) return out_of_memory();
  const std::string data = associated_data(sealed->prefix(), name);
  const std::string_view content = sealed->content();
  Secret room = Secret::zeros(content.size() - kTagOctets);
  std::size_t size = 0;
  const std::string_view nonce = sealed->nonce();
  const bool opened =
      EVP_AEAD_CTX_open(aead.get(), as_octets(room.writable()), &size, room.size(), as_octets(nonce), nonce.size(),
                        as_octets(content), content.size(), as_octets(data), data.size()) == 1;
  ERR_clear_error();
  if (opened && size == room.size()) return room;
  return fail(ErrorKind::Corrupt,
              "the sealed key was changed since it was sealed, or it was sealed for another domain or selector; put "
              "the file back under its own name, or restore it from a backup");
}

bool KeySealing::is_under_this_secret(std::string_view text) {
  const auto sealed = parse(text);
  if (!sealed || sealed->kind != kind_) return false;
  const auto derived = derive(sealed->kind, sealed->salt);
  return derived && (*derived)->id == sealed->id;
}

}  // namespace waxwing
