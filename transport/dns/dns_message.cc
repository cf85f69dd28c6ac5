#include "transport/dns/dns_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "transport/dns/record_reader.h"
#include "transport/dns/wire_name.h"

namespace waxwing {
namespace {

constexpr std::size_t kHeaderOctets = 12;
constexpr std::size_t kMaxLabelOctets = 63;
constexpr std::size_t kMaxNameOctets = 255;
constexpr std::size_t kMaxStringOctets = 255;
constexpr std::uint16_t kUdpPayloadOctets = 1'232;

std::span<const std::uint8_t> span_of(std::string_view octets) {
  return {reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size()};
}

unsigned octet_at(std::string_view octets, std::size_t offset) {
  return static_cast<unsigned char>(octets[offset]);
}

std::uint16_t u16_at(std::string_view octets, std::size_t offset) {
  return static_cast<std::uint16_t>(octet_at(octets, offset) << 8U | octet_at(octets, offset + 1));
}

std::uint32_t u32_at(std::string_view octets, std::size_t offset) {
  return static_cast<std::uint32_t>(u16_at(octets, offset)) << 16U | u16_at(octets, offset + 2);
}

bool read_record_at(std::string_view octets, std::size_t& offset, DnsRecord& record) {
  record.offset = offset;
  auto name = read_wire_name(span_of(octets), offset);
  constexpr std::size_t kFixedOctets = 10;
  if (!name || octets.size() - name->next < kFixedOctets) return false;
  record.name = std::move(name->text);
  offset = name->next;
  record.type = u16_at(octets, offset);
  record.record_class = u16_at(octets, offset + 2);
  record.ttl = u32_at(octets, offset + 4);
  record.rdata_length = u16_at(octets, offset + 8);
  record.rdata_offset = offset + kFixedOctets;
  if (octets.size() - record.rdata_offset < record.rdata_length) return false;
  offset = record.rdata_offset + record.rdata_length;
  return true;
}

bool read_question(DnsMessage& message, std::size_t& offset) {
  auto name = read_wire_name(span_of(message.octets), offset);
  if (!name || message.octets.size() - name->next < 4) return false;
  message.name = std::move(name->text);
  message.type = u16_at(message.octets, name->next);
  message.question_class = u16_at(message.octets, name->next + 2);
  message.has_question = true;
  offset = name->next + 4;
  return true;
}

// The digits of an escape `\DDD`.
std::optional<char> escaped_octet(std::string_view digits) {
  if (digits.size() < 3) return std::nullopt;
  unsigned value = 0;
  for (const char digit : digits.substr(0, 3)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(digit - '0');
  }
  if (value > 255) return std::nullopt;
  return static_cast<char>(value);
}

}  // namespace

std::optional<DnsMessage> read_dns_message(std::string octets) {
  if (octets.size() < kHeaderOctets || octets.size() > kMaxDnsMessageOctets) return std::nullopt;
  DnsMessage message;
  message.octets = std::move(octets);
  message.id = u16_at(message.octets, 0);
  message.flags = u16_at(message.octets, 2);
  const unsigned questions = u16_at(message.octets, 4);
  std::size_t offset = kHeaderOctets;
  if (questions > 1 || (questions == 1 && !read_question(message, offset))) return std::nullopt;
  const std::array<std::vector<DnsRecord>*, 3> sections = {&message.answers, &message.authorities, &message.additional};
  std::size_t total = 0;
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const unsigned count = u16_at(message.octets, 6 + 2 * i);
    total += count;
    if (total > kMaxDnsRecords) return std::nullopt;
    for (unsigned j = 0; j < count; ++j) {
      DnsRecord record;
      if (!read_record_at(message.octets, offset, record)) return std::nullopt;
      sections[i]->push_back(std::move(record));
    }
  }
  if (offset != message.octets.size()) return std::nullopt;
  return message;
}

std::optional<std::string> txt_of(const DnsMessage& message, const DnsRecord& record) {
  auto data = read_record(span_of(message.octets), record.rdata_offset, record.rdata_length, RecordType::TXT);
  if (!data) return std::nullopt;
  return std::move(std::get<TxtRecord>(*data).text);
}

std::optional<std::string> name_of(const DnsMessage& message, const DnsRecord& record) {
  auto name = read_wire_name(span_of(message.octets), record.rdata_offset);
  const std::size_t end = record.rdata_offset + record.rdata_length;
  const bool fits = name && (record.type == dns::kTypeSoa ? name->next < end : name->next == end);
  if (!fits) return std::nullopt;
  return std::move(name->text);
}

std::optional<std::string> address_of(const DnsMessage& message, const DnsRecord& record) {
  if (record.rdata_length != (record.type == dns::kTypeA ? 4U : 16U)) return std::nullopt;
  return message.octets.substr(record.rdata_offset, record.rdata_length);
}

