#include "transport/dns/tsig.h"

#include <fmt/format.h>
#include <openssl/hmac.h>
#include <openssl/mem.h>

#include <array>
#include <cctype>
#include <cstdint>
#include <optional>

#include "policy/base64.h"
#include "transport/dns/dns_message.h"

namespace waxwing {
namespace {

constexpr std::uint16_t kFudgeSeconds = 300;
constexpr unsigned kBadSig = 16;
constexpr unsigned kBadKey = 17;
constexpr unsigned kBadTime = 18;
constexpr std::size_t kMaxKeyFileOctets = 16'384;

std::string_view algorithm_name(TsigKey::Algorithm algorithm) {
  return algorithm == TsigKey::Algorithm::HmacSha256 ? "hmac-sha256" : "hmac-sha512";
}

std::string mac_of(const TsigKey& key, std::string_view octets) {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> mac;
  unsigned size = 0;
  const EVP_MD* digest = key.algorithm == TsigKey::Algorithm::HmacSha256 ? EVP_sha256() : EVP_sha512();
  HMAC(digest, key.secret.data(), key.secret.size(), reinterpret_cast<const std::uint8_t*>(octets.data()),
       octets.size(), mac.data(), &size);
  return {reinterpret_cast<const char*>(mac.data()), size};
}

void append_time(std::string& octets, std::uint64_t seconds) {
  append_u16(octets, static_cast<std::uint16_t>(seconds >> 32U));
  append_u32(octets, static_cast<std::uint32_t>(seconds));
}

std::uint64_t seconds_of(WallTime time) {
  return static_cast<std::uint64_t>(std::chrono::floor<Seconds>(time).time_since_epoch().count());
}

/// What a TSIG record says.
struct Tsig {
  std::string algorithm;  // on the wire
  std::uint64_t time = 0;
  std::uint16_t fudge = kFudgeSeconds;
  std::string mac;
  std::uint16_t original_id = 0;
  std::uint16_t error = 0;
  std::string other;
};

// The fields of the record that the MAC covers (RFC 8945 §4.3.3).
std::string variables_of(const std::string& key_name, const Tsig& tsig) {
  std::string octets = key_name;
  append_u16(octets, dns::kClassAny);
  append_u32(octets, 0);
  octets += tsig.algorithm;
  append_time(octets, tsig.time);
  append_u16(octets, tsig.fudge);
  append_u16(octets, tsig.error);
  append_u16(octets, static_cast<std::uint16_t>(tsig.other.size()));
  return octets + tsig.other;
}

std::string rdata_of(const Tsig& tsig) {
  std::string octets = tsig.algorithm;
  append_time(octets, tsig.time);
  append_u16(octets, tsig.fudge);
  append_u16(octets, static_cast<std::uint16_t>(tsig.mac.size()));
  octets += tsig.mac;
  append_u16(octets, tsig.original_id);
  append_u16(octets, tsig.error);
  append_u16(octets, static_cast<std::uint16_t>(tsig.other.size()));
  return octets + tsig.other;
}

unsigned octet_at(std::string_view octets, std::size_t offset) {
  return static_cast<unsigned char>(octets[offset]);
}

std::uint16_t u16_at(std::string_view octets, std::size_t offset) {
  return static_cast<std::uint16_t>(octet_at(octets, offset) << 8U | octet_at(octets, offset + 1));
}

// The algorithm's name may not be compressed (RFC 8945 §4.2), so that the fields behind it can be found by counting.
std::optional<Tsig> read_tsig(std::string_view rdata) {
  std::size_t offset = 0;
  while (offset < rdata.size() && rdata[offset] != '\0') offset += 1 + octet_at(rdata, offset);
  ++offset;
  constexpr std::size_t kFixedOctets = 10;
  if (offset > rdata.size() || rdata.size() - offset < kFixedOctets) return std::nullopt;
  Tsig tsig;
  tsig.algorithm = rdata.substr(0, offset);
  tsig.time = static_cast<std::uint64_t>(u16_at(rdata, offset)) << 32U |
              static_cast<std::uint64_t>(u16_at(rdata, offset + 2)) << 16U | u16_at(rdata, offset + 4);
  tsig.fudge = u16_at(rdata, offset + 6);
  const std::size_t mac_octets = u16_at(rdata, offset + 8);
  offset += kFixedOctets;
  constexpr std::size_t kTailOctets = 6;
  if (rdata.size() - offset < mac_octets + kTailOctets) return std::nullopt;
  tsig.mac = rdata.substr(offset, mac_octets);
  offset += mac_octets;
  tsig.original_id = u16_at(rdata, offset);
  tsig.error = u16_at(rdata, offset + 2);
  if (rdata.size() - offset - kTailOctets != u16_at(rdata, offset + 4)) return std::nullopt;
  tsig.other = rdata.substr(offset + kTailOctets);
  return tsig;
}

tl::unexpected<Error> rejected(unsigned error, const TsigKey& key) {
  switch (error) {
    case kBadKey:
      return fail(ErrorKind::Denied,
                  fmt::format("the name server does not know the TSIG key {} with {} (BADKEY); give it the same key",
                              key.name, algorithm_name(key.algorithm)));
    case kBadSig:
      return fail(ErrorKind::Denied,
                  fmt::format("the name server has another secret for the TSIG key {} (BADSIG); give both the same one",
                              key.name));
    case kBadTime:
      return fail(
          ErrorKind::Denied,
          "the clocks of this host and of the name server differ by more than five minutes (BADTIME); set them");
    default:
      return fail(ErrorKind::Denied, fmt::format("the name server rejects the TSIG signature with error {}", error));
  }
}

// The value behind a word, with or without quotes, as far as the next separator.
std::optional<std::string> value_behind(std::string_view text, std::string_view word) {
  for (std::size_t found = text.find(word); found != std::string_view::npos; found = text.find(word, found + 1)) {
    const bool starts = found == 0 || std::string_view(" \t\r\n{;-").find(text[found - 1]) != std::string_view::npos;
    std::string_view rest = text.substr(found + word.size());
    const std::size_t gap = rest.find_first_not_of(" \t:");
    if (!starts || gap == 0 || gap == std::string_view::npos) continue;
    rest.remove_prefix(gap);
    if (rest.starts_with('"')) {
      rest.remove_prefix(1);
      return std::string(rest.substr(0, rest.find('"')));
    }
    return std::string(rest.substr(0, rest.find_first_of(" \t\r\n;{}")));
  }
  return std::nullopt;
}

}  // namespace

Result<TsigKey> TsigKey::parse(std::string_view text) {
  if (text.size() > kMaxKeyFileOctets) return fail(ErrorKind::Malformed, "a TSIG key is not that long");
  auto name = value_behind(text, "key");
  if (!name || name->empty()) name = value_behind(text, "id");
  auto algorithm = value_behind(text, "algorithm");
  const auto secret = value_behind(text, "secret");
  if (!name || !algorithm || !secret) {
    return fail(ErrorKind::Malformed,
                "no TSIG key: write key \"NAME\" { algorithm hmac-sha256; secret \"BASE64\"; };, as tsig-keygen does");
  }
  TsigKey key;
  for (char& c : *name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (name->size() > 1 && name->ends_with('.')) name->pop_back();
  key.name = *name;
  if (const auto wire = write_wire_name(key.name); !wire) return tl::unexpected(wire.error());
  for (char& c : *algorithm) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (algorithm->ends_with('.')) algorithm->pop_back();
  if (*algorithm == "hmac-sha512") {
    key.algorithm = Algorithm::HmacSha512;
  } else if (*algorithm != "hmac-sha256") {
    return fail(
        ErrorKind::Malformed,
        fmt::format("the TSIG algorithm \"{}\" is not offered; make a key of hmac-sha256 or hmac-sha512", *algorithm));
  }
  auto octets = decode_base64(*secret);
  if (!octets || octets->empty()) return fail(ErrorKind::Malformed, "the secret of the TSIG key is not base64");
  key.secret = std::move(*octets);
  return key;
}

Result<SignedMessage> sign_message_with_tsig(std::string_view message, const TsigKey& key, WallTime now) {
  const auto key_name = write_wire_name(key.name);
  const auto algorithm = write_wire_name(algorithm_name(key.algorithm));
  if (!key_name) return tl::unexpected(key_name.error());
  if (!algorithm) return tl::unexpected(algorithm.error());
  Tsig tsig;
  tsig.algorithm = *algorithm;
  tsig.time = seconds_of(now);
  tsig.original_id = u16_at(message, 0);
  tsig.mac = mac_of(key, std::string(message) + variables_of(*key_name, tsig));
  const std::string rdata = rdata_of(tsig);
  SignedMessage result{std::string(message), tsig.mac};
  result.octets += *key_name;
  append_u16(result.octets, dns::kTypeTsig);
  append_u16(result.octets, dns::kClassAny);
  append_u32(result.octets, 0);
  append_u16(result.octets, static_cast<std::uint16_t>(rdata.size()));
  result.octets += rdata;
  const auto count = static_cast<std::uint16_t>(u16_at(result.octets, 10) + 1);
  result.octets[10] = static_cast<char>(count >> 8U);
  result.octets[11] = static_cast<char>(count & 0xffU);
  return result;
}

Result<void> verify_tsig_reply(std::string_view reply, const TsigKey& key, std::string_view request_mac, WallTime now) {
  const auto message = read_dns_message(std::string(reply));
  if (!message) return fail(ErrorKind::Malformed, "the name server's reply cannot be read");
  const bool is_signed = !message->additional.empty() && message->additional.back().type == dns::kTypeTsig;
  if (!is_signed) {
    return fail(ErrorKind::Denied,
                fmt::format("the name server's reply {} is not signed with the TSIG key {}; is it the "
                            "server that has the key?",
                            dns_rcode_name(message->rcode()), key.name));
  }
  const DnsRecord& record = message->additional.back();
  auto tsig = read_tsig(reply.substr(record.rdata_offset, record.rdata_length));
  if (!tsig || record.record_class != dns::kClassAny || record.ttl != 0)
    return fail(ErrorKind::Malformed, "the TSIG record of the name server's reply cannot be read");
  // BADKEY and BADSIG come unsigned, since the server has nothing to sign with (RFC 8945 §5.3.2).
  if (tsig->error == kBadKey || tsig->error == kBadSig) return rejected(tsig->error, key);
  std::string covered;
  append_u16(covered, static_cast<std::uint16_t>(request_mac.size()));
  covered += request_mac;
  std::string unsigned_reply(reply.substr(0, record.offset));
  const auto count = static_cast<std::uint16_t>(u16_at(reply, 10) - 1);
  unsigned_reply[0] = static_cast<char>(tsig->original_id >> 8U);
  unsigned_reply[1] = static_cast<char>(tsig->original_id & 0xffU);
  unsigned_reply[10] = static_cast<char>(count >> 8U);
  unsigned_reply[11] = static_cast<char>(count & 0xffU);
  covered += unsigned_reply;
  const auto key_name = write_wire_name(key.name);
  if (!key_name) return tl::unexpected(key_name.error());
  covered += variables_of(*key_name, *tsig);
  const std::string mac = mac_of(key, covered);
  const bool fits = mac.size() == tsig->mac.size() && record.name == key.name &&
                    CRYPTO_memcmp(mac.data(), tsig->mac.data(), mac.size()) == 0;
  if (!fits)
    return fail(ErrorKind::Denied, "the TSIG signature of the name server's reply is wrong: somebody altered it");
  if (tsig->error != 0) return rejected(tsig->error, key);
  const std::uint64_t here = seconds_of(now);
  const std::uint64_t apart = here > tsig->time ? here - tsig->time : tsig->time - here;
  if (apart > tsig->fudge) return rejected(kBadTime, key);
  return {};
}

}  // namespace waxwing
