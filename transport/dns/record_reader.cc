#include "transport/dns/record_reader.h"

#include <utility>

#include "transport/dns/wire_name.h"

namespace waxwing {
namespace {

using Octets = std::span<const std::uint8_t>;

std::string to_string(Octets octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

std::optional<RecordData> read_address(Octets rdata, std::size_t size) {
  if (rdata.size() != size) return std::nullopt;
  const Result<IpAddress> address = IpAddress::from_octets(rdata);
  if (!address) return std::nullopt;
  return *address;
}

// A name that fills the rest of the rdata. It may be compressed, so it is read from the whole message.
std::optional<std::string> read_last_name(Octets message, std::size_t offset, std::size_t end) {
  std::optional<WireName> name = read_wire_name(message, offset);
  if (!name || name->next != end) return std::nullopt;
  return std::move(name->text);
}

std::optional<RecordData> read_mx(Octets message, std::size_t offset, std::size_t length) {
  if (length < 3) return std::nullopt;
  const auto preference = static_cast<std::uint16_t>(message[offset] * 256u + message[offset + 1]);
  std::optional<std::string> exchange = read_last_name(message, offset + 2, offset + length);
  if (!exchange) return std::nullopt;
  return MxRecord{.preference = preference, .exchange = std::move(*exchange)};
}

std::optional<RecordData> read_txt(Octets rdata) {
  if (rdata.empty()) return std::nullopt;
  TxtRecord record;
  while (!rdata.empty()) {
    const std::size_t length = rdata[0];
    if (length >= rdata.size()) return std::nullopt;
    record.text += to_string(rdata.subspan(1, length));
    rdata = rdata.subspan(1 + length);
  }
  return record;
}

std::optional<RecordData> read_pointer(Octets message, std::size_t offset, std::size_t length) {
  std::optional<std::string> name = read_last_name(message, offset, offset + length);
  if (!name) return std::nullopt;
  return PtrRecord{.name = std::move(*name)};
}

}  // namespace

std::optional<RecordData> read_record(Octets message, std::size_t offset, std::size_t length, RecordType type) {
  const Octets rdata = message.subspan(offset, length);
  switch (type) {
    case RecordType::A:
      return read_address(rdata, 4);
    case RecordType::AAAA:
      return read_address(rdata, 16);
    case RecordType::MX:
      return read_mx(message, offset, length);
    case RecordType::TXT:
      return read_txt(rdata);
    case RecordType::PTR:
    case RecordType::CNAME:
      return read_pointer(message, offset, length);
    case RecordType::TLSA:
      return TlsaRdata{.octets = to_string(rdata)};
  }
  return std::nullopt;
}

}  // namespace waxwing
