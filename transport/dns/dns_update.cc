#include "transport/dns/dns_update.h"

#include "transport/dns/dns_message.h"

namespace waxwing {
namespace {

// RFC 2136 §1.1: the sections of an update have the places of those of an answer.
constexpr auto kPrerequisite = DnsWriter::Section::Answer;
constexpr auto kUpdate = DnsWriter::Section::Authority;

/// Adds records to an update; the first failure is the result.
class UpdateWriter {
 public:
  UpdateWriter(std::uint16_t id, std::string_view zone, std::string_view name)
      : writer_(DnsWriter::begin(id, dns::kOpcodeUpdate, zone, dns::kTypeSoa)), name_(name) {}

  UpdateWriter& add(DnsWriter::Section section, std::uint16_t type, std::uint16_t record_class, std::uint32_t ttl,
                    std::string_view rdata) {
    if (!writer_) return *this;
    const auto added = writer_->add(section, name_, type, record_class, ttl, rdata);
    if (!added) writer_ = tl::unexpected(added.error());
    return *this;
  }

  [[nodiscard]] Result<std::string> octets() const {
    if (!writer_) return tl::unexpected(writer_.error());
    return writer_->octets();
  }

 private:
  Result<DnsWriter> writer_;
  std::string_view name_;
};

}  // namespace

Result<std::string> write_txt_addition(std::uint16_t id, std::string_view zone, std::string_view name,
                                       std::uint32_t ttl, std::string_view text) {
  return UpdateWriter(id, zone, name)
      .add(kPrerequisite, dns::kTypeTxt, dns::kClassNone, 0, "")
      .add(kPrerequisite, dns::kTypeCname, dns::kClassNone, 0, "")
      .add(kUpdate, dns::kTypeTxt, dns::kClassIn, ttl, txt_rdata(text))
      .octets();
}

Result<std::string> write_txt_removal(std::uint16_t id, std::string_view zone, std::string_view name,
                                      std::string_view text) {
  return UpdateWriter(id, zone, name).add(kUpdate, dns::kTypeTxt, dns::kClassNone, 0, txt_rdata(text)).octets();
}

Result<std::string> write_txt_replacement(std::uint16_t id, std::string_view zone, std::string_view name,
                                          std::uint32_t ttl, std::string_view from, std::string_view to) {
  return UpdateWriter(id, zone, name)
      .add(kPrerequisite, dns::kTypeTxt, dns::kClassIn, 0, txt_rdata(from))
      .add(kUpdate, dns::kTypeTxt, dns::kClassNone, 0, txt_rdata(from))
      .add(kUpdate, dns::kTypeTxt, dns::kClassIn, ttl, txt_rdata(to))
      .octets();
}

}  // namespace waxwing
