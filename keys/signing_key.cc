#include "keys/signing_key.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/bytestring.h>
#include <openssl/digest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include <array>
#include <cassert>
#include <cstdint>
#include <optional>

#ifndef OPENSSL_IS_BORINGSSL
#error "keys/ is written for BoringSSL; another libcrypto's headers came first in the include path"
#endif

namespace waxwing {
namespace {

constexpr std::size_t kEd25519SeedOctets = 32;
constexpr unsigned kEd25519Bits = 256;
constexpr unsigned kRsaBitsStep = 128;  // BoringSSL silently rounds other lengths down
constexpr int kMaxPemBlocks = 16;

/// One "-----BEGIN label-----" block, decoded. BoringSSL wipes what OPENSSL_free releases.
struct PemBlock {
  bssl::UniquePtr<char> label;
  bssl::UniquePtr<char> headers;
  bssl::UniquePtr<std::uint8_t> octets;
  std::size_t size = 0;

  [[nodiscard]] std::string_view name() const { return label.get(); }
  [[nodiscard]] bool encrypted() const {
    return name() == "ENCRYPTED PRIVATE KEY" ||
           std::string_view(headers.get()).find("ENCRYPTED") != std::string_view::npos;
  }
};

std::optional<PemBlock> next_block(BIO* pem) {
  char* label = nullptr;
  char* headers = nullptr;
  std::uint8_t* octets = nullptr;
  long size = 0;
  if (PEM_read_bio(pem, &label, &headers, &octets, &size) != 1) {
    ERR_clear_error();
    return std::nullopt;
  }
  PemBlock block;
  block.label.reset(label);
  block.headers.reset(headers);
  block.octets.reset(octets);
  block.size = static_cast<std::size_t>(size);
  return block;
}

bool is_private(std::string_view label) {
  return label.ends_with("PRIVATE KEY");
}

/// Why a PEM text without a private key is of no use, in the words of the mistake that is most likely.
std::string describe_missing_key(std::string_view first_label) {
  if (first_label.empty()) {
    return "this is not a PEM text, or it is damaged: a complete block from '-----BEGIN PRIVATE KEY-----' to "
           "'-----END PRIVATE KEY-----' is needed";
  }
  if (first_label.ends_with("PUBLIC KEY"))
    return "this is a public key only; the private key of the pair is needed for signing";
  return fmt::format("there is no private key in this PEM text, only '{}'", first_label.substr(0, 64));
}

Result<PemBlock> find_private_block(std::string_view pem) {
  bssl::UniquePtr<BIO> reader(BIO_new_mem_buf(pem.data(), static_cast<ossl_ssize_t>(pem.size())));
  if (!reader) return fail(ErrorKind::Exhausted, "out of memory");
  std::string first_label;
  for (int i = 0; i < kMaxPemBlocks; ++i) {
    auto block = next_block(reader.get());
    if (!block) break;
    if (is_private(block->name())) return std::move(*block);
    if (first_label.empty()) first_label = block->name();
  }
  return fail(ErrorKind::Malformed, describe_missing_key(first_label));
}

bssl::UniquePtr<EVP_PKEY> parse_pkcs1(CBS* octets) {
  bssl::UniquePtr<RSA> rsa(RSA_parse_private_key(octets));
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  if (!rsa || !key || EVP_PKEY_set1_RSA(key.get(), rsa.get()) != 1) return nullptr;
  return key;
}

/// @return  null when the octets are damaged or hold a kind of key that BoringSSL does not know
bssl::UniquePtr<EVP_PKEY> parse_block(const PemBlock& block) {
  CBS octets;
  CBS_init(&octets, block.octets.get(), block.size);
  bssl::UniquePtr<EVP_PKEY> key;
  if (block.name() == "RSA PRIVATE KEY") {
    key = parse_pkcs1(&octets);
  } else if (block.name() == "PRIVATE KEY") {
    key.reset(EVP_parse_private_key(&octets));
  }
  return CBS_len(&octets) == 0 ? std::move(key) : nullptr;
}

std::string describe_unreadable_key(std::string_view label, std::uint32_t error) {
  const bool unknown_kind = ERR_GET_LIB(error) == ERR_LIB_EVP && ERR_GET_REASON(error) == EVP_R_UNSUPPORTED_ALGORITHM;
  if (label != "PRIVATE KEY" && label != "RSA PRIVATE KEY") {
    return fmt::format("a key of the form '{}' cannot sign DKIM: an RSA or Ed25519 key as PKCS #8 is needed",
                       label.substr(0, 64));
  }
  if (unknown_kind) return "this key is neither RSA nor Ed25519 (RSA-PSS and Ed448 keys cannot sign DKIM)";
  return "the key is damaged: its octets are not what its PEM label says";
}

bssl::UniquePtr<EVP_PKEY> generate_rsa(unsigned bits) {
  bssl::UniquePtr<BIGNUM> exponent(BN_new());
  bssl::UniquePtr<RSA> rsa(RSA_new());
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  if (!exponent || !rsa || !key || BN_set_word(exponent.get(), RSA_F4) != 1 ||
      RSA_generate_key_ex(rsa.get(), static_cast<int>(bits), exponent.get(), nullptr) != 1 ||
      EVP_PKEY_set1_RSA(key.get(), rsa.get()) != 1) {
    return nullptr;
  }
  return key;
}

bssl::UniquePtr<EVP_PKEY> generate_ed25519() {
  std::array<std::uint8_t, kEd25519SeedOctets> seed;
  RAND_bytes(seed.data(), seed.size());
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
  OPENSSL_cleanse(seed.data(), seed.size());
  return key;
}

const std::uint8_t* as_octets(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}
std::uint8_t* as_octets(std::string& text) {
  return reinterpret_cast<std::uint8_t*>(text.data());
}

}  // namespace

Result<SigningKey> SigningKey::generate(DkimKeyType type, unsigned rsa_bits) {
  if (type == DkimKeyType::Ed25519) return admit(generate_ed25519());
  if (rsa_bits < kMinRsaBits || rsa_bits > kMaxRsaBits || rsa_bits % kRsaBitsStep != 0) {
    return fail(ErrorKind::Denied,
                fmt::format("an RSA key of {} bits is not made: choose {}, or another multiple of {} from {} to {}",
                            rsa_bits, kAdvisedRsaBits, kRsaBitsStep, kMinRsaBits, kMaxRsaBits));
  }
  return admit(generate_rsa(rsa_bits));
}

Result<SigningKey> SigningKey::from_pem(std::string_view pem) {
  if (pem.size() > kMaxPemOctets) {
    return fail(ErrorKind::Malformed, fmt::format("the text is longer than {} octets, so it is no key", kMaxPemOctets));
  }
  auto block = find_private_block(pem);
  if (!block) return tl::unexpected(block.error());
  if (block->encrypted()) {
    return fail(ErrorKind::Malformed,
                "the key is encrypted; decrypt it first, for example with 'openssl pkey -in OLD -out NEW'");
  }
  auto key = parse_block(*block);
  const std::uint32_t error = ERR_peek_last_error();
  ERR_clear_error();
  if (!key) return fail(ErrorKind::Malformed, describe_unreadable_key(block->name(), error));
  return admit(std::move(key));
}

Result<SigningKey> SigningKey::from_ed25519_seed(std::string_view seed) {
  if (seed.size() != kEd25519SeedOctets)
    return fail(ErrorKind::Malformed,
                fmt::format("an Ed25519 seed has {} octets, not {}", kEd25519SeedOctets, seed.size()));
  return admit(
      bssl::UniquePtr<EVP_PKEY>(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, as_octets(seed), seed.size())));
}