std::uint32_t negative_ttl_of(const DnsMessage& message, const DnsRecord& soa) {
  constexpr std::size_t kMinimumOctets = 4;
  if (soa.rdata_length < kMinimumOctets) return 0;
  const std::uint32_t minimum = u32_at(message.octets, soa.rdata_offset + soa.rdata_length - kMinimumOctets);
  return minimum > 0x7fffffffU ? 0U : minimum;  // RFC 2181 §8
}

std::string dns_rcode_name(unsigned rcode) {
  static constexpr std::array<std::string_view, 11> kNames = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
                                                              "NOTIMP",  "REFUSED", "YXDOMAIN", "YXRRSET",
                                                              "NXRRSET", "NOTAUTH", "NOTZONE"};
  return rcode < kNames.size() ? std::string(kNames[rcode]) : fmt::format("rcode {}", rcode);
}

void append_u16(std::string& octets, std::uint16_t value) {
  octets += static_cast<char>(value >> 8U);
  octets += static_cast<char>(value & 0xffU);
}

void append_u32(std::string& octets, std::uint32_t value) {
  append_u16(octets, static_cast<std::uint16_t>(value >> 16U));
  append_u16(octets, static_cast<std::uint16_t>(value & 0xffffU));
}

Result<std::string> write_wire_name(std::string_view name) {
  const auto malformed = [&] {
    return fail(ErrorKind::Malformed, fmt::format("\"{}\" is not a name that DNS can carry", name));
  };
  std::string wire;
  if (name == ".") return std::string(1, '\0');
  std::string label;
  for (std::size_t i = 0; i <= name.size(); ++i) {
    if (i == name.size() || name[i] == '.') {
      if (label.empty() || label.size() > kMaxLabelOctets) return malformed();
      wire += static_cast<char>(label.size());
      wire += label;
      label.clear();
    } else if (name[i] == '\\') {
      const auto octet = escaped_octet(name.substr(i + 1));
      if (!octet) return malformed();
      label += *octet;
      i += 3;
    } else {
      label += name[i] >= 'A' && name[i] <= 'Z' ? static_cast<char>(name[i] + ('a' - 'A')) : name[i];
    }
  }
  wire += '\0';
  if (wire.size() > kMaxNameOctets) return malformed();
  return wire;
}

std::string txt_rdata(std::string_view text) {
  std::string rdata;
  do {
    const std::string_view piece = text.substr(0, kMaxStringOctets);
    rdata += static_cast<char>(piece.size());
    rdata += piece;
    text.remove_prefix(piece.size());
  } while (!text.empty());
  return rdata;
}

Result<DnsWriter> DnsWriter::begin(std::uint16_t id, std::uint16_t flags, std::string_view name, std::uint16_t type) {
  const auto wire = write_wire_name(name);
  if (!wire) return tl::unexpected(wire.error());
  DnsWriter writer;
  append_u16(writer.octets_, id);
  append_u16(writer.octets_, flags);
  append_u16(writer.octets_, 1);
  for (int i = 0; i < 3; ++i) append_u16(writer.octets_, 0);
  writer.octets_ += *wire;
  append_u16(writer.octets_, type);
  append_u16(writer.octets_, dns::kClassIn);
  return writer;
}

Result<void> DnsWriter::add(Section section, std::string_view name, std::uint16_t type, std::uint16_t record_class,
                            std::uint32_t ttl, std::string_view rdata) {
  const auto wire = write_wire_name(name);
  if (!wire) return tl::unexpected(wire.error());
  constexpr std::size_t kFixedOctets = 10;
  if (octets_.size() + wire->size() + kFixedOctets + rdata.size() > kMaxDnsMessageOctets)
    return fail(ErrorKind::Exhausted, "the DNS message would be longer than 65,535 octets");
  octets_ += *wire;
  append_u16(octets_, type);
  append_u16(octets_, record_class);
  append_u32(octets_, ttl);
  append_u16(octets_, static_cast<std::uint16_t>(rdata.size()));
  octets_ += rdata;
  const std::size_t place = 4 + 2 * static_cast<std::size_t>(section);
  const auto count = static_cast<std::uint16_t>(u16_at(octets_, place) + 1);
  octets_[place] = static_cast<char>(count >> 8U);
  octets_[place + 1] = static_cast<char>(count & 0xffU);
  return {};
}

Result<std::string> write_dns_query(std::uint16_t id, std::string_view name, std::uint16_t type, std::uint16_t flags) {
  auto writer = DnsWriter::begin(id, flags, name, type);
  if (!writer) return tl::unexpected(writer.error());
  const auto added = writer->add(DnsWriter::Section::Additional, ".", dns::kTypeOpt, kUdpPayloadOctets, 0, "");
  if (!added) return tl::unexpected(added.error());
  return writer->octets();
}

}  // namespace waxwing
