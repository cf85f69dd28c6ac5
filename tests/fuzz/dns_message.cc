// What comes from name servers: any octets may be a message, and its records are looked into.

#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/fuzz/finding.h"
#include "transport/dns/dns_message.h"
#include "transport/dns/tsig.h"

using namespace waxwing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string octets(reinterpret_cast<const char*>(data), size);
  const auto message = read_dns_message(octets);
  const TsigKey key{"k", TsigKey::Algorithm::HmacSha256, "secret"};
  (void)verify_tsig_reply(octets, key, "mac", WallTime(Milliseconds(1'769'860'800'000)));
  (void)TsigKey::parse(octets);
  if (!message) return 0;
  for (const auto* section : {&message->answers, &message->authorities, &message->additional}) {
    for (const DnsRecord& record : *section) {
      fuzz::require(record.rdata_offset + record.rdata_length <= message->octets.size(),
                    "a record lies inside its message");
      (void)txt_of(*message, record);
      (void)name_of(*message, record);
      (void)address_of(*message, record);
      (void)negative_ttl_of(*message, record);
    }
  }
  if (!message->has_question) return 0;
  // A name that was read can be written, and reads back as itself.
  const auto query = write_dns_query(message->id, message->name, message->type, 0);
  fuzz::require(query.has_value(), "a name that was read can be written");
  const auto again = read_dns_message(*query);
  fuzz::require(again.has_value() && again->name == message->name, "a name that is written reads back as itself");
  return 0;
}
