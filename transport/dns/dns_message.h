#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/result.h"

namespace waxwing {

// Whole DNS messages, for those who speak to name servers themselves: look past every cache, or change a zone. What the
// relay asks its resolver goes another way (resolver.h).

namespace dns {
inline constexpr std::uint16_t kTypeCname = 5;
inline constexpr std::uint16_t kTypeSoa = 6;
inline constexpr std::uint16_t kTypeNs = 2;
inline constexpr std::uint16_t kTypeA = 1;
inline constexpr std::uint16_t kTypeTxt = 16;
inline constexpr std::uint16_t kTypeAaaa = 28;
inline constexpr std::uint16_t kTypeOpt = 41;
inline constexpr std::uint16_t kTypeTsig = 250;
inline constexpr std::uint16_t kClassIn = 1;
inline constexpr std::uint16_t kClassNone = 254;
inline constexpr std::uint16_t kClassAny = 255;
inline constexpr std::uint16_t kFlagResponse = 0x8000;
inline constexpr std::uint16_t kFlagAuthoritative = 0x0400;
inline constexpr std::uint16_t kFlagTruncated = 0x0200;
inline constexpr std::uint16_t kFlagRecursion = 0x0100;
inline constexpr std::uint16_t kFlagAuthenticated = 0x0020;
inline constexpr std::uint16_t kOpcodeUpdate = 0x2800;
inline constexpr unsigned kNoError = 0;
inline constexpr unsigned kNameError = 3;
}  // namespace dns

/// A record of a message; its data is [rdata_offset, rdata_offset + rdata_length) of the message's octets.
struct DnsRecord {
  std::string name;  ///< as Question::name
  std::uint16_t type = 0;
  std::uint16_t record_class = 0;
  std::uint32_t ttl = 0;
  std::size_t offset = 0;  ///< where the record begins
  std::size_t rdata_offset = 0;
  std::size_t rdata_length = 0;
};

/// A message taken apart.
struct DnsMessage {
  std::string octets;
  std::uint16_t id = 0;
  std::uint16_t flags = 0;
  std::string name;  ///< of the question; of an update: the zone
  std::uint16_t type = 0;
  std::uint16_t question_class = 0;
  bool has_question = false;
  std::vector<DnsRecord> answers;
  std::vector<DnsRecord> authorities;
  std::vector<DnsRecord> additional;

  [[nodiscard]] bool has(std::uint16_t flag) const { return (flags & flag) != 0; }
  [[nodiscard]] unsigned rcode() const { return flags & 0xfU; }
};

/// Takes a message apart; every record lies inside it, and nothing stands behind the last one.
/// @return  no value: it is not such a message
/// @limits  at most one question and kMaxDnsRecords records; one pass
/// @source  RFC 1035 §4.1
[[nodiscard]] std::optional<DnsMessage> read_dns_message(std::string octets);

/// The text of a TXT record, its strings joined; no value: it is not shaped like one.
[[nodiscard]] std::optional<std::string> txt_of(const DnsMessage& message, const DnsRecord& record);

/// The name that the data of a CNAME or NS record is, or with which that of a SOA begins; no value: there is none.
[[nodiscard]] std::optional<std::string> name_of(const DnsMessage& message, const DnsRecord& record);

/// The address of an A or AAAA record as its octets; no value: it is not shaped like one.
[[nodiscard]] std::optional<std::string> address_of(const DnsMessage& message, const DnsRecord& record);

/// For how long, at most, a SOA record lets others remember absence: its last field. Its TTL may shorten that, but is
/// less than it was when the record comes from a cache.
/// @source  RFC 2308 §5
[[nodiscard]] std::uint32_t negative_ttl_of(const DnsMessage& message, const DnsRecord& soa);

/// "NOERROR", "NXDOMAIN", "NOTAUTH", …
[[nodiscard]] std::string dns_rcode_name(unsigned rcode);

/// Puts messages together.
class DnsWriter {
 public:
  /// Begins with the header and one question (of an update: its zone).
  /// @errors  Malformed: the name cannot be written
  [[nodiscard]] static Result<DnsWriter> begin(std::uint16_t id, std::uint16_t flags, std::string_view name,
                                               std::uint16_t type);

  enum class Section { Answer = 1, Authority = 2, Additional = 3 };

  /// Adds a record; the sections in their order.
  /// @errors  Malformed: the name cannot be written; Exhausted: the message would be too long
  [[nodiscard]] Result<void> add(Section section, std::string_view name, std::uint16_t type, std::uint16_t record_class,
                                 std::uint32_t ttl, std::string_view rdata);

  [[nodiscard]] const std::string& octets() const { return octets_; }

 private:
  std::string octets_;
};

/// A question: without recursion for an authoritative server, with it for a resolver; EDNS with room for 1,232 octets.
/// @errors  Malformed: the name cannot be written
[[nodiscard]] Result<std::string> write_dns_query(std::uint16_t id, std::string_view name, std::uint16_t type,
                                                  std::uint16_t flags);

/// A name as the wire has it, uncompressed and in lower case.
/// @param name  as Question::name
/// @errors      Malformed: an empty or too long label, a broken escape, more than 255 octets
/// @source      RFC 1035 §3.1
[[nodiscard]] Result<std::string> write_wire_name(std::string_view name);

/// The data of a TXT record: strings of at most 255 octets.
[[nodiscard]] std::string txt_rdata(std::string_view text);

/// Appends a number in network order.
void append_u16(std::string& octets, std::uint16_t value);
void append_u32(std::string& octets, std::uint32_t value);

inline constexpr std::size_t kMaxDnsRecords = 4'096;
inline constexpr std::size_t kMaxDnsMessageOctets = 65'535;

}  // namespace waxwing