Result<SigningKey> SigningKey::admit(bssl::UniquePtr<EVP_PKEY> key) {
  if (!key) {
    ERR_clear_error();
    return fail(ErrorKind::Exhausted, "no key could be made: out of memory");
  }
  const int kind = EVP_PKEY_id(key.get());
  if (kind == EVP_PKEY_ED25519) return SigningKey(std::move(key));
  if (kind != EVP_PKEY_RSA) {
    return fail(ErrorKind::Malformed,
                "this is an elliptic curve key of another kind than Ed25519; DKIM knows RSA and Ed25519 only");
  }
  const auto bits = static_cast<unsigned>(EVP_PKEY_bits(key.get()));
  if (bits < kMinRsaBits) {
    return fail(
        ErrorKind::Denied,
        fmt::format("the RSA key has {} bits; receivers ignore signatures of keys under {} bits, make one of {}", bits,
                    kMinRsaBits, kAdvisedRsaBits));
  }
  if (bits > kMaxRsaBits) {
    return fail(ErrorKind::Denied,
                fmt::format("the RSA key has {} bits; receivers need not verify keys over {} bits, make one of {}",
                            bits, kMaxRsaBits, kAdvisedRsaBits));
  }
  return SigningKey(std::move(key));
}

Secret SigningKey::to_pem() const {
  bssl::UniquePtr<BIO> writer(BIO_new(BIO_s_mem()));
  const std::uint8_t* octets = nullptr;
  std::size_t size = 0;
  [[maybe_unused]] const bool written =
      writer && PEM_write_bio_PKCS8PrivateKey(writer.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1 &&
      BIO_mem_contents(writer.get(), &octets, &size) == 1;
  assert(written);  // a key that was admitted can be written; only memory can lack
  return Secret(std::string_view(reinterpret_cast<const char*>(octets), size));
}

DkimKeyType SigningKey::type() const {
  return EVP_PKEY_id(key_.get()) == EVP_PKEY_RSA ? DkimKeyType::Rsa : DkimKeyType::Ed25519;
}

unsigned SigningKey::size_bits() const {
  return type() == DkimKeyType::Rsa ? static_cast<unsigned>(EVP_PKEY_bits(key_.get())) : kEd25519Bits;
}

std::string SigningKey::public_key() const {
  bssl::ScopedCBB writer;
  std::uint8_t* octets = nullptr;
  std::size_t size = 0;
  if (type() == DkimKeyType::Ed25519) {
    std::string raw(kEd25519SeedOctets, '\0');
    size = raw.size();
    EVP_PKEY_get_raw_public_key(key_.get(), as_octets(raw), &size);
    return raw;
  }
  [[maybe_unused]] const bool written = CBB_init(writer.get(), kMaxRsaBits / 8) == 1 &&
                                        EVP_marshal_public_key(writer.get(), key_.get()) == 1 &&
                                        CBB_finish(writer.get(), &octets, &size) == 1;
  assert(written);
  bssl::UniquePtr<std::uint8_t> owner(octets);
  return {reinterpret_cast<const char*>(octets), size};
}

Result<std::string> SigningKey::sign(std::string_view header_octets) const {
  const bool rsa = type() == DkimKeyType::Rsa;
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest;
  SHA256(as_octets(header_octets), header_octets.size(), digest.data());

  bssl::UniquePtr<EVP_PKEY_CTX> context;
  std::string signature(static_cast<std::size_t>(EVP_PKEY_size(key_.get())), '\0');
  std::size_t size = signature.size();
  bool done = false;
  if (rsa) {
    context.reset(EVP_PKEY_CTX_new(key_.get(), nullptr));
    done = context && EVP_PKEY_sign_init(context.get()) == 1 &&
           EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) == 1 &&
           EVP_PKEY_sign(context.get(), as_octets(signature), &size, digest.data(), digest.size()) == 1;
  } else {
    bssl::ScopedEVP_MD_CTX one_shot;
    done = EVP_DigestSignInit(one_shot.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
           EVP_DigestSign(one_shot.get(), as_octets(signature), &size, digest.data(), digest.size()) == 1;
  }
  if (!done) {
    ERR_clear_error();
    return fail(ErrorKind::Unavailable,
                "signing failed inside the cryptographic library; the key or the memory may be faulty");
  }
  signature.resize(size);
  return signature;
}

}  // namespace waxwing
